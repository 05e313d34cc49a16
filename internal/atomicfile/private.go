//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Dir creates a private folder with mode 0700 at path. If something is there already it must be a
// folder and not a symlink, belong to the effective user, and give no one else any right. The
// parent must exist.
func Dir(path string) error {
	path = filepath.Clean(path) // a trailing slash would follow a symlink
	err := os.Mkdir(path, 0o700)
	if err == nil {
		err = errors.Join(os.Chmod(path, 0o700), SyncDir(filepath.Dir(path))) //nolint:gosec // a folder; whatever the umask
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s must be a folder, not a file or symlink", path)
	}
	return private(path, info)
}

// CheckDir refuses a folder in which every user may replace files, and one that does not exist.
func CheckDir(path string) error {
	info, err := os.Stat(path) //nolint:gosec // the caller's folder
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s must be a folder", path)
	}
	if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("every user may rename files in folder %q: %w: run chmod o-w on it", path, fs.ErrPermission)
	}
	return nil
}

// Read returns the content of a private file (see [Open]). A file of more than limit bytes is
// [ErrTooLarge].
func Read(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: %w: more than %d bytes", path, ErrTooLarge, limit)
	}
	return data, nil
}

// Open opens a private file for reading: a regular file that belongs to the effective user and
// gives no one else any right. A missing file is [fs.ErrNotExist].
func Open(path string) (*os.File, error) {
	// With O_NONBLOCK, opening a pipe does not wait for a writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0) //nolint:gosec // the caller's file
	if isSymlink(err) {
		return nil, fmt.Errorf("%s must not be a symlink: %w", path, err)
	}
	if err != nil {
		return nil, err
	}
	if err := check(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func check(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s must be a regular file", f.Name())
	}
	return private(f.Name(), info)
}

// isSymlink reports whether O_NOFOLLOW made an open fail.
func isSymlink(err error) bool {
	return errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.EMLINK) // EMLINK on FreeBSD and DragonFly
}

func private(path string, info fs.FileInfo) error {
	if owner := int64(info.Sys().(*syscall.Stat_t).Uid); owner != int64(os.Geteuid()) {
		return fmt.Errorf("%s belongs to user %d, not to the user of this process: %w", path, owner, fs.ErrPermission)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s has mode %04o, but only its owner may have rights: %w", path, mode, fs.ErrPermission)
	}
	return nil
}
