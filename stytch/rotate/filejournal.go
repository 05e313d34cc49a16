package rotate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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
	"github.com/stytchkit/m2m/stytch/secret"
)

// FileJournal is a [Journal] in a folder of a local file system, for the processes of one machine. It is safe for concurrent use,
// as are several of them on one folder. It needs a Unix system with flock; network file systems are not covered.
//
// The folder has mode 0700 and its files 0600. <client id>.json is a record, see [Codec]: what is not secret can be read with
// cat and jq. <client id>.lease is there while the client is claimed: its modification time is when the claim expires by the
// wall clock, which therefore must not jump. The claims of a dead process are free at once. Do not remove either by hand while a
// rotation is under way. Whoever restores the folder from a backup restores rotations that are no longer true, which the
// engine finds out.
//
// Errors are those of [Codec.Decode], [ErrBusy], [ErrNoRotation], [ErrInvalidArgument] and otherwise [ErrJournal]. They name
// the file and keep the cause, such as syscall.ENOSPC, fs.ErrPermission or the error of the context.
type FileJournal struct {
	dir   string
	codec *Codec
	guard *guard
	names *folderSync
}

const (
	recordSuffix = ".json"
	leaseSuffix  = ".lease"
)

// NewFileJournal opens the journal of a project in a folder. The folder is created if it is absent; its parent is not. It is
// refused if it is a symlink, belongs to another user, or gives others any right, and so is every file in it later on. For
// project and keys see [NewCodec]; without keys the secrets of rotations under way are readable in the files.
func NewFileJournal(dir, project string, keys ...secret.String) (*FileJournal, error) {
	if dir == "" {
		return nil, wrong(ErrInvalidArgument, "folder: must not be empty")
	}
	codec, err := NewCodec(project, keys...)
	if err != nil {
		return nil, err
	}
	dir, err = filepath.Abs(dir) // the process may go to another folder
	if err != nil {
		return nil, because(ErrJournal, err)
	}
	if err := atomicfile.Dir(dir); err != nil {
		return nil, because(ErrJournal, err)
	}
	if err := atomicfile.Sweep(dir); err != nil {
		return nil, because(ErrJournal, err)
	}
	return &FileJournal{dir, codec, newGuard(dir), &folderSync{dir: dir}}, nil
}

// Claim implements [Journal].
func (j *FileJournal) Claim(ctx context.Context, clientID string, life time.Duration) (Claim, error) {
	if err := checkID("client id", clientID); err != nil {
		return nil, err
	}
	if life <= 0 {
		return nil, wrong(ErrInvalidArgument, "life of a claim: must be positive")
	}
	c := &fileClaim{journal: j, clientID: clientID, life: life}
	if err := c.take(ctx); err != nil {
		return nil, err
	}
	if err := c.load(ctx); err != nil {
		_ = c.Release(context.WithoutCancel(ctx)) // its lock ends in any case
		return nil, err
	}
	return c, nil
}

// Read implements [Journal].
func (j *FileJournal) Read(ctx context.Context, clientID string) (Record, error) {
	if err := checkID("client id", clientID); err != nil {
		return Record{}, err
	}
	if err := ctx.Err(); err != nil {
		return Record{}, because(ErrJournal, err)
	}
	path := j.path(clientID, recordSuffix)
	data, err := readRecord(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, ErrNoRotation
	}
	if err != nil {
		return Record{}, err
	}
	r, err := j.codec.Decode(clientID, data)
	if err != nil {
		return Record{}, inFile(path, err)
	}
	return r, nil
}

// Unfinished implements [Journal]. A record that cannot be read is an error without a client, after which it goes on. It
// needs the same memory for any number of records. One that changes meanwhile may be yielded or not.
func (j *FileJournal) Unfinished(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		dir, err := os.Open(j.dir)
		if err != nil {
			yield("", because(ErrJournal, err))
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
				yield("", because(ErrJournal, err))
				return
			}
		}
	}
}

// yieldUnfinished reports whether to go on.
func (j *FileJournal) yieldUnfinished(ctx context.Context, name string, yield func(string, error) bool) bool {
	if err := ctx.Err(); err != nil {
		yield("", because(ErrJournal, err))
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
	r, err := j.codec.decodeAny(data)
	if err == nil && fileName(r.ClientID)+recordSuffix != name {
		err = wrong(ErrOtherProject, "it is of another client")
	}
	if err != nil {
		return yield("", inFile(path, err))
	}
	return !r.active() || yield(r.ClientID, nil)
}

func (j *FileJournal) path(clientID, suffix string) string {
	return filepath.Join(j.dir, fileName(clientID)+suffix)
}

// fileName is what the files of a client are called, before the suffix. No two clients share a name, on no file system: there
// are no capitals, and what is not a plain id is a hash behind a sign that no plain id has.
func fileName(clientID string) string {
	plain := func(c rune) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' }
	if len(clientID) <= 128 && clientID[0] != '-' && !strings.ContainsFunc(clientID, func(c rune) bool { return !plain(c) }) {
		return clientID
	}
	sum := sha256.Sum256([]byte(clientID))
	return "_" + hex.EncodeToString(sum[:])
}

// readRecord returns the bytes of a record; an absent one is also fs.ErrNotExist.
func readRecord(path string) ([]byte, error) {
	data, err := atomicfile.Read(path, maxRecord)
	if errors.Is(err, atomicfile.ErrTooLarge) {
		return nil, because(ErrCorrupt, err)
	}
	if err != nil {
		return nil, because(ErrJournal, err)
	}
	return data, nil
}

// inFile adds where a record is to what is wrong with it.
func inFile(path string, err error) error { return fmt.Errorf("%w: %s", err, path) }
