package filejournal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// claim is a claim on a client of a [Journal].
type claim struct {
	journal  *Journal
	clientID string
	lock     *lock // nil once released
	record   rotate.Record
	stored   []byte // the record as this claim read or wrote it; nil if there was none
	unsure   bool   // the lock was lost and taken again, and the record is not compared yet
}

// load reads the record that the previous holder left.
func (c *claim) load(ctx context.Context, leftover bool) error {
	if leftover { // a file that was being written has secrets in it
		if err := atomicfile.Sweep(c.journal.dir); err != nil {
			return failed(err)
		}
	}
	r, stored, err := c.journal.read(ctx, c.clientID)
	if err != nil && !errors.Is(err, rotate.ErrNoRotation) {
		return err
	}
	if inProgress(r) {
		// The previous holder may have died, or failed, between renaming the record and syncing the
		// folder. The caller acts on the record next, so it must not be lost after that.
		if err := c.journal.names.sync(); err != nil {
			return failed(err)
		}
	}
	c.record, c.stored = r, stored
	return nil
}

// alone makes sure that no other process has the client, or had it since this claim last read or
// wrote the record.
func (c *claim) alone() error {
	regained, err := c.lock.held()
	if err != nil {
		return err
	}
	c.unsure = c.unsure || regained
	if !c.unsure {
		return nil
	}
	there, err := readRecord(c.journal.path(c.clientID, recordSuffix))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !bytes.Equal(there, c.stored) {
		return fmt.Errorf("%w: the lock file was removed, and another process wrote the record", rotate.ErrBusy)
	}
	c.unsure = false
	return nil
}

// Record implements [rotate.Claim].
func (c *claim) Record() rotate.Record {
	r := c.record
	r.Delivered = slices.Clone(r.Delivered)
	return r
}

// Write implements [rotate.Claim].
func (c *claim) Write(ctx context.Context, r rotate.Record) error {
	if c.lock == nil {
		return fmt.Errorf("%w: the claim was released", rotate.ErrBusy)
	}
	if r.ClientID != c.clientID {
		return invalid("record: it belongs to another client than the claim")
	}
	codec := c.journal.codec
	data, err := codec.Encode(r)
	if err != nil {
		return err
	}
	stored, err := codec.Decode(c.clientID, data)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return failed(err)
	}
	pending, err := atomicfile.Prepare(c.journal.path(c.clientID, recordSuffix), data, 0o600)
	if err != nil {
		return failed(err)
	}
	if err := c.alone(); err != nil {
		pending.Discard()
		return err
	}
	if err := pending.Commit(); err != nil {
		return failed(err)
	}
	c.record, c.stored = stored, data
	if err := c.journal.names.sync(); err != nil {
		return failed(err)
	}
	return nil
}

// Release implements [rotate.Claim].
func (c *claim) Release(context.Context) error {
	if c.lock == nil {
		return nil
	}
	l := c.lock
	c.lock = nil
	return l.release()
}
