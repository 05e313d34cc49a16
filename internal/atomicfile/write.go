//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Write durably replaces the file at path by one with the given data and mode, whatever the umask.
// A symlink is replaced, not followed. After an error the file has either its old content or data.
// The folder must exist.
func Write(path string, data []byte, mode fs.FileMode) error {
	p, err := Prepare(path, data, mode)
	if err != nil {
		return err
	}
	if err := p.Commit(); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// Pending is a durable file that does not have its final name yet.
type Pending struct {
	temp *os.File // locked, so that Sweep leaves it alone while the process lives
	path string
}

// Prepare is the first half of [Write]: it stores data beside path, and does not change path.
func Prepare(path string, data []byte, mode fs.FileMode) (*Pending, error) {
	temp, err := create(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	p := &Pending{temp, path}
	if err := fill(temp, data, mode); err != nil {
		p.Discard()
		return nil, fmt.Errorf("writing %s: %w", path, err)
	}
	return p, nil
}

func fill(temp *os.File, data []byte, mode fs.FileMode) error {
	if err := reached("created"); err != nil {
		return err
	}
	if err := temp.Chmod(mode); err != nil {
		return err
	}
	if _, err := temp.Write(data); err != nil {
		return err
	}
	if err := reached("written"); err != nil {
		return err
	}
	if err := syncFile(temp); err != nil {
		return err
	}
	return reached("synced")
}

// Commit gives the file its final name. The name survives a crash of the machine only after
// [SyncDir]. If Commit fails the file is removed, unless the error is that of [Point] at "renamed".
func (p *Pending) Commit() error {
	if err := os.Rename(p.temp.Name(), p.path); err != nil {
		p.Discard()
		if errors.Is(err, syscall.EBUSY) {
			return mountPoint(p.path, err)
		}
		return err
	}
	_ = p.temp.Close() // its content was synced already
	return reached("renamed")
}

// CommitNew is [Pending.Commit] for a name that is not taken. Otherwise it changes nothing, and the
// error is [fs.ErrExist].
func (p *Pending) CommitNew() error {
	err := os.Link(p.temp.Name(), p.path)
	p.Discard() // the other name; the content was synced already
	return err
}

// mountPoint explains why the file at path cannot be replaced.
func mountPoint(path string, cause error) error {
	return fmt.Errorf("%s is a mount point of its own, so it cannot be replaced: mount its folder instead of the file: %w", path, cause)
}

// Discard removes the file instead of committing it.
func (p *Pending) Discard() {
	_ = os.Remove(p.temp.Name()) // Sweep finds it if this fails
	_ = p.temp.Close()
}

// SyncDir makes the names in a folder durable.
func SyncDir(path string) error {
	dir, err := os.Open(path) //nolint:gosec // the caller's folder
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	return syncFile(dir)
}

// Sweep removes the unfinished files of dead processes from a folder.
func Sweep(path string) error {
	dir, err := os.Open(path) //nolint:gosec // the caller's folder
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	for {
		entries, err := dir.ReadDir(256)
		for _, entry := range entries {
			if !strings.HasPrefix(entry.Name(), tempPrefix) || !entry.Type().IsRegular() {
				continue
			}
			if err := sweep(filepath.Join(path, entry.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// sweep removes a file unless it is locked.
func sweep(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0) //nolint:gosec // found in the caller's folder
	if errors.Is(err, fs.ErrPermission) && unfinished(path) {
		f, err = os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0) //nolint:gosec // as above
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if locked, err := Lock(f); err != nil || !locked {
		return err
	}
	return os.Remove(path) //nolint:gosec // as above
}

// create makes an empty file that [Sweep] leaves alone while this process lives.
func create(dir string) (*os.File, error) {
	for {
		path := filepath.Join(dir, tempPrefix+rand.Text())
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600) //nolint:gosec // in the caller's folder
		if err != nil {
			return nil, err
		}
		err = f.Chmod(0o600) // whatever the umask
		var locked bool
		if err == nil {
			locked, err = Lock(f)
		}
		if err == nil && locked {
			var info fs.FileInfo
			if info, err = f.Stat(); err == nil && info.Sys().(*syscall.Stat_t).Nlink > 0 {
				return f, nil
			}
		}
		_ = os.Remove(path)
		_ = f.Close()
		if err != nil {
			return nil, err
		}
		// A Sweep removed the file before it was locked.
	}
}
