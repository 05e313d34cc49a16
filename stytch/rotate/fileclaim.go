package rotate

import (
	"context"
	"errors"
	"time"

	"github.com/stytchkit/m2m/internal/atomicfile"
)

// fileClaim is a claim on a client of a [FileJournal].
type fileClaim struct {
	journal  *FileJournal
	clientID string
	life     time.Duration
	lease    *lease // nil once it was released
	record   Record
	// unsynced is true while the record may be one that would not survive a crash of the machine, because the folder could
	// not be synced. The lease is then left behind, so that whoever finds it syncs first.
	unsynced bool
	followed bool // another claim that was not released
}

// take makes the lease, in place of one whose time is over or whose process is dead.
func (c *fileClaim) take(ctx context.Context) error {
	unlock, err := c.journal.guard.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	path := c.journal.path(c.clientID, leaseSuffix)
	// The one before may have died between the change of the record and its sync, and somebody is told of its secrets next.
	if c.followed, err = vacate(path, c.journal.names.sync); err != nil {
		return err
	}
	c.lease, err = newLease(path, c.life)
	return err
}

// load reads the record, and removes what the one before left half written, for that holds secrets too.
func (c *fileClaim) load(ctx context.Context) error {
	if c.followed {
		if err := atomicfile.Sweep(c.journal.dir); err != nil {
			return because(ErrJournal, err)
		}
	}
	r, err := c.journal.Read(ctx, c.clientID)
	if err != nil && !errors.Is(err, ErrNoRotation) {
		return err
	}
	c.record = r
	return nil
}

// Record implements [Claim].
func (c *fileClaim) Record() Record { return c.record.clone() }

// Write implements [Claim]. A claim whose time is over is good until somebody takes it over.
func (c *fileClaim) Write(ctx context.Context, r Record) error {
	if c.lease == nil {
		return wrong(ErrBusy, "the claim was released")
	}
	if r.ClientID != c.clientID {
		return wrong(ErrInvalidArgument, "record: of another client than the claim")
	}
	data, err := c.journal.codec.Encode(r)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return because(ErrJournal, err)
	}
	// The slow part comes first. Then the guard keeps everybody away from the look at the lease until after the change of
	// the record, so that a process that is paused here cannot overwrite what a successor wrote.
	pending, err := atomicfile.Prepare(c.journal.path(c.clientID, recordSuffix), data, 0o600)
	if err != nil {
		return because(ErrJournal, err)
	}
	if err := c.commit(ctx, pending); err != nil {
		return err
	}
	c.record = r.stored()
	if err := c.journal.names.sync(); err != nil {
		return because(ErrJournal, err)
	}
	c.unsynced = false
	return nil
}

// commit puts the record in its place, if the lease is still there.
func (c *fileClaim) commit(ctx context.Context, pending *atomicfile.Pending) error {
	unlock, err := c.journal.guard.lock(ctx)
	if err != nil {
		pending.Discard()
		return err
	}
	defer unlock()
	if err := c.lease.extend(c.life); err != nil {
		pending.Discard()
		return err
	}
	c.unsynced = true
	if err := pending.Commit(); err != nil {
		return because(ErrJournal, err)
	}
	return nil
}

// Release implements [Claim].
func (c *fileClaim) Release(ctx context.Context) error {
	held := c.lease
	if held == nil {
		return nil
	}
	c.lease = nil
	defer held.abandon()
	if c.unsynced {
		return nil
	}
	unlock, err := c.journal.guard.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := held.remove(); !errors.Is(err, ErrBusy) {
		return err
	}
	return nil // it was lost, or somebody removed it
}
