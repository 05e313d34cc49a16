package filejournal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// lock is what makes a claim exclusive: the lock on the client's file, and a shared lock on the
// folder.
type lock struct {
	client *atomicfile.LockFile
	folder *os.File
}

// lock locks a client. leftover reports that a previous holder died, perhaps in the middle of a
// write.
func (j *Journal) lock(clientID string) (l *lock, leftover bool, err error) {
	l = &lock{}
	defer func() {
		if err != nil {
			_ = l.release()
		}
	}()
	// Version 1 locks the folder exclusively whenever it claims or writes. The shared lock keeps it
	// from doing so.
	if l.folder, err = os.Open(j.dir); err != nil {
		return l, false, failed(err)
	}
	alone, err := atomicfile.LockShared(l.folder)
	if err != nil {
		return l, false, failed(err)
	}
	if !alone {
		return l, false, fmt.Errorf("%w: version 1 of this package is using the folder: stop it", rotate.ErrBusy)
	}
	l.client, leftover, err = atomicfile.TryLock(j.path(clientID, lockSuffix))
	if errors.Is(err, atomicfile.ErrLocked) {
		return l, false, rotate.ErrBusy
	}
	if err != nil {
		return l, false, failed(err)
	}
	dead, err := removeLease(j.path(clientID, leaseSuffix))
	return l, leftover || dead, err
}

// removeLease removes the lease of a dead process with version 1. The lease of a living one is
// rotate.ErrBusy, also when its time is over.
func removeLease(path string) (found bool, err error) {
	file, err := atomicfile.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, failed(err)
	}
	defer func() { _ = file.Close() }()
	dead, err := atomicfile.Lock(file)
	if err == nil && dead {
		err = os.Remove(path)
	}
	switch {
	case err != nil:
		return false, failed(err)
	case !dead:
		return false, fmt.Errorf("%w: version 1 of this package has claimed the client", rotate.ErrBusy)
	}
	return true, nil
}

// held returns rotate.ErrBusy if the lock file was removed, so that another process may hold the
// client.
func (l *lock) held() error {
	err := l.client.Check()
	switch {
	case errors.Is(err, atomicfile.ErrLockLost):
		return fmt.Errorf("%w: %w", rotate.ErrBusy, err)
	case err != nil:
		return failed(err)
	}
	return nil
}

func (l *lock) release() error {
	var err error
	if l.client != nil {
		err = l.client.Unlock()
	}
	if l.folder != nil {
		_ = l.folder.Close() // releases its lock
	}
	if err != nil {
		return failed(err)
	}
	return nil
}
