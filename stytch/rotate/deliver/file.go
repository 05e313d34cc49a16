package deliver

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// previousSuffix is added to the name of a file for the one that it replaced.
const previousSuffix = ".previous"

// Files keeps credentials in files that token.File reads. [File] and [Folder] make them.
//
// A file has mode 0600 and is replaced by renaming, after it is on the disk. What is there must be a regular file of the user
// of this process that nobody else may read, or absent. Symlinks are refused, and so are folders in which anybody may rename.
// Members that are not ours are kept. Local file systems of Unix systems are covered, network file systems are not.
//
// While both secrets are accepted, the file as it was before lies beside it under the same name with ".previous" at its end:
// if the new secret makes trouble, move it back. Each delivery without a previous secret removes it, since what it holds is
// about to be refused, or is what the file holds.
type Files struct {
	place
	path    func(clientID string) (string, error)
	private bool // the folder is ours alone
	sweep   sync.Once
	seed    maphash.Seed
	locks   [64]sync.Mutex // by path
}

var (
	_ rotate.Deliverer = (*Files)(nil)
	_ rotate.Reader    = (*Files)(nil)
)

// File keeps the credentials of one client at path, whose folder must exist.
func File(path string) *Files {
	return &Files{place: place("deliver.File(" + path + ")"), seed: maphash.MakeSeed(), path: func(string) (string, error) {
		if path == "" {
			return "", wrong(rotate.ErrInvalidArgument, "File: path must not be empty")
		}
		return filepath.Clean(path), nil
	}}
}

// safeName is for file names that mean nothing to shells and file systems, and never begin like an option or a hidden file.
var safeName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

// Folder keeps the credentials of many clients in dir, each in a file named as its client id with ".json" at its end. The folder
// is made with mode 0700 if it is absent; if not, only the user of this process may have rights on it. Client ids that are
// not of 1 to 128 ASCII letters, digits and _.- or begin with one of the last two are [rotate.ErrInvalidArgument].
func Folder(dir string) *Files {
	return &Files{place: place("deliver.Folder(" + dir + ")"), seed: maphash.MakeSeed(), private: true, path: func(id string) (string, error) {
		if dir == "" {
			return "", wrong(rotate.ErrInvalidArgument, "Folder: path must not be empty")
		}
		if !safeName.MatchString(id) {
			return "", wrong(rotate.ErrInvalidArgument, "client id %.256q is not safe as the name of a file", id)
		}
		return filepath.Join(dir, id+".json"), nil
	}}
}

// Deliver implements [rotate.Deliverer]. What it is told is on the disk, file and folder, when it returns nil.
func (f *Files) Deliver(ctx context.Context, d rotate.Delivery) error {
	if err := check(d); err != nil {
		return err
	}
	path, err := f.path(d.ClientID)
	if err != nil {
		return err
	}
	lock := &f.locks[maphash.String(f.seed, path)%uint64(len(f.locks))]
	lock.Lock()
	defer lock.Unlock()
	if err := ctx.Err(); err != nil { // a call that nobody waits for must not undo a later one
		return fmt.Errorf("deliver: file %s: %w", path, err)
	}
	if err := f.prepare(filepath.Dir(path)); err != nil {
		return fmt.Errorf("deliver: file %s: %w", path, err)
	}
	if err := replace(path, d); err != nil {
		return fmt.Errorf("deliver: %w", err)
	}
	return nil
}

// Read implements [rotate.Reader].
func (f *Files) Read(_ context.Context, clientID string) (rotate.Delivery, error) {
	if err := checkID(clientID); err != nil {
		return rotate.Delivery{}, err
	}
	path, err := f.path(clientID)
	if err != nil {
		return rotate.Delivery{}, err
	}
	_, _, held, err := read(path, clientID)
	if err != nil {
		return rotate.Delivery{}, fmt.Errorf("deliver: %w", err)
	}
	return held, nil
}

func (f *Files) prepare(dir string) error {
	if f.private {
		if err := atomicfile.Dir(dir); err != nil {
			return err
		}
	} else if info, err := os.Stat(dir); err != nil {
		return err
	} else if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("in %s anybody may rename files: %w", dir, fs.ErrPermission)
	}
	f.sweep.Do(func() { _ = atomicfile.Sweep(dir) }) // what it cannot remove is private, and in nobody's way
	return nil
}

// read is what a file holds, in three forms. If it is absent all are zero.
func read(path, clientID string) (data []byte, o object, held rotate.Delivery, err error) {
	data, err = atomicfile.Read(path, maxForm)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, rotate.Delivery{}, nil
	}
	if err != nil {
		return nil, nil, rotate.Delivery{}, err
	}
	if o, err = parseForm(data); err == nil {
		held, err = heldFor(clientID, o)
	}
	if err != nil {
		return nil, nil, rotate.Delivery{}, fmt.Errorf("file %s: %w", path, err)
	}
	return data, o, held, nil
}

func replace(path string, d rotate.Delivery) error {
	before, o, held, err := read(path, d.ClientID)
	if err != nil {
		return err
	}
	data, err := filledForm(o, d)
	if err != nil {
		return fmt.Errorf("file %s: %w", path, err)
	}
	keep, err := worthKeeping(path+previousSuffix, held, d)
	if err != nil {
		return err
	}
	if keep {
		if err := atomicfile.Write(path+previousSuffix, before, 0o600); err != nil {
			return err
		}
	}
	// Even if nothing changes: an earlier call may have died before its content was sure to survive.
	if err := atomicfile.Write(path, data, 0o600); err != nil || !d.Previous.IsZero() {
		return err
	}
	err = os.Remove(path + previousSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(path))
}

// worthKeeping reports whether a file that holds held helps whoever has to go back to the time before d. If several are
// replaced in one rotation that is the one with the secret that is still accepted, and the first one if none has it.
func worthKeeping(path string, held, d rotate.Delivery) (bool, error) {
	if d.Previous.IsZero() || held.Secret.IsZero() || held.Secret.Equal(d.Secret) {
		return false, nil
	}
	if held.Secret.Equal(d.Previous) {
		return true, nil
	}
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return false, err
}
