package rotate

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/stytchkit/m2m/internal/atomicfile"
)

// lease is the file that shows that a client is claimed. Its modification time is when it expires. It is locked while it is
// held, and the kernel ends the lock with the process, so nobody has to find out which processes live; the content
// is for people. Who holds it is who has this very file open: a successor's is another file under the same name.
//
// All functions here are called under the guard.
type lease struct {
	file *os.File
	path string
	ends time.Time // not before then does it expire
}

// vacate makes room for a lease, and reports whether one was left behind. It is ErrBusy if that is held. settle is called
// before anything shows that nobody is at work any more.
func vacate(path string, settle func() error) (found bool, err error) {
	file, err := atomicfile.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, because(ErrJournal, err)
	}
	defer func() { _ = file.Close() }()
	abandoned, err := atomicfile.Lock(file)
	if err != nil {
		return false, because(ErrJournal, err)
	}
	info, err := file.Stat()
	if err != nil {
		return false, because(ErrJournal, err)
	}
	if !abandoned && time.Now().Before(info.ModTime()) {
		return false, ErrBusy
	}
	if err := settle(); err != nil {
		return false, because(ErrJournal, err)
	}
	if err := os.Remove(path); err != nil {
		return false, because(ErrJournal, err)
	}
	return true, nil
}

// newLease makes a lease where none is.
func newLease(path string, life time.Duration) (*lease, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // in the journal's folder
	if err != nil {
		return nil, because(ErrJournal, err)
	}
	l := &lease{file: file, path: path}
	if err := l.fill(life); err != nil {
		_ = os.Remove(path) // otherwise it is found unlocked, which is as good
		l.abandon()
		return nil, because(ErrJournal, err)
	}
	return l, nil
}

func (l *lease) fill(life time.Duration) error {
	if locked, err := atomicfile.Lock(l.file); err != nil || !locked {
		return errors.Join(err, errors.New("a new lease cannot be locked"))
	}
	host, _ := os.Hostname()
	content, err := json.Marshal(struct {
		PID   int       `json:"pid"`
		Host  string    `json:"host"`
		Since time.Time `json:"since"`
	}{os.Getpid(), host, time.Now().UTC()})
	if err != nil {
		return err
	}
	if _, err := l.file.Write(append(content, '\n')); err != nil {
		return err
	}
	return l.setEnd(time.Now().Add(life))
}

// extend makes the lease last for life from now on, or a little longer: then most extensions need not touch the disk, which
// has enough to do with the records. It is ErrBusy if it is no longer this one that is there.
func (l *lease) extend(life time.Duration) error {
	if err := l.held(); err != nil {
		return err
	}
	now := time.Now()
	if !l.ends.Before(now.Add(life)) {
		return nil
	}
	if err := l.setEnd(now.Add(life + life/4)); err != nil {
		return because(ErrJournal, err)
	}
	return nil
}

func (l *lease) setEnd(ends time.Time) error {
	l.ends = ends.Round(0) // the wall clock is what others go by
	return os.Chtimes(l.path, time.Time{}, ends)
}

// remove ends the lease. It is ErrBusy if it is no longer this one that is there.
func (l *lease) remove() error {
	if err := l.held(); err != nil {
		return err
	}
	if err := os.Remove(l.path); err != nil {
		return because(ErrJournal, err)
	}
	return nil
}

func (l *lease) held() error {
	ours, err := l.file.Stat()
	if err != nil {
		return because(ErrJournal, err)
	}
	there, err := os.Lstat(l.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(ours, there) {
		return wrong(ErrBusy, "the claim expired and was taken over")
	}
	if err != nil {
		return because(ErrJournal, err)
	}
	return nil
}

// abandon ends the lock.
func (l *lease) abandon() { _ = l.file.Close() }
