package filejournal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// projectFile holds the id of the project that a folder belongs to. No file of a client has this
// name.
const projectFile = "project"

// maxProject is more than the bytes of a project id.
const maxProject = 1 << 10

// bind makes sure that the folder belongs to the project. A folder that belongs to none becomes its
// own, unless it has a record of another one.
func bind(folder, projectID string, codec *rotate.Codec) error {
	path := filepath.Join(folder, projectFile)
	for {
		owner, err := atomicfile.Read(path, maxProject)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return failed(err)
		case strings.TrimSpace(string(owner)) != projectID:
			return fmt.Errorf("%w: the folder belongs to another project, whose id is in %s: use a folder for each project", rotate.ErrOtherProject, path)
		default:
			return nil
		}
		if err := checkRecords(folder, codec); err != nil {
			return err
		}
		pending, err := atomicfile.Prepare(path, []byte(projectID+"\n"), 0o600)
		if err != nil {
			return failed(err)
		}
		switch err := pending.CommitNew(); {
		case errors.Is(err, fs.ErrExist): // another process was faster, perhaps one of another project
		case err != nil:
			return failed(err)
		default:
			if err := atomicfile.SyncDir(folder); err != nil {
				return failed(err)
			}
			return nil
		}
	}
}

// checkRecords returns an error if a record belongs to another project. What else may be wrong with
// a record is reported when it is used.
func checkRecords(folder string, codec *rotate.Codec) error {
	dir, err := os.Open(folder) //nolint:gosec // the caller's folder
	if err != nil {
		return failed(err)
	}
	defer func() { _ = dir.Close() }()
	for {
		entries, err := dir.ReadDir(256)
		for _, entry := range entries {
			path := filepath.Join(folder, entry.Name())
			if !strings.HasSuffix(path, recordSuffix) {
				continue
			}
			data, err := readRecord(path)
			if err != nil {
				continue
			}
			if _, err = codec.DecodeAny(data); errors.Is(err, rotate.ErrOtherProject) {
				return fmt.Errorf("%w: %s: use a folder for each project, and move the records of the other project to its own", rotate.ErrOtherProject, path)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return failed(err)
		}
	}
}
