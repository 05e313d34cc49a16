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
	path   string
	folder *os.File
}

// lock locks a client. leftover reports that a previous holder died, perhaps in the middle of a
// write.
func (j *Journal) lock(clientID string) (l *lock, leftover bool, err error) {
	l = &lock{path: j.path(clientID, lockSuffix)}
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
	l.client, leftover, err = atomicfile.TryLock(l.path)
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

// held makes sure that the claim is still exclusive. If the lock file was removed, another process
// may have claimed the client. If none has, the lock is taken again, and regained says so: one may
// have come and gone. Otherwise the error is rotate.ErrBusy.
func (l *lock) held() (regained bool, err error) {
	err = l.client.Check()
	if errors.Is(err, atomicfile.ErrLockLost) {
		var again *atomicfile.LockFile
		if again, _, err = atomicfile.TryLock(l.path); err == nil {
			_ = l.client.Unlock() // which removes nothing
			l.client, regained = again, true
		}
	}
	switch {
	case errors.Is(err, atomicfile.ErrLocked):
		return false, fmt.Errorf("%w: the lock file was removed, and another process claimed the client", rotate.ErrBusy)
	case err != nil:
		return false, failed(err)
	}
	return regained, nil
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
