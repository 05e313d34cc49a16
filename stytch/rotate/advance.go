package rotate

import (
	"context"
	"crypto/rand"
	"time"
)

// Advance takes the rotation in progress as far as it can go without waiting for its grace period or for readiness, and returns
// where it is then: in a final state, or with Wait, the time until another call can do more. It suits a job queue: one job per
// rotation, put off by Wait until the state is final. A rotation that is already at its end is returned without an error, and
// [ErrNoRotation] is the error for a client that was never rotated: begin with [Rotator.Plan]. Errors are those of [Rotator.Run].
func (r *Rotator) Advance(ctx context.Context, clientID string) (Status, error) {
	w, err := r.take(ctx, clientID)
	if err != nil {
		return Status{}, err
	}
	defer w.release(ctx)
	return w.goOnStatus(ctx)
}

// AdvanceClaim is [Rotator.Advance] for a claim that the caller made and will release, such as one of [Queue.Next]. The claim
// must have been made for [Rotator.ClaimLife]; claimed is the time just before it was asked for. The zero time means unknown: then
// the claim is extended first.
func (r *Rotator) AdvanceClaim(ctx context.Context, claim Claim, claimed time.Time) (Status, error) {
	return r.pickUp(claim, claim.Record().ClientID, claimed).goOnStatus(ctx)
}

func (w *work) goOnStatus(ctx context.Context) (Status, error) {
	if w.rec.State == "" {
		return Status{}, w.fail(ctx, ErrNoRotation)
	}
	if w.rec.State.Final() {
		return w.rec.status(), nil
	}
	wait, err := w.goOn(ctx)
	status := w.claim.Record().status()
	status.Wait = wait
	return status, err
}

// ClaimLife is how long a claim of this rotator lasts after it was made or written.
func (r *Rotator) ClaimLife() time.Duration { return r.life() }

// LongestWait is the longest time between two steps of a rotation in which nothing is wrong: the grace period, the pause
// between two checks for readiness, or the claim of a process that died.
func (r *Rotator) LongestWait() time.Duration { return max(r.grace, r.readyEvery, r.life()) }

// Journal is where the rotator keeps its records.
func (r *Rotator) Journal() Journal { return r.journal }

// Limiter is what bounds its requests.
func (r *Rotator) Limiter() Limiter { return r.limiter }

// With returns a copy of the rotator with further options.
func (r *Rotator) With(options ...Option) (*Rotator, error) {
	c := *r
	c.observers = c.observers[:len(c.observers):len(c.observers)]
	if err := c.apply(options); err != nil {
		return nil, err
	}
	return &c, nil
}

// Estimate is what the rotation of a record will cost from where it is, without asking the server; the zero Record is that of
// a client to be rotated. The duration does not include what the limiter adds.
func (r *Rotator) Estimate(rec Record) Forecast {
	if !rec.active() {
		rec = Record{State: Planned}
	}
	return r.forecast(rec.again())
}

// NewRecord is the record of a rotation that is planned: what [Queue.Plan] stores for each client.
func NewRecord(clientID string, now time.Time) Record {
	return Record{RotationID: rand.Text(), ClientID: clientID, State: Planned, PlannedAt: now, UpdatedAt: now}
}

// goOn makes steps until the end, a wait, or a failure.
func (w *work) goOn(ctx context.Context) (wait time.Duration, err error) {
	wait, err = w.walk(ctx)
	switch {
	case err != nil:
		return 0, w.failOrGiveUp(ctx, err)
	case wait == 0:
		return 0, w.outcome()
	}
	return wait, nil
}
