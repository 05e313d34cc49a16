package filejournal

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// keepAtLeast is how long history is kept: what just ended is what someone wants to look at.
const keepAtLeast = time.Hour

// Purge deletes the records of rotations that ended longer ago than olderThan, and returns how many
// it deleted. Rotations in progress and those that need a human stay, however old they are, and so
// does a record that cannot be read: [Journal.Inspect] names it.
//
// A client whose record was deleted counts as one that was never rotated: fleet.WithOlderThan
// rotates it again, and Status is rotate.ErrNoRotation. Keep history for longer than the longest
// WithOlderThan. olderThan is at least an hour; otherwise the error is [ErrInvalidArgument].
func (j *Journal) Purge(ctx context.Context, olderThan time.Duration) (deleted int, err error) {
	if olderThan < keepAtLeast {
		return 0, invalid("Purge: olderThan must be at least an hour")
	}
	before := time.Now().Add(-olderThan)
	for name, err := range j.files(ctx) {
		var gone bool
		if err == nil && strings.HasSuffix(name, recordSuffix) {
			gone, err = j.purge(ctx, name, before)
		}
		if err != nil {
			return deleted, errors.Join(err, j.names.sync())
		}
		if gone {
			deleted++
		}
	}
	if err := j.names.sync(); err != nil {
		return deleted, failed(err)
	}
	return deleted, nil
}

// ended reports whether a rotation ended before a time. The time of a record of version 1 may not
// be known.
func ended(r rotate.Record, before time.Time) bool {
	return r.State.Final() && !r.UpdatedAt.IsZero() && r.UpdatedAt.Before(before)
}

// purge deletes a record, unless a process works on its client.
func (j *Journal) purge(ctx context.Context, name string, before time.Time) (gone bool, err error) {
	r, err := j.readFile(name)
	if err != nil || !ended(r, before) {
		return false, nil //nolint:nilerr // Inspect reports it
	}
	l, _, err := j.lock(r.ClientID)
	if errors.Is(err, rotate.ErrBusy) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, l.release()) }()
	if r, _, err = j.read(ctx, r.ClientID); err != nil || !ended(r, before) { // another rotation began meanwhile
		return false, nil //nolint:nilerr // as above
	}
	if err := os.Remove(j.path(r.ClientID, recordSuffix)); err != nil {
		return false, failed(err)
	}
	return true, nil
}
