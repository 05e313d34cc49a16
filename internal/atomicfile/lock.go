//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Lock takes an exclusive lock on the open file f, until f is closed or the process ends. It does
// not wait: it reports false if another open file has a lock.
func Lock(f *os.File) (bool, error) { return flock(f, syscall.LOCK_EX) }

// LockShared takes a lock on the open file f that excludes exclusive locks only.
func LockShared(f *os.File) (bool, error) { return flock(f, syscall.LOCK_SH) }

func flock(f *os.File, how int) (bool, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return false, err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		for {
			failed = syscall.Flock(int(fd), how|syscall.LOCK_NB)
			if !errors.Is(failed, syscall.EINTR) {
				return
			}
		}
	}); err != nil {
		return false, err
	}
	if errors.Is(failed, syscall.EWOULDBLOCK) {
		return false, nil
	}
	if failed != nil {
		return false, &fs.PathError{Op: "flock", Path: f.Name(), Err: failed}
	}
	return true, nil
}
