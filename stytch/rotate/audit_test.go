package rotate_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// writes keeps each Write apart, and finds out whether two come at once.
type writes struct {
	mu    sync.Mutex
	lines []string
	err   error
	after int // so many lines
	short bool
}

func (w *writes) Write(p []byte) (int, error) {
	if !w.mu.TryLock() {
		panic("two Writes at once")
	}
	defer w.mu.Unlock()
	if w.err != nil && len(w.lines) >= w.after {
		return 0, w.err
	}
	if w.short {
		return len(p) - 1, nil
	}
	w.lines = append(w.lines, string(p))
	return len(p), nil
}

type auditLine struct {
	Time       time.Time
	ClientID   string `json:"client_id"`
	RotationID string `json:"rotation_id"`
	From, To   rotate.State
	Current    string
	Next       string
	Error      string
}

func auditLines(t *testing.T, w *writes) (lines []auditLine) {
	t.Helper()
	for _, text := range w.lines {
		var line auditLine
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&line); err != nil || !strings.HasSuffix(text, "}\n") || strings.Count(text, "\n") != 1 {
			t.Fatalf("a Write that is not one line of JSON: %q, %v", text, err)
		}
		lines = append(lines, line)
	}
	return lines
}

// TestAuditLong: an endless error does not make an endless line, and a character that is cut does
// no harm.
func TestAuditLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writes{}
		observe := rotate.Audit(w)
		observe(t.Context(), rotate.Event{Err: errors.New("x" + strings.Repeat("ü", 1<<20))})
		if lines := auditLines(t, w); len(w.lines[0]) > 4096 || strings.ContainsRune(lines[0].Error, '\ufffd') {
			t.Errorf("a line of %d bytes", len(w.lines[0]))
		}
	})
	if rotate.Audit(nil) != nil {
		t.Error("there is something to observe without a writer")
	}
}
