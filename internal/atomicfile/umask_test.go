//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stytchkit/m2m/internal/atomicfile"
)

// The umask takes no right away from the files and folders of this process.
func TestUmask(t *testing.T) {
	dir := t.TempDir()
	defer syscall.Umask(syscall.Umask(0o777)) // tests that run meanwhile would be disturbed, so this is not parallel
	folder := filepath.Join(dir, "folder")
	if err := atomicfile.Dir(folder); err != nil {
		t.Fatal(err)
	}
	written, locked := filepath.Join(folder, "written"), filepath.Join(folder, "locked")
	if err := atomicfile.Write(written, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	lock, _, err := atomicfile.TryLock(locked)
	if err != nil {
		t.Fatal(err)
	}
	pending, err := atomicfile.Prepare(filepath.Join(folder, "pending"), nil, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 3 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for path, want := range map[string]fs.FileMode{folder: 0o700, written: 0o600, locked: 0o600, filepath.Join(folder, entries[0].Name()): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v; %v", path, info.Mode(), want, err)
		}
	}
	pending.Discard()
	if err := lock.Unlock(); err != nil {
		t.Error(err)
	}
}

// A lock file or an unfinished file of mode 000, whose process died before it gave it another mode,
// is in no one's way.
func TestModeZero(t *testing.T) {
	dir := t.TempDir()
	left, lock := filepath.Join(dir, ".unfinished-1"), filepath.Join(dir, "lock")
	for _, path := range []string{left, lock} {
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if err := atomicfile.Sweep(dir); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the unfinished file: %v", err)
	}
	held, _, err := atomicfile.TryLock(lock)
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Unlock(); err != nil {
		t.Error(err)
	}
}

// CommitNew replaces nothing.
func TestCommitNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "name")
	for i, content := range []string{"first", "second"} {
		p, err := atomicfile.Prepare(path, []byte(content), 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.CommitNew(); errors.Is(err, fs.ErrExist) != (i > 0) || i == 0 && err != nil {
			t.Errorf("CommitNew of the %s: %v", content, err)
		}
	}
	data, err := os.ReadFile(path)
	if entries, _ := os.ReadDir(filepath.Dir(path)); err != nil || string(data) != "first" || len(entries) != 1 {
		t.Errorf("%q, %d files, %v", data, len(entries), err)
	}
}
