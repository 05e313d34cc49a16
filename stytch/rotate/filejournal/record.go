package filejournal

import (
	"errors"
	"fmt"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// ErrInvalidArgument is [rotate.ErrInvalidArgument].
var ErrInvalidArgument = rotate.ErrInvalidArgument

// maxRecord is the most bytes of an encoded record.
const maxRecord = 64 << 10

// readRecord returns the bytes of a record. A missing one is also fs.ErrNotExist.
func readRecord(path string) ([]byte, error) {
	data, err := atomicfile.Read(path, maxRecord)
	if errors.Is(err, atomicfile.ErrTooLarge) {
		return nil, fmt.Errorf("%w: %w", rotate.ErrCorrupt, err)
	}
	if err != nil {
		return nil, failed(err)
	}
	return data, nil
}

func inProgress(r rotate.Record) bool { return r.State != "" && !r.State.Final() }

func failed(err error) error { return fmt.Errorf("%w: %w", rotate.ErrJournal, err) }

func invalid(rule string) error { return fmt.Errorf("%w: %s", ErrInvalidArgument, rule) }

// inFile adds the place of a record to what is wrong with it.
func inFile(path string, err error) error { return fmt.Errorf("%w: %s", err, path) }
