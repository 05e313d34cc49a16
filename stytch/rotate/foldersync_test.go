//go:build unix

package rotate

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// A folder that cannot be synced fails the write, and the next claim does not trust the record before it can be.
func TestFolderSyncFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	j, err := NewFileJournal(dir, "project-test-1")
	if err != nil {
		t.Fatal(err)
	}
	c, err := j.Claim(t.Context(), "a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	j.names.dir = filepath.Join(dir, "absent")
	err = c.Write(t.Context(), Record{ClientID: "a", State: Started, Next: secret.New("next")})
	if !errors.Is(err, ErrJournal) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Write: %v", err)
	}
	if err := c.Release(t.Context()); err != nil {
		t.Errorf("Release: %v", err)
	}
	for range 2 { // the first one must not take the mark away
		if _, err := j.Claim(t.Context(), "a", time.Hour); !errors.Is(err, ErrJournal) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Claim: %v", err)
		}
	}
	j.names.dir = dir
	c, err = j.Claim(t.Context(), "a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if c.Record().State != Started {
		t.Errorf("the record is %q", c.Record().State)
	}
	if err := c.Release(t.Context()); err != nil {
		t.Errorf("Release: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a.lease")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the lease is still there: %v", err)
	}
}

// Whoever asks while a call is under way gets the next one: the one under way may have begun before the renaming.
func TestFolderSyncRounds(t *testing.T) {
	f := &folderSync{dir: t.TempDir()}
	f.turn.Lock() // a call is under way
	const callers = 8
	results := make(chan error, callers)
	for range callers {
		go func() { results <- f.sync() }()
	}
	select {
	case <-results:
		t.Error("sync returned before a call of its own")
	case <-time.After(10 * time.Millisecond): // long enough to notice, and too short to matter
	}
	f.turn.Unlock()
	for range callers {
		if err := <-results; err != nil {
			t.Errorf("sync: %v", err)
		}
	}
}
