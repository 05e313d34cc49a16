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
// claims. project is the id of the project that the folder belongs to. Do not remove files while a
// rotation is in progress: a claim whose lock file was removed is taken again with the next write,
// unless another process has claimed the client meanwhile. A folder restored from a backup has
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
	"io/fs"
	"iter"
	"path/filepath"
	"time"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

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
//
// A folder belongs to the project that opens it first, or whose records it has. For every other
// project New is [rotate.ErrOtherProject].
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
	if err := bind(dir, projectID, codec); err != nil {
		return nil, err
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
	r, _, err := j.read(ctx, clientID)
	return r, err
}

// read returns a record, and as it is stored.
func (j *Journal) read(ctx context.Context, clientID string) (rotate.Record, []byte, error) {
	if err := check(ctx, clientID); err != nil {
		return rotate.Record{}, nil, err
	}
	path := j.path(clientID, recordSuffix)
	data, err := readRecord(path)
	if errors.Is(err, fs.ErrNotExist) {
		return rotate.Record{}, nil, rotate.ErrNoRotation
	}
	if err != nil {
		return rotate.Record{}, nil, err
	}
	r, err := j.codec.Decode(clientID, data)
	if err != nil {
		return rotate.Record{}, nil, inFile(path, err)
	}
	return r, data, nil
}

// Unfinished implements [rotate.Journal]. It uses the same memory for any number of records. A
// record that changes meanwhile may be yielded or not.
func (j *Journal) Unfinished(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for r, err := range j.Records(ctx) {
			if (err != nil || inProgress(r)) && !yield(r.ClientID, err) {
				return
			}
		}
	}
}

// path returns the path of a file of a client.
func (j *Journal) path(clientID, suffix string) string {
	return filepath.Join(j.dir, fileName(clientID)+suffix)
}
