package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// claim is the right to write one row until another claim raises its epoch. The owner is compared
// too: after a failover to a replica that lags behind, two workers can have the same epoch of a
// row.
type claim struct {
	journal  *Journal
	clientID string
	owner    string
	life     time.Duration
	id       int64
	epoch    int64
	empty    bool  // the row has no rotation yet
	latest   int64 // and this is the row of the latest finished rotation; 0 if there is none
	record   rotate.Record
	ended    bool // a final state was written, which released the row
	released bool
}

// Record implements [rotate.Claim].
func (c *claim) Record() rotate.Record {
	r := c.record
	r.Delivered = slices.Clone(r.Delivered)
	return r
}

// A finished row can only be finished again, by a caller that did not get the response: another row
// may be in progress by now.
const writeStatement = `
	UPDATE stytch_rotation SET
		rotation_id = $4, state = $5, record = $6, planned_at = $7, updated_at = clock_timestamp(),
		lease_until = CASE WHEN $8 THEN '-infinity' ELSE clock_timestamp() + make_interval(secs => $9) END,
		due_at = CASE WHEN $10 THEN coalesce($11, due_at, clock_timestamp()) END,
		finished = CASE WHEN $8 THEN coalesce(finished, (
			SELECT coalesce(max(h.finished), 0) + 1 FROM stytch_rotation h
			WHERE h.project = stytch_rotation.project AND h.client_id = stytch_rotation.client_id)) END
	WHERE id = $1 AND epoch = $2 AND owner = $3 AND (finished IS NULL OR $8)
	RETURNING ` + durable

// Write implements [rotate.Claim]. A final state releases the claim in the same statement. A later
// write claims the client again, which fails if another worker has claimed it since.
func (c *claim) Write(ctx context.Context, r rotate.Record) error {
	if r.ClientID != c.clientID {
		return invalid("record: it belongs to another client than the claim")
	}
	data, err := c.journal.codec.Encode(r)
	if err != nil {
		return err
	}
	if c.released {
		return fmt.Errorf("%w: the claim was released", rotate.ErrBusy)
	}
	if c.ended {
		if err := c.again(ctx); err != nil {
			return err
		}
	}
	var grace *time.Time
	if r.State == rotate.Grace && !r.GraceUntil.IsZero() {
		grace = &r.GraceUntil
	}
	var planned *time.Time
	if !r.PlannedAt.IsZero() {
		planned = &r.PlannedAt
	}
	final := r.State.Final()
	err = c.change(ctx, rotate.ErrBusy, writeStatement, r.RotationID, string(r.State), data, planned, final, c.life.Seconds(),
		!final && r.State != rotate.NeedsHuman, grace)
	if err != nil {
		return err
	}
	if grace != nil {
		c.journal.front.back(*grace)
	}
	// Record returns what was stored, which has no secrets in a final state.
	if c.record, err = c.journal.codec.Decode(c.clientID, data); err != nil {
		return err
	}
	c.empty, c.ended = false, final
	return nil
}

// again claims the client of a rotation that this claim finished.
func (c *claim) again(ctx context.Context) error {
	next, err := c.journal.claim(ctx, c.clientID, c.life)
	if err != nil {
		return err
	}
	if !next.empty || next.latest != c.id {
		next.drop(ctx)
		return rotate.ErrBusy
	}
	*c = *next
	return nil
}

const (
	releaseStatement = `
		UPDATE stytch_rotation SET owner = '', lease_until = '-infinity' WHERE id = $1 AND epoch = $2 AND owner = $3`
	deferStatement = `
		UPDATE stytch_rotation SET owner = '', lease_until = '-infinity', due_at = greatest(due_at, clock_timestamp() + make_interval(secs => $4))
		WHERE id = $1 AND epoch = $2 AND owner = $3 AND due_at IS NOT NULL`
	asideStatement = `
		UPDATE stytch_rotation SET owner = '', lease_until = '-infinity', due_at = clock_timestamp() + interval '1 minute'
		WHERE id = $1 AND epoch = $2 AND owner = $3`
	forgetStatement = `
		DELETE FROM stytch_rotation WHERE id = $1 AND epoch = $2 AND owner = $3 AND state = 'claimed'`
)

// Release implements [rotate.Claim].
func (c *claim) Release(ctx context.Context) error {
	if c.ended || c.released {
		return nil
	}
	statement := releaseStatement
	if c.empty {
		statement = forgetStatement
	}
	if err := c.change(ctx, nil, statement); err != nil {
		return err
	}
	c.released = true
	return nil
}

// change sends a statement about the claimed row. If the claim was lost it returns lost.
func (c *claim) change(ctx context.Context, lost error, statement string, args ...any) error {
	return run(ctx, c.journal.pool, func(ctx context.Context, conn conn) error {
		n, err := conn.exec(ctx, statement, append([]any{c.id, c.epoch, c.owner}, args...)...)
		if err == nil && n == 0 {
			return lost
		}
		return err
	})
}

// drop is Release without an error: if it fails, the lease expires.
func (c *claim) drop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), linger)
	defer cancel()
	_ = c.Release(ctx)
}

// orNothing returns a claim that was just made, or releases it because of err or because ctx has
// ended.
func (c *claim) orNothing(ctx context.Context, err error) (*claim, error) {
	if err == nil && ctx.Err() != nil {
		err = failed(ctx.Err())
	}
	if err == nil {
		return c, nil
	}
	if c.id != 0 {
		c.drop(ctx)
	}
	return nil, err
}
