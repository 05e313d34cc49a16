package filejournal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// Records yields the record of every client that was ever rotated, in any order, those of finished
// rotations included. A record that cannot be read is an error that names its file, after which the
// sequence continues. It uses the same memory for any number of records. A record that changes
// meanwhile may be yielded in its old or its new state.
func (j *Journal) Records(ctx context.Context) iter.Seq2[rotate.Record, error] {
	return func(yield func(rotate.Record, error) bool) {
		for name, err := range j.files(ctx) {
			switch {
			case err != nil:
				yield(rotate.Record{}, err)
				return
			case !strings.HasSuffix(name, recordSuffix):
				continue
			}
			r, err := j.readFile(name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// files yields the names of the files in the folder. It ends with its first error.
func (j *Journal) files(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		dir, err := os.Open(j.dir)
		if err != nil {
			yield("", failed(err))
			return
		}
		defer func() { _ = dir.Close() }()
		for {
			entries, err := dir.ReadDir(256)
			for _, entry := range entries {
				if ended := ctx.Err(); ended != nil {
					yield("", failed(ended))
					return
				}
				if !yield(entry.Name(), nil) {
					return
				}
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield("", failed(err))
				return
			}
		}
	}
}

// readFile reads the record in a file, which must be that of its client.
func (j *Journal) readFile(name string) (rotate.Record, error) {
	path := filepath.Join(j.dir, name)
	data, err := readRecord(path)
	if err != nil {
		return rotate.Record{}, err
	}
	r, err := j.codec.DecodeAny(data)
	if err == nil && fileName(r.ClientID)+recordSuffix != name {
		err = fmt.Errorf("%w: it belongs to another client", rotate.ErrOtherProject)
	}
	if err != nil {
		return rotate.Record{}, inFile(path, err)
	}
	return r, nil
}
