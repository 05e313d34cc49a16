//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
)

var errSystem = fmt.Errorf("private files need flock, which %s does not have: %w", runtime.GOOS, errors.ErrUnsupported)

// Write is not supported here.
func Write(string, []byte, fs.FileMode) error { return errSystem }

// Pending is not supported here.
type Pending struct{}

// Prepare is not supported here.
func Prepare(string, []byte, fs.FileMode) (*Pending, error) { return nil, errSystem }

// Commit is not supported here.
func (*Pending) Commit() error { return errSystem }

// CommitNew is not supported here.
func (*Pending) CommitNew() error { return errSystem }

// Discard does nothing here.
func (*Pending) Discard() {}

// SyncDir is not supported here.
func SyncDir(string) error { return errSystem }

// Sweep is not supported here.
func Sweep(string) error { return errSystem }

// Dir is not supported here.
func Dir(string) error { return errSystem }

// CheckDir is not supported here.
func CheckDir(string) error { return errSystem }

// CheckReplaceable is not supported here.
func CheckReplaceable(string) error { return errSystem }

// Read is not supported here.
func Read(string, int64) ([]byte, error) { return nil, errSystem }

// Open is not supported here.
func Open(string) (*os.File, error) { return nil, errSystem }

// Lock is not supported here.
func Lock(*os.File) (bool, error) { return false, errSystem }

// LockShared is not supported here.
func LockShared(*os.File) (bool, error) { return false, errSystem }

// LockFile is not supported here.
type LockFile struct{}

// TryLock is not supported here.
func TryLock(string) (*LockFile, bool, error) { return nil, false, errSystem }

// Check is not supported here.
func (*LockFile) Check() error { return errSystem }

// Unlock is not supported here.
func (*LockFile) Unlock() error { return errSystem }
