package filejournal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/stytchkit/m2m/internal/atomicfile"
)

// Inspect looks at every file of the folder and returns what is wrong, each as an error that names
// the file: a record that cannot be read or decrypted, or belongs to another project or client; the
// claim of a process that died; a file that is none of the journal's. It changes nothing. The
// journal can be in use meanwhile, but a client whose claim was left behind is busy for the moment
// in which that is looked at. err is why it could not look at all files.
func (j *Journal) Inspect(ctx context.Context) (findings []error, err error) {
	for name, err := range j.files(ctx) {
		if err != nil {
			return findings, err
		}
		if wrong := j.inspect(name); wrong != nil && !errors.Is(wrong, fs.ErrNotExist) {
			findings = append(findings, wrong)
		}
	}
	return findings, nil
}

// inspect is what is wrong with a file. One that is gone is fs.ErrNotExist.
func (j *Journal) inspect(name string) error {
	path := filepath.Join(j.dir, name)
	switch {
	case name == projectFile, atomicfile.Unfinished(name): // New checks the first, and removes the second
		return nil
	case strings.HasSuffix(name, recordSuffix):
		_, err := j.readFile(name)
		return err
	case strings.HasSuffix(name, lockSuffix), strings.HasSuffix(name, leaseSuffix):
		return leftBehind(path)
	}
	return fmt.Errorf("%w: %s", errStray, path)
}

// errStray is a file that someone else put into the folder.
var errStray = errors.New("filejournal: a file that is none of the journal's: move it away")

// errLeftBehind is a claim that ended with its process. The next claim of the client removes it.
var errLeftBehind = errors.New("filejournal: a process died while it rotated a client: resume the rotation")

// leftBehind has an error if no process holds the lock on a file.
func leftBehind(path string) error {
	file, err := atomicfile.Open(path)
	if err != nil {
		return failed(err)
	}
	defer func() { _ = file.Close() }()
	dead, err := atomicfile.Lock(file)
	switch {
	case err != nil:
		return failed(err)
	case dead:
		return fmt.Errorf("%w: %s", errLeftBehind, path)
	}
	return nil
}
