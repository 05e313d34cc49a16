//go:build unix

package filejournal_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
)

func TestNewRefuses(t *testing.T) {
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
		"symlink":              {func(t *testing.T) string { return in(t, link) }, rotate.ErrJournal, "not a file or symlink"},
		"symlink with a slash": {func(t *testing.T) string { return in(t, link) + "/" }, rotate.ErrJournal, "not a file or symlink"},
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
			_, err := filejournal.New(test.dir(t), journalProject)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("%v, want %v, and %q in it", err, test.want, test.text)
			}
			if test.want != rotate.ErrInvalidArgument && !errors.Is(err, rotate.ErrJournal) {
				t.Errorf("%v, want %v", err, rotate.ErrJournal)
			}
		})
	}
}

// A record or lock file that is not a private regular file is an error, and is not changed.
func TestRefusesFiles(t *testing.T) {
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
			c := claim(t, j)
			if err := c.Write(t.Context(), startedRecord("")); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(c.Release(t.Context()), os.WriteFile(filepath.Join(dir, "a.lock"), nil, 0o600), spoil(t, filepath.Join(dir, "a.lock"))); err != nil {
				t.Fatal(err)
			}
			if _, err := j.Claim(t.Context(), "a", time.Hour); !errors.Is(err, rotate.ErrJournal) || !strings.Contains(err.Error(), "a.lock") {
				t.Errorf("Claim with a bad lock file: %v", err)
			}
			if err := errors.Join(os.RemoveAll(filepath.Join(dir, "a.lock")), spoil(t, filepath.Join(dir, "a.json"))); err != nil {
				t.Fatal(err)
			}
			if _, err := j.Read(t.Context(), "a"); !errors.Is(err, rotate.ErrJournal) || !strings.Contains(err.Error(), "a.json") {
				t.Errorf("Read of a bad record: %v", err)
			}
			if _, err := j.Claim(t.Context(), "a", time.Hour); !errors.Is(err, rotate.ErrJournal) || errors.Is(err, rotate.ErrBusy) {
				t.Errorf("Claim of a bad record: %v", err)
			}
		})
	}
}
