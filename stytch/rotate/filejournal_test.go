//go:build unix

package rotate_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/journaltest"
	"github.com/stytchkit/m2m/stytch/secret"
)

const journalProject = "project-test-1"

func journalDir(t testing.TB) string { return filepath.Join(t.TempDir(), "journal") }

func openJournal(t testing.TB, dir string, keys ...secret.String) *rotate.FileJournal {
	t.Helper()
	j, err := rotate.NewFileJournal(dir, journalProject, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func claimFor(t testing.TB, j rotate.Journal, life time.Duration) rotate.Claim {
	t.Helper()
	c, err := j.Claim(t.Context(), "a", life)
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

// filesIn is the names of the files in a folder, their contents in one, and every mode that is not private.
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
		names, all = append(names, entry.Name()), append(all, data...)
	}
	return names, all
}

func TestFileJournal(t *testing.T) {
	for name, keys := range map[string][]secret.String{"clear": nil, "sealed": {secret.Generate()}} {
		t.Run(name, func(t *testing.T) {
			journaltest.Run(t, func(t *testing.T) journaltest.Storage {
				dir := journalDir(t)
				return journaltest.Storage{
					Open: func(t *testing.T) rotate.Journal { return openJournal(t, dir, keys...) },
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

// The secrets of a rotation under way are where they belong: readable without a key, and nowhere with one.
func TestFileJournalSealed(t *testing.T) {
	for _, keys := range [][]secret.String{nil, {secret.Generate()}} {
		dir := journalDir(t)
		c := claimFor(t, openJournal(t, dir, keys...), time.Hour)
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

func TestFileJournalFiles(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	info, err := os.Stat(dir)
	if err != nil || info.Mode() != fs.ModeDir|0o700 {
		t.Fatalf("the folder has mode %v, %v", info.Mode(), err)
	}
	c := claimFor(t, j, time.Minute)
	expires := func() time.Time {
		info, err := os.Stat(filepath.Join(dir, "a.lease"))
		if err != nil {
			t.Fatal(err)
		}
		return info.ModTime()
	}
	before := expires()
	if err := c.Write(t.Context(), startedRecord("")); err != nil {
		t.Fatal(err)
	}
	if !expires().After(before) {
		t.Error("Write does not extend the claim")
	}
	if names, _ := filesIn(t, dir); fmt.Sprint(names) != "[a.json a.lease]" {
		t.Errorf("files while claimed: %q", names)
	}
	if err := c.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names, _ := filesIn(t, dir); fmt.Sprint(names) != "[a.json]" {
		t.Errorf("files after the release: %q", names)
	}
}

// File names are no way to get at another client's record: not by a name that looks like a hash, not where case does not count.
func TestFileJournalNames(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte("A")))
	ids := []string{"A", "a", sum, "_" + sum, "a.json", ".guard", "../a", strings.Repeat("a", 128), strings.Repeat("a", 129), strings.Repeat("a", 256)}
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
			t.Errorf("not every file system or shell likes %q", name)
		}
		folded[strings.ToLower(name)] = true
	}
	if len(folded) != 2*len(ids) { // records and leases
		t.Errorf("%d files for %d clients: %q", len(folded), len(ids), names)
	}
}

// A record that was moved to another client's name, or another project, must not be mistaken for it.
func TestFileJournalMoved(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	c := claimFor(t, j, time.Hour)
	if err := errors.Join(c.Write(t.Context(), startedRecord("")), c.Release(t.Context())); err != nil {
		t.Fatal(err)
	}
	other, err := rotate.NewFileJournal(dir, "project-test-2")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Read(t.Context(), "a"); !errors.Is(err, rotate.ErrOtherProject) || !strings.Contains(err.Error(), "a.json") {
		t.Errorf("Read in another project: %v", err)
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

func TestNewFileJournalRefuses(t *testing.T) {
	in := func(t *testing.T, build func(path string) error) string {
		path := journalDir(t)
		if err := build(path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := func(path string) error {
		return errors.Join(os.Mkdir(path+"-real", 0o700), os.Symlink(path+"-real", path))
	}
	for name, test := range map[string]struct {
		dir  func(t *testing.T) string
		want error
		text string
	}{
		"no folder": {func(*testing.T) string { return "" }, rotate.ErrInvalidArgument, "empty"},
		"no parent": {func(t *testing.T) string { return journalDir(t) + "/below" }, fs.ErrNotExist, "below"},
		"file":      {func(t *testing.T) string { return in(t, func(p string) error { return os.WriteFile(p, nil, 0o600) }) }, rotate.ErrJournal, "must be a folder"},
		"file in place of a parent": {func(t *testing.T) string {
			return in(t, func(p string) error { return os.WriteFile(p, nil, 0o600) }) + "/below"
		}, syscall.ENOTDIR, "below"},
		"symlink":              {func(t *testing.T) string { return in(t, link) }, rotate.ErrJournal, "no symlink"},
		"symlink with a slash": {func(t *testing.T) string { return in(t, link) + "/" }, rotate.ErrJournal, "no symlink"},
		"group may read": {func(t *testing.T) string {
			return in(t, func(p string) error { return errors.Join(os.Mkdir(p, 0o700), os.Chmod(p, 0o740)) })
		}, fs.ErrPermission, "0740"},
		"others may list": {func(t *testing.T) string {
			return in(t, func(p string) error { return errors.Join(os.Mkdir(p, 0o700), os.Chmod(p, 0o701)) })
		}, fs.ErrPermission, "0701"},
		"foreign": {func(t *testing.T) string {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a folder away")
			}
			return in(t, func(p string) error { return errors.Join(os.Mkdir(p, 0o700), os.Chown(p, 12345, -1)) })
		}, fs.ErrPermission, "12345"},
		"parent without rights": {func(t *testing.T) string {
			if os.Geteuid() == 0 {
				t.Skip("root may write everywhere")
			}
			path := journalDir(t)
			if err := os.Chmod(filepath.Dir(path), 0o500); err != nil {
				t.Fatal(err)
			}
			return path
		}, fs.ErrPermission, "journal"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rotate.NewFileJournal(test.dir(t), journalProject)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("%v, want %v, and %q in it", err, test.want, test.text)
			}
			if test.want != rotate.ErrInvalidArgument && !errors.Is(err, rotate.ErrJournal) {
				t.Errorf("%v, want %v", err, rotate.ErrJournal)
			}
		})
	}
}

// What is in the place of a record or a lease and is no private file is an error, and is left as it is.
func TestFileJournalRefusesFiles(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, path string) error{
		"symlink": func(_ *testing.T, path string) error {
			return errors.Join(os.Rename(path, path+"-real"), os.Symlink(path+"-real", path))
		},
		"group may read":   func(_ *testing.T, path string) error { return os.Chmod(path, 0o640) },
		"others may write": func(_ *testing.T, path string) error { return os.Chmod(path, 0o602) },
		"folder":           func(_ *testing.T, path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"pipe": func(_ *testing.T, path string) error {
			return errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600))
		},
		"foreign": func(t *testing.T, path string) error {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a file away")
			}
			return os.Chown(path, 12345, -1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := journalDir(t)
			j := openJournal(t, dir)
			c := claimFor(t, j, time.Hour)
			if err := c.Write(t.Context(), startedRecord("")); err != nil {
				t.Fatal(err)
			}
			if err := spoil(t, filepath.Join(dir, "a.lease")); err != nil {
				t.Fatal(err)
			}
			if _, err := j.Claim(t.Context(), "a", time.Hour); !errors.Is(err, rotate.ErrJournal) || !strings.Contains(err.Error(), "a.lease") {
				t.Errorf("Claim with a spoilt lease: %v", err)
			}
			if err := errors.Join(os.RemoveAll(filepath.Join(dir, "a.lease")), spoil(t, filepath.Join(dir, "a.json"))); err != nil {
				t.Fatal(err)
			}
			if _, err := j.Read(t.Context(), "a"); !errors.Is(err, rotate.ErrJournal) || !strings.Contains(err.Error(), "a.json") {
				t.Errorf("Read of a spoilt record: %v", err)
			}
			if _, err := j.Claim(t.Context(), "a", time.Hour); !errors.Is(err, rotate.ErrJournal) || errors.Is(err, rotate.ErrBusy) {
				t.Errorf("Claim of a spoilt record: %v", err)
			}
		})
	}
}

func TestFileJournalTooLarge(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "a.json"), make([]byte, 64<<10+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Read(t.Context(), "a"); !errors.Is(err, rotate.ErrCorrupt) {
		t.Errorf("Read: %v, want %v", err, rotate.ErrCorrupt)
	}
}

func TestFileJournalFolderGone(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	c := claimFor(t, j, time.Hour)
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
	if err := c.Release(t.Context()); !errors.Is(err, rotate.ErrJournal) {
		t.Errorf("Release: %v", err)
	}
}

// A full disk leaves the former record, no rubbish, and a claim that can go on when there is room again.
func TestFileJournalFullDisk(t *testing.T) {
	for _, point := range []string{"created", "written", "synced", "renamed"} {
		t.Run(point, func(t *testing.T) {
			dir := journalDir(t)
			j := openJournal(t, dir)
			c := claimFor(t, j, time.Hour)
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
			if names, _ := filesIn(t, dir); fmt.Sprint(names) != "[a.json a.lease]" {
				t.Errorf("files after the failure: %q", names)
			}
			atomicfile.Point = nil
			if err := errors.Join(c.Write(t.Context(), startedRecord("room")), c.Release(t.Context())); err != nil {
				t.Error(err)
			}
			if names, _ := filesIn(t, dir); fmt.Sprint(names) != "[a.json]" {
				t.Errorf("files at the end: %q", names)
			}
		})
	}
}

// Whoever claims after a write that failed at its very end makes the record durable before it shows it: the lease tells.
func TestFileJournalUnsynced(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	c := claimFor(t, j, time.Hour)
	atomicfile.Point = func(name string) error {
		if name == "renamed" {
			return syscall.EIO
		}
		return nil
	}
	defer func() { atomicfile.Point = nil }()
	if err := c.Write(t.Context(), startedRecord("")); !errors.Is(err, syscall.EIO) {
		t.Fatalf("Write: %v", err)
	}
	if err := c.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names, _ := filesIn(t, dir); fmt.Sprint(names) != "[a.json a.lease]" {
		t.Errorf("files: %q, want the lease to stay behind", names)
	}
	next := claimFor(t, j, time.Hour)
	if next.Record().State != rotate.Started {
		t.Errorf("claimed a record that is %q", next.Record().State)
	}
	if err := next.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names, _ := filesIn(t, dir); fmt.Sprint(names) != "[a.json]" {
		t.Errorf("files: %q", names)
	}
}

// TestFileJournalTakeOverSweeps removes what a process left that was killed while it wrote, also in a journal that is open
// for long.
func TestFileJournalTakeOverSweeps(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	for name, content := range map[string]string{".unfinished-KILLED": "a secret", "a.lease": "{}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := claimFor(t, j, time.Hour)
	if names, _ := filesIn(t, dir); fmt.Sprint(names) != "[a.lease]" {
		t.Errorf("files: %q", names)
	}
	if err := c.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}
