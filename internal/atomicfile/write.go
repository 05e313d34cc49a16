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

// tempPrefix marks files that are not finished. Their name says nothing of the file they become, so its length does not matter.
const tempPrefix = ".unfinished-"

// Write makes the file at path hold data, durably, with the given mode whatever the umask. A file or symlink that is there is
// replaced, not followed. Once an error is returned the file holds either its former content or data. The folder must exist.
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

// Pending is content that is durable, but not yet under its name.
type Pending struct {
	temp *os.File // locked as long as its process lives
	path string
}

// Prepare is the first half of [Write]: it stores data in the folder of path, and leaves path as it is.
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
	if err := temp.Sync(); err != nil {
		return err
	}
	return reached("synced")
}

// Commit gives the content its name. It survives a crash of the machine only after [SyncDir]. If Commit fails the content is
// gone, unless the cause is an error of [Point] at "renamed".
func (p *Pending) Commit() error {
	if err := os.Rename(p.temp.Name(), p.path); err != nil {
		p.Discard()
		return err
	}
	_ = p.temp.Close() // everything in it is on the disk already
	return reached("renamed")
}

// Discard removes the content instead. It is not for what was committed.
func (p *Pending) Discard() {
	_ = os.Remove(p.temp.Name()) // what stays is found by Sweep
	_ = p.temp.Close()
}

// SyncDir makes the names in a folder durable.
func SyncDir(path string) error {
	dir, err := os.Open(path) //nolint:gosec // the caller's folder
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	return dir.Sync()
}

// Sweep removes what dead processes left unfinished in a folder.
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

// sweep removes a file that nobody has locked.
func sweep(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0) //nolint:gosec // found in the caller's folder
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if locked, err := Lock(f); err != nil || !locked {
		return err
	}
	return os.Remove(path)
}

// create makes an empty file that [Sweep] leaves alone while this process lives.
func create(dir string) (*os.File, error) {
	for {
		path := filepath.Join(dir, tempPrefix+rand.Text())
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600) //nolint:gosec // in the caller's folder
		if err != nil {
			return nil, err
		}
		locked, err := Lock(f)
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
		// Sweep came between creating and locking.
	}
}
