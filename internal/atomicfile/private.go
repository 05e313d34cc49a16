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

// Dir makes sure that there is a private folder at path: it creates one with mode 0700, or checks that what is there is a
// folder and no symlink, belongs to the effective user and gives nobody else any right. The parent must exist.
func Dir(path string) error {
	path = filepath.Clean(path) // with a slash at its end a symlink would be followed
	err := os.Mkdir(path, 0o700)
	if err == nil {
		err = SyncDir(filepath.Dir(path))
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s must be a folder, and no symlink", path)
	}
	return private(path, info)
}

// ErrTooLarge is a file that is larger than the reader's limit.
var ErrTooLarge = errors.New("the file is too large")

// Read returns the content of a private file, see [Open], of at most limit bytes. More is [ErrTooLarge].
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

// Open opens a private file for reading: a regular one and no symlink, which belongs to the effective user and gives nobody
// else any right. An absent file is [fs.ErrNotExist].
func Open(path string) (*os.File, error) {
	// O_NONBLOCK so that a pipe is refused instead of waited for.
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

// isSymlink reports whether O_NOFOLLOW is why a file was not opened.
func isSymlink(err error) bool {
	return errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.EMLINK) // the latter on FreeBSD and DragonFly
}

func private(path string, info fs.FileInfo) error {
	if owner := int64(info.Sys().(*syscall.Stat_t).Uid); owner != int64(os.Geteuid()) {
		return fmt.Errorf("%s belongs to user %d, not to the one of this process: %w", path, owner, fs.ErrPermission)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s has mode %04o: only its owner may have rights: %w", path, mode, fs.ErrPermission)
	}
	return nil
}
