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
	"github.com/stytchkit/m2m/internal/credentials"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// previousSuffix makes the name of the copy that lies beside a file during a rotation.
const previousSuffix = ".previous"

// Files stores credentials in files that token.File reads. [File] and [Folder] make it.
//
// A file has mode 0600 and is replaced by renaming, after its content is on disk. An existing file
// must be a regular file of the user of this process that no one else may read. Symlinks are
// refused, and so is a folder in which every user may rename files. Members of others are kept.
// A file that is a mount point of its own, such as a bind mount, cannot be replaced: mount its
// folder. Local file systems on Unix are supported; network file systems are not, and on Windows
// each call is an error that wraps [errors.ErrUnsupported].
//
// While both secrets are accepted, the previous version of the file lies beside it, with
// ".previous" added to its name. If the new secret causes trouble, move that file back. A delivery
// without a previous secret removes it, because its secret is no longer accepted, or is the one in
// the file.
type Files struct {
	description
	what    string // File or Folder
	path    func(clientID string) (string, error)
	private bool // the folder is ours alone
	sweep   sync.Once
	seed    maphash.Seed
	locks   [64]sync.Mutex // by path
}

var (
	_ rotate.Deliverer = (*Files)(nil)
	_ rotate.Reader    = (*Files)(nil)
	_ rotate.Checker   = (*Files)(nil)
)

// File stores the credentials of one client in the file at path. Its folder must exist.
func File(path string) *Files {
	f := &Files{description: description("deliver.File(" + path + ")"), what: "File", seed: maphash.MakeSeed()}
	f.path = func(string) (string, error) {
		if path == "" {
			return "", invalid(f.what, "path must not be empty")
		}
		return filepath.Clean(path), nil
	}
	return f
}

// maxName is how long a file name may be. A bound in the pattern would be expensive: each program
// that links this package compiles it when it starts.
const maxName = 128

// safeName matches file names that have no meaning to shells and file systems, and are neither
// options nor hidden files.
var safeName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// Folder stores the credentials of many clients in dir, each in a file named <client id>.json. A
// missing folder is created with mode 0700; an existing one must be closed to other users. A client
// id must have 1 to 128 ASCII letters, digits, _, . and -, and must not begin with . or -. Any
// other id is [ErrInvalidArgument].
func Folder(dir string) *Files {
	f := &Files{description: description("deliver.Folder(" + dir + ")"), what: "Folder", private: true, seed: maphash.MakeSeed()}
	f.path = func(id string) (string, error) {
		if dir == "" {
			return "", invalid(f.what, "path must not be empty")
		}
		if len(id) > maxName || !safeName.MatchString(id) {
			return "", invalid(f.what, "client id %.256q cannot be a file name: it must be ASCII letters, digits and _.- only", id)
		}
		return filepath.Join(dir, id+".json"), nil
	}
	return f
}

// Deliver implements [rotate.Deliverer]. When it returns nil, the file and its name are on disk.
func (f *Files) Deliver(ctx context.Context, d rotate.Delivery) error {
	if err := checkDelivery(f.what, d); err != nil {
		return err
	}
	return f.at(ctx, d.ClientID, func(path string) error {
		if err := f.prepare(filepath.Dir(path)); err != nil {
			return err
		}
		return replace(path, d)
	})
}

// Check implements [rotate.Checker], with a temporary file beside the real one. A folder that does
// not exist fails.
func (f *Files) Check(ctx context.Context, clientID string) error {
	if err := checkClientID(f.what, clientID); err != nil {
		return err
	}
	return f.at(ctx, clientID, func(path string) error {
		if _, err := readFile(path, clientID); err != nil {
			return err
		}
		if err := f.prepare(filepath.Dir(path)); err != nil {
			return err
		}
		if err := atomicfile.CheckReplaceable(path); err != nil {
			return err
		}
		temp, err := atomicfile.Prepare(path, nil, 0o600)
		if err == nil {
			temp.Discard()
		}
		return err
	})
}

// at calls do with the path of the file, one call at a time for each path.
func (f *Files) at(ctx context.Context, clientID string, do func(path string) error) error {
	path, err := f.path(clientID)
	if err != nil {
		return err
	}
	lock := &f.locks[maphash.String(f.seed, path)%uint64(len(f.locks))]
	lock.Lock()
	defer lock.Unlock()
	err = ctx.Err() // a call whose caller has gone must not undo a later one
	if err == nil {
		err = do(path)
	}
	if err != nil {
		return fmt.Errorf("deliver: file %q: %w", path, err)
	}
	return nil
}

// Read implements [rotate.Reader]. A file that does not exist holds nothing; a folder that does not
// exist cannot be read.
func (f *Files) Read(_ context.Context, clientID string) (rotate.Delivery, error) {
	if err := checkClientID(f.what, clientID); err != nil {
		return rotate.Delivery{}, err
	}
	path, err := f.path(clientID)
	if err != nil {
		return rotate.Delivery{}, err
	}
	stored, err := readFile(path, clientID)
	if err != nil {
		return rotate.Delivery{}, fmt.Errorf("deliver: file %q: %w", path, err)
	}
	return deliveryOf(stored.held), nil
}

// prepare checks the folder, and removes what a process left that died while it wrote.
func (f *Files) prepare(dir string) error {
	if f.private {
		if err := atomicfile.Dir(dir); err != nil {
			return err
		}
	} else if err := atomicfile.CheckDir(dir); err != nil {
		return err
	}
	f.sweep.Do(func() { _ = atomicfile.Sweep(dir) }) // a remnant that stays is private and harmless
	return nil
}

// storedFile is the content of a file; the zero value if there is no file.
type storedFile struct {
	text   []byte
	object credentials.Object
	held   credentials.Credentials
}

func readFile(path, clientID string) (storedFile, error) {
	text, err := atomicfile.Read(path, credentials.MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = os.Stat(filepath.Dir(path)) // without its folder it is not known what the file would hold
		return storedFile{}, err
	}
	if err != nil {
		return storedFile{}, err
	}
	object, err := parseDocument(text)
	if err != nil {
		return storedFile{}, err
	}
	held, err := object.For(clientID)
	if err != nil {
		return storedFile{}, err
	}
	return storedFile{text, object, held}, nil
}

func replace(path string, d rotate.Delivery) error {
	stored, err := readFile(path, d.ClientID)
	if err != nil {
		return err
	}
	text, err := newDocument(stored.object, d)
	if err != nil {
		return err
	}
	keep, err := keepsPrevious(path+previousSuffix, stored.held, d)
	if err != nil {
		return err
	}
	// Write even if nothing changes: an earlier call may have died before its content was durable.
	if keep {
		err = replaceAndKeep(path, text, stored.text)
	} else {
		err = atomicfile.Write(path, text, 0o600)
	}
	if err != nil || !d.Previous.IsZero() {
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

// replaceAndKeep stores the previous text before the new one takes its place, and removes it if the
// new one cannot.
func replaceAndKeep(path string, text, previous []byte) error {
	next, err := atomicfile.Prepare(path, text, 0o600)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(path+previousSuffix, previous, 0o600); err != nil {
		next.Discard()
		return err
	}
	if err := next.Commit(); err != nil {
		if failed := new(os.LinkError); errors.As(err, &failed) { // path is unchanged
			_ = os.Remove(path + previousSuffix)
		}
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(path))
}

// keepsPrevious reports whether to copy the file that holds held to path before d replaces it. The
// copy is for going back: of several files in one rotation it is the one with the secret that is
// still accepted, or the first one if none has it.
func keepsPrevious(path string, held credentials.Credentials, d rotate.Delivery) (bool, error) {
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
