package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Why a file cannot be used, for errors.Is. The file is left as it is.
var (
	ErrInUse      = errors.New("store: in use")
	ErrNewer      = errors.New("store: newer version")
	ErrUnreadable = errors.New("store: unreadable") // damaged, or no data file at all
	ErrExposed    = errors.New("store: readable by others")
)

// format is the version of the layout. That of the records is a record of the emulator.
const format = "stytch-emulator 1"

var (
	recordsBucket  = []byte("records")
	settingsBucket = []byte("settings")
	formatKey      = []byte("format")
)

// Open opens the data file of an emulator, or creates it. It fails at once if another process has
// it open.
func Open(path string) (*Store, error) {
	if err := create(path); err != nil {
		return nil, fmt.Errorf("store: create %s: %w", path, err)
	}
	db, err := openFile(path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, db: db, ended: make(chan struct{})}
	s.wake.L = &s.mu
	go s.write()
	return s, nil
}

// create makes an empty data file if there is none. It appears whole: a file that a crash cut short
// would look like a damaged one.
func create(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // 0600
	if err != nil {
		return err
	}
	name := temporary.Name()
	defer func() { _ = os.Remove(name) }()
	if err := temporary.Close(); err != nil {
		return err
	}
	db, err := bbolt.Open(name, 0o600, nil)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucket(recordsBucket); err != nil {
			return err
		}
		settings, err := tx.CreateBucket(settingsBucket)
		if err != nil {
			return err
		}
		return settings.Put(formatKey, seal([]byte(format)))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := os.Link(name, path); errors.Is(err, fs.ErrExist) {
		return nil // another process was faster: open its file
	} else if err != nil {
		return os.Rename(name, path) // no hard links here
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // it does not sync folders
	}
	d, err := os.Open(dir) //nolint:gosec // the folder of the data file
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// openFile opens an existing file and checks that it is ours and whole. Until that is known,
// nothing is written.
func openFile(path string) (db *bbolt.DB, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("store: open: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: %s is not a file: give another path", ErrUnreadable, path)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%w: %s holds private keys, and others can read it: run chmod 600 on it", ErrExposed, path)
	case info.Size() == 0:
		return nil, unreadable(path, errors.New("it is empty")) // bbolt would make a new one of it
	}
	var file *os.File // to close after a panic of bbolt
	options := &bbolt.Options{
		Timeout:      time.Nanosecond, // 0 would wait
		FreelistType: bbolt.FreelistMapType,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			file, err = os.OpenFile(name, flag, mode) //nolint:gosec // the user names it
			return file, err
		},
	}
	err = guarded(func() error {
		var err error
		if db, err = bbolt.Open(path, 0o600, options); err != nil {
			return err
		}
		return db.View(func(tx *bbolt.Tx) error { return checkFile(tx, info.Size()) })
	})
	if err == nil {
		return db, nil
	}
	if db != nil {
		_ = db.Close() // nothing was written
	} else if file != nil {
		_ = file.Close()
	}
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s is already in use by another process: stop it, or give another file", ErrInUse, path)
	case errors.Is(err, ErrNewer), errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	return nil, unreadable(path, err)
}

func checkFile(tx *bbolt.Tx, size int64) error {
	if tx.Size() > size {
		return fmt.Errorf("it has %d bytes of %d", size, tx.Size())
	}
	settings := tx.Bucket(settingsBucket)
	if settings == nil || tx.Bucket(recordsBucket) == nil {
		return errors.New("it is a database of another program")
	}
	found, err := unseal(settings.Get(formatKey))
	if err != nil {
		return err
	}
	if string(found) != format {
		return fmt.Errorf("%w: its format is %.40q, and this version reads %q: use the version that wrote it, or give another file", ErrNewer, found, format)
	}
	return nil
}

func unreadable(path string, err error) error {
	return fmt.Errorf("%w: %s is damaged or no data file of the emulator: %w. The file was left as it is: restore it from a copy, or give another path", ErrUnreadable, path, err)
}

// guarded runs f, and makes an error of what bbolt does with damaged pages: it panics, or reads
// memory behind the end of the file.
func guarded(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("its pages do not fit together")
		}
	}()
	return f()
}
