//go:build unix

package filejournal_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/rotate/journaltest"
	"github.com/stytchkit/m2m/stytch/secret"
)

const journalProject = "project-test-1"

func journalDir(t testing.TB) string { return filepath.Join(t.TempDir(), "journal") }

func openJournal(t testing.TB, dir string, keys ...secret.String) *filejournal.Journal {
	t.Helper()
	j, err := filejournal.New(dir, journalProject, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// claim claims client "a".
func claim(t testing.TB, j rotate.Journal) rotate.Claim {
	t.Helper()
	c, err := j.Claim(t.Context(), "a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func startedRecord(reason string) rotate.Record {
	return rotate.Record{
		RotationID: "r", ClientID: "a", State: rotate.Started, Reason: reason,
		Current: secret.New("the-current-secret"), Next: secret.New("the-next-secret"),
	}
}

// filesIn returns the names of the files in a folder and their contents, joined, without the one
// that every journal has. It checks that each has mode 0600.
func filesIn(t testing.TB, dir string) (names []string, all []byte) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o600 {
			t.Errorf("%s has mode %v", entry.Name(), info.Mode())
		}
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if entry.Name() != "project" {
			names, all = append(names, entry.Name()), append(all, data...)
		}
	}
	return names, all
}

func release(t testing.TB, c rotate.Claim) {
	t.Helper()
	if err := c.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// wantFiles checks which files a folder has.
func wantFiles(t testing.TB, dir, want string) {
	t.Helper()
	if names, _ := filesIn(t, dir); strings.Join(names, " ") != want {
		t.Errorf("the folder has files %q, want %q", names, want)
	}
}

func TestJournal(t *testing.T) {
	for name, keys := range map[string][]secret.String{"clear": nil, "sealed": {secret.Generate()}} {
		t.Run(name, func(t *testing.T) {
			journaltest.Run(t, func(t *testing.T) journaltest.Storage {
				dir := journalDir(t)
				return journaltest.Storage{
					Open:        func(t *testing.T) rotate.Journal { return openJournal(t, dir, keys...) },
					IgnoresLife: true,
					Corrupt: func(t *testing.T, clientID string) {
						if err := os.Truncate(filepath.Join(dir, clientID+".json"), 100); err != nil {
							t.Fatal(err)
						}
					},
					Raw: func(t *testing.T) []byte {
						_, all := filesIn(t, dir)
						return all
					},
				}
			})
		})
	}
}

// With a key the secrets of a rotation in progress cannot be found in the files.
func TestSealed(t *testing.T) {
	for _, keys := range [][]secret.String{nil, {secret.Generate()}} {
		dir := journalDir(t)
		c := claim(t, openJournal(t, dir, keys...))
		r := startedRecord("")
		if err := c.Write(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		_, all := filesIn(t, dir)
		for _, s := range []secret.String{r.Current, r.Next} {
			if readable := bytes.Contains(all, []byte(s.Reveal())); readable != (len(keys) == 0) {
				t.Errorf("with %d keys: readable: %t", len(keys), readable)
			}
		}
		if !bytes.Contains(all, []byte(`"state":"started"`)) {
			t.Error("an operator cannot read the state")
		}
	}
}

func TestFiles(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	info, err := os.Stat(dir)
	if err != nil || info.Mode() != fs.ModeDir|0o700 {
		t.Fatalf("the folder has mode %v, %v", info.Mode(), err)
	}
	c := claim(t, j)
	if err := c.Write(t.Context(), startedRecord("")); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, dir, "a.json a.lock")
	release(t, c)
	wantFiles(t, dir, "a.json")
}

// A lock file that was removed by hand ends no rotation as long as no other process came in.
func TestLockFileRemoved(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	c := claim(t, j)
	for _, reason := range []string{"first", "second", "third"} {
		if err := os.Remove(filepath.Join(dir, "a.lock")); err != nil {
			t.Fatal(err)
		}
		if err := c.Write(t.Context(), startedRecord(reason)); err != nil {
			t.Fatalf("Write without the lock file: %v", err)
		}
		wantFiles(t, dir, "a.json a.lock")
		if _, err := openJournal(t, dir).Claim(t.Context(), "a", time.Hour); !errors.Is(err, rotate.ErrBusy) {
			t.Errorf("Claim after the lock was taken again: %v, want %v", err, rotate.ErrBusy)
		}
	}
	release(t, c)
	wantFiles(t, dir, "a.json")
}

// A process that came in because the lock file was removed is noticed, whether it is still there,
// died, or has released the client.
func TestLockFileRemovedAndTaken(t *testing.T) {
	for name, test := range map[string]struct {
		writes bool
		leaves func(t *testing.T, dir string, c rotate.Claim)
		want   error
	}{
		"holds":                             {false, nil, rotate.ErrBusy},
		"wrote and holds":                   {true, nil, rotate.ErrBusy},
		"wrote and left":                    {true, func(t *testing.T, _ string, c rotate.Claim) { release(t, c) }, rotate.ErrBusy},
		"left":                              {false, func(t *testing.T, _ string, c rotate.Claim) { release(t, c) }, nil},
		"wrote, without a lock file either": {true, func(t *testing.T, dir string, _ rotate.Claim) { removeLock(t, dir) }, rotate.ErrBusy},
	} {
		t.Run(name, func(t *testing.T) {
			dir := journalDir(t)
			j := openJournal(t, dir)
			first := claim(t, j)
			if err := first.Write(t.Context(), startedRecord("first")); err != nil {
				t.Fatal(err)
			}
			removeLock(t, dir)
			second := claim(t, j)
			if test.writes {
				if err := second.Write(t.Context(), startedRecord("second")); err != nil {
					t.Fatal(err)
				}
			}
			if test.leaves != nil {
				test.leaves(t, dir, second)
			}
			for range 2 { // a second attempt changes nothing
				err := first.Write(t.Context(), startedRecord("again"))
				if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
					t.Errorf("Write: %v, want %v", err, test.want)
				}
			}
			if r, err := j.Read(t.Context(), "a"); err != nil || test.writes && r.Reason != "second" {
				t.Errorf("the record is %q, %v", r.Reason, err)
			}
			release(t, first)
			release(t, second)
		})
	}
}

func removeLock(t *testing.T, dir string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, "a.lock")); err != nil {
		t.Fatal(err)
	}
}

// No client id leads to the files of another client: neither an id that looks like a hash, nor
// where file names ignore case.
func TestNames(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte("A")))
	ids := []string{"A", "a", sum, "_" + sum, "a.json", ".lock", "../a", strings.Repeat("a", 128), strings.Repeat("a", 129), strings.Repeat("a", 256)}
	for _, id := range ids {
		c, err := j.Claim(t.Context(), id, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		r := startedRecord("")
		r.ClientID = id
		if err := c.Write(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	names, _ := filesIn(t, dir)
	folded := map[string]bool{}
	for _, name := range names {
		if len(name) > 143 || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-") {
			t.Errorf("file name %q is not portable", name)
		}
		folded[strings.ToLower(name)] = true
	}
	if len(folded) != 2*len(ids) { // records and lock files
		t.Errorf("%d files for %d clients: %q", len(folded), len(ids), names)
	}
}

// A record under the name of another client, or opened for another project, is refused.
func TestMoved(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	c := claim(t, j)
	if err := errors.Join(c.Write(t.Context(), startedRecord("")), c.Release(t.Context())); err != nil {
		t.Fatal(err)
	}
	foreign, err := rotate.NewCodec("project-test-2")
	if err != nil {
		t.Fatal(err)
	}
	r := startedRecord("")
	r.ClientID = "c"
	data, err := foreign.Encode(r)
	if err := errors.Join(err, os.WriteFile(filepath.Join(dir, "c.json"), data, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Read(t.Context(), "c"); !errors.Is(err, rotate.ErrOtherProject) || !strings.Contains(err.Error(), "c.json") {
		t.Errorf("Read of a record of another project: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "c.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Claim(t.Context(), "b", time.Hour); !errors.Is(err, rotate.ErrOtherProject) {
		t.Errorf("Claim of another client: %v", err)
	}
	var found []error
	for _, err := range j.Unfinished(t.Context()) {
		found = append(found, err)
	}
	if len(found) != 1 || !errors.Is(found[0], rotate.ErrOtherProject) || !strings.Contains(found[0].Error(), "b.json") {
		t.Errorf("Unfinished: %v", found)
	}
}

func TestTooLarge(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "a.json"), make([]byte, 64<<10+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Read(t.Context(), "a"); !errors.Is(err, rotate.ErrCorrupt) {
		t.Errorf("Read: %v, want %v", err, rotate.ErrCorrupt)
	}
}

func TestFolderGone(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	c := claim(t, j)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	err := c.Write(t.Context(), startedRecord(""))
	if !errors.Is(err, rotate.ErrJournal) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Write: %v", err)
	}
	if _, err := j.Claim(t.Context(), "a", time.Hour); !errors.Is(err, rotate.ErrJournal) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Claim: %v", err)
	}
	release(t, c)
}
