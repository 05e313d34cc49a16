// Package atomicfile writes small private files so that a crash leaves the old or the new content,
// never a mix and never nothing, and so that other users can neither read nor replace them. It also
// locks files.
//
// It is for local file systems of Unix systems with flock. Elsewhere every function returns an
// error that wraps [errors.ErrUnsupported]. Network file systems give weaker guarantees and are not
// supported. Errors name paths, never content, and wrap the cause.
package atomicfile

import (
	"errors"
	"os"
	"strings"
)

var (
	// ErrTooLarge means that a file is larger than the caller's limit.
	ErrTooLarge = errors.New("the file is too large")
	// ErrLocked means that another holder has the lock.
	ErrLocked = errors.New("the file is locked by another process")
	// ErrLockLost means that a lock file was removed or replaced while its lock was held.
	ErrLockLost = errors.New("the lock file was removed")
)

// tempPrefix marks files that are being written. Their names do not contain the final name, which
// may be of any length.
const tempPrefix = ".unfinished-"

// Unfinished reports whether a file of this name is one that is being written: [Sweep] removes it
// when its process has died.
func Unfinished(name string) bool { return strings.HasPrefix(name, tempPrefix) }

// Point is called between the steps of writing a file, with "created", "written", "synced" and
// "renamed". An error makes the write fail there. It is nil outside of tests, which fill the disk
// or kill the process. Set it before anything is written.
var Point func(name string) error

func reached(name string) error {
	if Point == nil {
		return nil
	}
	return Point(name)
}

// syncFile makes the content of a file, or the names in a folder, durable. Tests of this package
// record the calls.
var syncFile = (*os.File).Sync
