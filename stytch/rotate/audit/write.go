package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// lockPatience is how long another process may take to write its lines.
const lockPatience = 10 * time.Second

// write adds a line, unless another process has replayed it.
func (l *Log) write(entry line) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.locked(func() error {
		if to, ok := l.chain.replayed[entry.RotationID]; ok && entry.changes() && to == entry.To {
			return nil
		}
		return l.add(entry)
	})
	if err != nil && l.err == nil {
		l.err = err
	}
	return err
}

// locked calls f while no other process writes, after reading what they wrote.
func (l *Log) locked(f func() error) error {
	lock, err := os.Open(l.file.Name()) // a lock ends with its file
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	defer func() { _ = lock.Close() }()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		mine, err := atomicfile.Lock(lock)
		if err != nil {
			return fmt.Errorf("audit: lock: %w", err)
		}
		if mine {
			break
		}
		if time.Since(began) > lockPatience {
			return fmt.Errorf("audit: lock %s: another process holds it", l.file.Name())
		}
	}
	if err := l.sameFile(lock); err != nil {
		return err
	}
	if err := l.catchUp(); err != nil {
		return err
	}
	return f()
}

func (l *Log) sameFile(lock *os.File) error {
	ours, err := l.file.Stat()
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	there, err := lock.Stat()
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if !os.SameFile(ours, there) {
		return fmt.Errorf("audit: %s was moved or replaced: open the log again", l.file.Name())
	}
	return nil
}

// catchUp reads what was written since, and removes a line that its writer did not finish.
func (l *Log) catchUp() error {
	info, err := l.file.Stat()
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if info.Size() < l.chain.size {
		return l.chain.broken(errors.New("lines were removed at the end"))
	}
	err = l.chain.read(io.NewSectionReader(l.file, l.chain.size, info.Size()-l.chain.size))
	if errors.Is(err, errTorn) {
		if err = l.file.Truncate(l.chain.size); err != nil {
			return fmt.Errorf("audit: remove an incomplete line: %w", err)
		}
	}
	return err
}

// add writes a line at the end.
func (l *Log) add(entry line) error {
	entry.Seq, entry.Previous = l.chain.lines+1, l.chain.last
	entry.Host, entry.PID, entry.Actor = clean(l.host), os.Getpid(), l.actor
	text, err := entry.text()
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	_, err = l.file.Write(append(text, '\n'))
	if _, begun := l.chain.inProgress[entry.RotationID]; err == nil && entry.changes() && (!begun || entry.ends()) {
		err = l.file.Sync() // what replay goes by; the lines before it are synced with it
	}
	if err != nil {
		return errors.Join(fmt.Errorf("audit: write: %w", err), l.file.Truncate(l.chain.size))
	}
	return l.chain.add(text)
}

// replay adds what the journal knows about the rotations in progress and the log does not.
func (l *Log) replay(ctx context.Context, journal rotate.Journal) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.locked(func() error {
		for _, id := range slices.Sorted(maps.Keys(l.chain.inProgress)) {
			known := l.chain.inProgress[id]
			missing := line{
				Time: time.Now().UTC().Format(time.RFC3339Nano), ClientID: known.clientID, RotationID: id, From: known.state,
				Replayed: true,
			}
			r, err := journal.Read(ctx, known.clientID)
			switch {
			case errors.Is(err, rotate.ErrNoRotation), err == nil && r.RotationID != id:
				missing.To, missing.Error = unknown, "the journal has no record of this rotation any more"
			case errors.Is(err, rotate.ErrCorrupt), errors.Is(err, rotate.ErrNewerVersion), errors.Is(err, rotate.ErrOtherProject), errors.Is(err, rotate.ErrWrongKey):
				continue // perhaps it can be read later
			case err != nil:
				return err
			case r.State == known.state:
				continue
			default:
				missing.To, missing.Time = r.State, r.UpdatedAt.UTC().Format(time.RFC3339Nano)
			}
			if err := l.add(missing); err != nil {
				return err
			}
		}
		return nil
	})
}
