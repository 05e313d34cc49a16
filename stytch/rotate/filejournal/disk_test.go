//go:build unix

package filejournal_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// A full disk leaves the old record and no other files, and the claim can write again when there is
// room.
func TestFullDisk(t *testing.T) {
	for _, point := range []string{"created", "written", "synced", "renamed"} {
		t.Run(point, func(t *testing.T) {
			dir := journalDir(t)
			j := openJournal(t, dir)
			c := claim(t, j)
			if err := c.Write(t.Context(), startedRecord("before")); err != nil {
				t.Fatal(err)
			}
			atomicfile.Point = func(name string) error {
				if name == point {
					return &fs.PathError{Op: "write", Path: "a.json", Err: syscall.ENOSPC}
				}
				return nil
			}
			defer func() { atomicfile.Point = nil }()
			if err := c.Write(t.Context(), startedRecord("after")); !errors.Is(err, rotate.ErrJournal) || !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("Write: %v", err)
			}
			want := map[bool]string{true: "after", false: "before"}[point == "renamed"]
			if r, err := j.Read(t.Context(), "a"); err != nil || r.Reason != want {
				t.Errorf("after the failure: %v, %q, want %q", err, r.Reason, want)
			}
			wantFiles(t, dir, "a.json a.lock")
			atomicfile.Point = nil
			if err := errors.Join(c.Write(t.Context(), startedRecord("room")), c.Release(t.Context())); err != nil {
				t.Error(err)
			}
			wantFiles(t, dir, "a.json")
		})
	}
}

// A claim removes what a process left that was killed during a write, also in a journal that has
// been open for long.
func TestClaimSweeps(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	for name, content := range map[string]string{".unfinished-KILLED": "a secret", "a.lock": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := claim(t, j)
	wantFiles(t, dir, "a.lock")
	release(t, c)
}
