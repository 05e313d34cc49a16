//go:build unix

package tokencache

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/token/storetest"
)

// open is a cache whose clock the test moves.
func open(t *testing.T, path string) (f *File, advance func(time.Duration), replaced *atomic.Int32) {
	t.Helper()
	var moved atomic.Int64
	replaced = new(atomic.Int32)
	now := func() time.Time { return time.Now().Add(time.Duration(moved.Load())) }
	f, err := Open(path, now, func() { replaced.Add(1) })
	if err != nil {
		t.Fatal(err)
	}
	return f, func(d time.Duration) { moved.Add(int64(d)) }, replaced
}

func TestStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	f, advance, replaced := open(t, path)
	storetest.Run(t, f, advance)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := os.Stat(path + ".lock"); err == nil {
		t.Error("the lock file is left behind")
	}
	if replaced.Load() != 0 {
		t.Error("the file was taken for a damaged one")
	}
}

func TestRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"a file of something else": {"export PATH=x\n", 0o600, "it is not a token cache: name another file"},
		"a newer version":          {heading + "2\n{}", 0o600, "a newer version of stytchctl wrote it"},
		"others may read":          {"", 0o640, "run chmod 600 on it"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cache")
			if err := os.WriteFile(path, []byte(test.text), test.mode); err != nil {
				t.Fatal(err)
			}
			_, err := Open(path, time.Now, func() {})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if text, err := os.ReadFile(path); err != nil || string(text) != test.text {
				t.Errorf("the file is %q now, %v", text, err)
			}
		})
	}
	if _, err := Open(filepath.Join(t.TempDir(), "missing", "cache"), time.Now, func() {}); err == nil {
		t.Error("a folder that is not there is accepted")
	}
}

func TestDamagedFileIsReplaced(t *testing.T) {
	for name, text := range map[string]string{
		"cut off":    heading + "1\n{\"tokens\":{\"a\":",
		"no JSON":    heading + "1\n\x00\x00\x00",
		"null":       heading + "1\n{\"tokens\":null}",
		"no number":  heading + "x\n{}",
		"only begun": heading,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cache")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			f, _, replaced := open(t, path)
			if value, err := f.Get(t.Context(), "a"); err != nil || value != nil {
				t.Errorf("Get = %q, %v", value, err)
			}
			if err := f.Put(t.Context(), "a", []byte("v"), time.Minute); err != nil {
				t.Fatal(err)
			}
			if value, err := f.Get(t.Context(), "a"); err != nil || string(value) != "v" {
				t.Errorf("Get = %q, %v", value, err)
			}
			if replaced.Load() != 1 {
				t.Errorf("reported %d times, want 1", replaced.Load())
			}
		})
	}
}

// The file stays small however many tokens go through it.
func TestBounds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	f, advance, _ := open(t, path)
	c := empty()
	for i := range maxTokens + 10 {
		c.Tokens[strings.Repeat("x", i+1)] = sealed{f.now().Add(time.Duration(i+1) * time.Second), []byte("v")}
	}
	text, err := c.encode(f.now())
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := decode(text); err != nil || len(kept.Tokens) != maxTokens || kept.Tokens["x"].Value != nil {
		t.Errorf("kept %d, %v", len(kept.Tokens), err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	advance(time.Hour)
	if err := f.Put(t.Context(), "last", []byte("v"), time.Minute); err != nil {
		t.Fatal(err)
	}
	kept, err := f.read()
	if err != nil || len(kept.Tokens) != 1 {
		t.Errorf("after they expired there are %d tokens, %v", len(kept.Tokens), err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(heading + "1\n{\"tokens\":{\"a\":{\"expires\":\"2030-01-01T00:00:00Z\",\"value\":\"dg==\"}}}"))
	f.Add([]byte(heading + "2\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := decode(text)
		if err != nil {
			return
		}
		written, err := c.encode(time.Time{})
		if err != nil {
			t.Skip("a year that JSON cannot express")
		}
		again, err := decode(written)
		if err != nil {
			t.Fatalf("%q became %q: %v", text, written, err)
		}
		for name, s := range again.Tokens {
			if !bytes.Equal(s.Value, c.Tokens[name].Value) {
				t.Fatalf("%q became %q", text, written)
			}
		}
	})
}
