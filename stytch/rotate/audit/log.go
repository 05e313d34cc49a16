// Package audit keeps a log of rotations that shows when it was changed.
//
//	log, err := audit.Open(ctx, "/var/log/billing/rotations.ndjson", journal, audit.WithActor("deploy job 4711"))
//	defer log.Close()
//	rotator, err := rotate.New(target, deliverer, journal, rotate.WithObserver(log.Observe))
//
// Each change of state and each failure is a line of JSON:
//
//	{"seq":7,"time":"2026-03-01T10:00:00.123456789Z","host":"a1","pid":812,"actor":"deploy job 4711","client_id":"...",
//	 "rotation_id":"...","from":"verified","to":"completing","current":"works","next":"works","previous":"5f70bf18..."}
//
// seq counts the lines, and previous is the SHA-256 of the line before, so [Verify] finds a line
// that was changed, removed or added. Anyone who can write the file can also compute all hashes
// again: keep a copy of the last one elsewhere. A failure has the same state twice and an "error".
// The verdicts are "works", "refused" and "unproved". No line has a secret.
//
// # After a crash
//
// A process that is killed between a write of the journal and the line about it leaves a line out.
// [Open] adds it from the journal, with "replayed". It goes by the rotations that the log shows to
// be in progress, so open the log again with the journal that it belongs to. If the journal does
// not know any more how a rotation ended, the line has it go to "unknown".
//
// Several processes may write one log, on a local file system of a Unix system; elsewhere Open
// returns an error that wraps errors.ErrUnsupported. A log that was moved away is not continued:
// do that when no rotation is in progress.
package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/rotate"
)

var (
	// ErrInvalidArgument is [rotate.ErrInvalidArgument].
	ErrInvalidArgument = rotate.ErrInvalidArgument
	// ErrBroken means that a log was changed after it was written.
	ErrBroken = errors.New("audit: the log was changed")
)

const (
	maxError = 2048 // bytes of an error
	maxActor = 256  // bytes of an actor
	maxID    = 256
)

// Log is an audit log in a file. It is safe for concurrent use. It remembers the rotations in
// progress, with about 200 bytes each.
type Log struct {
	file  *os.File
	host  string
	actor string

	mu    sync.Mutex
	chain chain
	err   error
}

// Option changes a setting of [Open].
type Option func(*Log) error

// WithActor says in each line who or what runs the rotations, in at most 256 bytes.
func WithActor(actor string) Option {
	return func(l *Log) error {
		if actor == "" || len(actor) > maxActor || strings.ToValidUTF8(actor, "") != actor {
			return fmt.Errorf("%w: WithActor: actor must be 1 to %d bytes of UTF-8", ErrInvalidArgument, maxActor)
		}
		l.actor = actor
		return nil
	}
}

// Open opens a log, or creates it with mode 0600, and adds the lines that a crash left out. It
// verifies what is there: a log that was changed is [ErrBroken], and is not written to.
func Open(ctx context.Context, path string, journal rotate.Journal, options ...Option) (*Log, error) {
	if path == "" || journal == nil {
		return nil, fmt.Errorf("%w: Open: path must not be empty and journal must not be nil", ErrInvalidArgument)
	}
	l := &Log{chain: newChain()}
	for _, option := range options {
		if option == nil {
			return nil, fmt.Errorf("%w: Open: option must not be nil", ErrInvalidArgument)
		}
		if err := option(l); err != nil {
			return nil, err
		}
	}
	var err error
	if l.host, err = os.Hostname(); err != nil {
		l.host = "unknown host"
	}
	if l.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600); err != nil { //nolint:gosec // the caller's file
		return nil, fmt.Errorf("audit: open: %w", err)
	}
	if err := errors.Join(l.ownRights(), atomicfile.SyncDir(filepath.Dir(path)), l.replay(ctx, journal)); err != nil {
		_ = l.file.Close()
		return nil, fmt.Errorf("audit: open %s: %w", path, err)
	}
	return l, nil
}

// ownRights makes a file usable that was created under a strict umask.
func (l *Log) ownRights() error {
	info, err := l.file.Stat()
	if err == nil && info.Mode().Perm() == 0 {
		err = l.file.Chmod(0o600)
	}
	return err
}

// Observe writes a line for an event. It is for [rotate.WithObserver]. The first and the last line
// of a rotation survive a crash of the machine, and the lines before them with them.
func (l *Log) Observe(_ context.Context, e rotate.Event) {
	entry := line{
		Time: e.Time.UTC().Format(time.RFC3339Nano), ClientID: short(e.ClientID), RotationID: short(e.RotationID),
		From: e.From, To: e.To, Current: word(e.Working.Current), Next: word(e.Working.Next),
	}
	if e.Err != nil {
		text := e.Err.Error()
		entry.Error = clean(text[:min(len(text), maxError)])
	}
	_ = l.write(entry)
}

// Err is the first error of a line that could not be written, or nil.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Close closes the file.
func (l *Log) Close() error { return l.file.Close() }

func clean(text string) string { return strings.ToValidUTF8(text, "") }

func short(id string) string { return clean(id[:min(len(id), maxID)]) }

// word is a verdict in one word.
func word(v rotate.Verdict) string {
	switch v {
	case rotate.Accepted:
		return "works"
	case rotate.Refused:
		return "refused"
	}
	return "unproved"
}
