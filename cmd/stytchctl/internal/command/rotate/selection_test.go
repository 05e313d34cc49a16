package rotate

import (
	"slices"
	"strings"
	"testing"
)

func listed(t *testing.T, text string) (ids []string, err error) {
	t.Helper()
	for id, e := range lines(strings.NewReader(text)) {
		if e != nil {
			return ids, e
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func TestLines(t *testing.T) {
	ids, err := listed(t, "a\r\n\n  b \n# c\nd")
	if err != nil || !slices.Equal(ids, []string{"a", "b", "d"}) {
		t.Errorf("%q, %v", ids, err)
	}
	if ids, err := listed(t, "a\n"+strings.Repeat("x", 5000)); err == nil || len(ids) != 1 || !strings.Contains(err.Error(), "--ids-from") {
		t.Errorf("a line that is too long: %d ids, %v", len(ids), err)
	}
}

func FuzzLines(f *testing.F) {
	f.Add("a\n# b\n\nc")
	f.Fuzz(func(t *testing.T, text string) {
		ids, _ := listed(t, text)
		for _, id := range ids {
			if id == "" || id[0] == '#' || strings.TrimSpace(id) != id || strings.Contains(id, "\n") {
				t.Errorf("%q is listed", id)
			}
		}
	})
}
