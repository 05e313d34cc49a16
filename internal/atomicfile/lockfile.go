//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// LockFile is an exclusive lock on a name: one process has it, and the kernel ends it with the
// process. The file under the name exists while the lock is held, or after a holder died.
type LockFile struct {
	file *os.File
	path string
}

// TryLock takes the lock at path, creating the file if necessary. It does not wait: if the lock is
// held it returns [ErrLocked]. leftover reports that a previous holder died without releasing it.
func TryLock(path string) (lock *LockFile, leftover bool, err error) {
	for {
		file, leftover, err := openLock(path)
		if err != nil {
			return nil, false, err
		}
		lock := &LockFile{file, path}
		locked, err := Lock(file)
		if err == nil && !locked {
			err = ErrLocked
		}
		if err == nil {
			err = lock.Check()
		}
		if err == nil {
			return lock, leftover, nil
		}
		_ = file.Close()
		if !errors.Is(err, ErrLockLost) {
			return nil, false, err
		}
		// The holder removed the file after it was opened here, so this lock guards nothing.
	}
}

// openLock creates the file at path, or opens the one that is there.
func openLock(path string) (file *os.File, exists bool, err error) {
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600) //nolint:gosec // the caller's file
		if err == nil {
			if err = file.Chmod(0o600); err != nil { // whatever the umask
				_ = os.Remove(path) //nolint:gosec // created here
				_ = file.Close()
				return nil, false, err
			}
		}
		if !errors.Is(err, fs.ErrExist) {
			return file, false, err
		}
		file, err = Open(path)
		if errors.Is(err, fs.ErrPermission) && unfinished(path) {
			file, err = Open(path)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return file, true, err
		}
	}
}

// unfinished gives a file of mode 000 the mode that it was meant to have, and reports whether it
// was one: the process that created it under a strict umask died before it could.
func unfinished(path string) bool {
	info, err := os.Lstat(path)                                           //nolint:gosec // the caller's file
	return err == nil && info.Mode() == 0 && os.Chmod(path, 0o600) == nil //nolint:gosec // as above
}

// Check returns [ErrLockLost] if the name no longer leads to the locked file: then another process
// may have the lock.
func (l *LockFile) Check() error {
	ours, err := l.file.Stat()
	if err != nil {
		return err
	}
	there, err := os.Lstat(l.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(ours, there) {
		return ErrLockLost
	}
	return err
}

// Unlock removes the file and releases the lock. If the file cannot be removed the lock is released
// all the same.
func (l *LockFile) Unlock() error {
	err := l.Check()
	if err == nil {
		err = os.Remove(l.path)
	}
	_ = l.file.Close()
	if errors.Is(err, ErrLockLost) {
		return nil
	}
	return err
}
