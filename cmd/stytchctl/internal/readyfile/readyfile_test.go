package readyfile_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/readyfile"
)

type content struct {
	URL string `json:"url"`
}

// listen is a server, and the address of one that is gone.
func listen(t *testing.T) (running, gone string) {
	t.Helper()
	var addresses [2]string
	for i := range addresses {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addresses[i] = "http://" + l.Addr().String()
		if i == 1 {
			l.Close()
		} else {
			t.Cleanup(func() { l.Close() })
		}
	}
	return addresses[0], addresses[1]
}

func TestPrepare(t *testing.T) {
	running, gone := listen(t)
	for name, test := range map[string]struct {
		text string
		want error
		left bool
	}{
		"of a server that runs":  {fmt.Sprintf(`{"url":%q}`, running), readyfile.ErrInUse, true},
		"of a server that ended": {fmt.Sprintf(`{"url":%q}`, gone), nil, false},
		"of something else":      {"not JSON", nil, false},
		"without an address":     {`{"url":""}`, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ready")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := readyfile.Prepare(t.Context(), path); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
			if _, err := os.Stat(path); (err == nil) != test.left {
				t.Errorf("the file is there: %t, want %t", err == nil, test.left)
			}
		})
	}
}

// A server removes its own file, and not that of one that took its place.
func TestRemove(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ready")
	first, err := readyfile.Prepare(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := readyfile.Prepare(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(first.Write(content{"http://127.0.0.1:1"}), second.Write(content{"http://127.0.0.1:2"}), first.Remove()); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != `{"url":"http://127.0.0.1:2"}`+"\n" {
		t.Errorf("%s, %v: want the file of the second server", text, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: want mode 0600", info.Mode(), err)
	}
	if err := second.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is still there")
	}
}

// Without a path there is no file.
func TestNone(t *testing.T) {
	none, err := readyfile.Prepare(t.Context(), "")
	if err := errors.Join(err, none.Write(content{}), none.Remove()); err != nil {
		t.Error(err)
	}
}
