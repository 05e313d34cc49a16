//go:build unix

package filejournal

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// A folder that cannot be synced fails the write. Later claims fail too until the folder was
// synced: the record could be lost.
func TestFolderSyncFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	j, err := New(dir, "project-test-1")
	if err != nil {
		t.Fatal(err)
	}
	c, err := j.Claim(t.Context(), "a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	j.names.dir = filepath.Join(dir, "absent")
	err = c.Write(t.Context(), rotate.Record{ClientID: "a", State: rotate.Started, Next: secret.New("next")})
	if !errors.Is(err, rotate.ErrJournal) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Write: %v", err)
	}
	if err := c.Release(t.Context()); err != nil {
		t.Errorf("Release: %v", err)
	}
	for range 2 {
		if _, err := j.Claim(t.Context(), "a", time.Hour); !errors.Is(err, rotate.ErrJournal) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Claim: %v", err)
		}
	}
	j.names.dir = dir
	c, err = j.Claim(t.Context(), "a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if c.Record().State != rotate.Started {
		t.Errorf("the record is %q", c.Record().State)
	}
	if err := c.Release(t.Context()); err != nil {
		t.Errorf("Release: %v", err)
	}
}

// A caller that arrives during a sync waits for the next one: the current sync may have begun
// before the rename.
func TestFolderSyncRounds(t *testing.T) {
	f := &folderSync{dir: t.TempDir()}
	f.turn.Lock() // a sync is in progress
	const callers = 8
	results := make(chan error, callers)
	for range callers {
		go func() { results <- f.sync() }()
	}
	select {
	case <-results:
		t.Error("sync returned although none began")
	case <-time.After(10 * time.Millisecond): // long enough to notice
	}
	f.turn.Unlock()
	for range callers {
		if err := <-results; err != nil {
			t.Errorf("sync: %v", err)
		}
	}
}
