// Package filejournal keeps the journal of package rotate in a folder of a local file system, for
// the processes of one machine.
//
//	journal, err := filejournal.New("/var/lib/billing/rotation", projectID, key)
//	place := deliver.File("/run/billing/credentials.json")
//	rotator, err := rotate.New(api.M2M.Secrets, place, journal)
//
// It needs a Unix system with flock; elsewhere [New] returns an error that wraps
// errors.ErrUnsupported. Network file systems are not supported.
//
// # Files
//
// The folder has mode 0700 and its files 0600. <client id>.json is a record (see [rotate.Codec]):
// everything except encrypted secrets can be read with cat and jq. <client id>.lock exists while
// the client is claimed, or after the process that claimed it died. The claim is the kernel's lock
// on that file. It ends with the process and not by time, so a process that is paused keeps its
// claims. Do not remove files while a rotation is in progress. A folder restored from a backup has
// old records; the rotator compares them with Stytch before it acts.
//
// # Version 1
//
// Records and claims of version 1 of the journal, which had <client id>.lease files, are respected.
// A client that a process with version 1 has claimed is [rotate.ErrBusy]. While this version holds
// any claim, version 1 can neither claim nor write: its errors say that the folder is locked.
// Version 1 refuses records that this version wrote (rotate.ErrNewerVersion). A lease left behind
// by a dead process is removed by the next claim of its client.
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
	"time"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// ErrInvalidArgument is [rotate.ErrInvalidArgument].
var ErrInvalidArgument = rotate.ErrInvalidArgument

// maxRecord is the most bytes of an encoded record.
const maxRecord = 64 << 10

// Journal is a [rotate.Journal] in a folder. It is safe for concurrent use, and several journals
// may share a folder.
//
// Its errors are [rotate.ErrBusy], [rotate.ErrNoRotation], [ErrInvalidArgument], those of
// [rotate.Codec.Decode], and otherwise [rotate.ErrJournal]. They name the file and wrap the cause,
// such as syscall.ENOSPC, fs.ErrPermission or the context's error.
type Journal struct {
	dir   string
	codec *rotate.Codec
	names *folderSync
}

var _ rotate.Journal = (*Journal)(nil)

// New returns the journal of a project in folder dir, which is created if it does not exist; its
// parent must exist. A folder that is a symlink, belongs to another user or gives others any right
// is refused, and so is every such file in it. For projectID and keys see [rotate.NewCodec]:
// without keys, the secrets of rotations in progress are readable in the files.
func New(dir, projectID string, keys ...secret.String) (*Journal, error) {
	if dir == "" {
		return nil, invalid("dir must not be empty")
	}
	codec, err := rotate.NewCodec(projectID, keys...)
	if err != nil {
		return nil, err
	}
	dir, err = filepath.Abs(dir) // the process may change its working directory
	if err == nil {
		err = errors.Join(atomicfile.Dir(dir), atomicfile.Sweep(dir))
	}
	if err != nil {
		return nil, failed(err)
	}
	return &Journal{dir, codec, &folderSync{dir: dir}}, nil
}

// Claim implements [rotate.Journal]. The claim lasts until it is released or the process ends; life
// must be positive and is otherwise ignored.
func (j *Journal) Claim(ctx context.Context, clientID string, life time.Duration) (rotate.Claim, error) {
	if life <= 0 {
		return nil, invalid("the life of a claim must be positive")
	}
	if err := check(ctx, clientID); err != nil {
		return nil, err
	}
	lock, leftover, err := j.lock(clientID)
	if err != nil {
		return nil, err
	}
	c := &claim{journal: j, clientID: clientID, lock: lock}
	if err := c.load(ctx, leftover); err != nil {
		_ = lock.release()
		return nil, err
	}
	return c, nil
}

// Read implements [rotate.Journal].
func (j *Journal) Read(ctx context.Context, clientID string) (rotate.Record, error) {
	if err := check(ctx, clientID); err != nil {
		return rotate.Record{}, err
	}
	path := j.path(clientID, recordSuffix)
	data, err := readRecord(path)
	if errors.Is(err, fs.ErrNotExist) {
		return rotate.Record{}, rotate.ErrNoRotation
	}
	if err != nil {
		return rotate.Record{}, err
	}
	r, err := j.codec.Decode(clientID, data)
	if err != nil {
		return rotate.Record{}, inFile(path, err)
	}
	return r, nil
}

// Unfinished implements [rotate.Journal]. It uses the same memory for any number of records. A
// record that changes meanwhile may be yielded or not.
func (j *Journal) Unfinished(ctx context.Context) iter.Seq2[string, error] {
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
				if !j.yieldUnfinished(ctx, entry.Name(), yield) {
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

// yieldUnfinished yields the client of a file, and reports whether to continue.
func (j *Journal) yieldUnfinished(ctx context.Context, name string, yield func(string, error) bool) bool {
	if err := ctx.Err(); err != nil {
		yield("", failed(err))
		return false
	}
	if !strings.HasSuffix(name, recordSuffix) {
		return true
	}
	path := filepath.Join(j.dir, name)
	data, err := readRecord(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		return yield("", err)
	}
	r, err := j.codec.DecodeAny(data)
	if err == nil && fileName(r.ClientID)+recordSuffix != name {
		err = fmt.Errorf("%w: it belongs to another client", rotate.ErrOtherProject)
	}
	if err != nil {
		return yield("", inFile(path, err))
	}
	return !inProgress(r) || yield(r.ClientID, nil)
}

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
