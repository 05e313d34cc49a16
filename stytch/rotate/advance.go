package rotate

import (
	"context"
	"time"
)

// Step makes at most one change of state of a rotation in progress, and returns where it is then.
// Any scheduler can drive it, from any process, as often as it likes: again at once while Wait is
// 0, until the state is final. A rotation that is finished stays as it is; a client that was never
// rotated is [ErrNoRotation] (see [Rotator.Plan]). After a failure the rotation can be resumed, or
// canceled by [Rotator.Cancel]: [WithCancelOnFailure] does not apply to a single step.
func (r *Rotator) Step(ctx context.Context, clientID string) (Status, error) {
	c := *r.config
	c.attempts, c.cancelOnFailure = 1, false
	t, err := c.claimFor(ctx, clientID)
	if err != nil {
		return Status{}, err
	}
	defer t.release(ctx)
	return t.advance(ctx, oneStep)
}

// Advance takes a rotation in progress as far as it can go without waiting for its grace period or
// for readiness, and returns where it is then: in a final state, or with Wait, the time until
// another call can do more. It suits a job queue: one job per rotation, put off by Wait until the
// state is final. A rotation that is finished stays as it is; a client that was never rotated is
// [ErrNoRotation] (see [Rotator.Plan]). All other errors are those of [Rotator.Run].
func (r *Rotator) Advance(ctx context.Context, clientID string) (Status, error) {
	t, err := r.claimFor(ctx, clientID)
	if err != nil {
		return Status{}, err
	}
	defer t.release(ctx)
	return t.advance(ctx, untilWait)
}

// AdvanceClaim is [Rotator.Advance] for a claim that the caller made and will release, such as one
// of [Queue.Next]. The claim must have been made for [Rotator.ClaimLife], and claimed is the time
// just before that, by time.Now. The zero time means unknown: then the claim is extended first.
func (r *Rotator) AdvanceClaim(ctx context.Context, claim Claim, claimed time.Time) (Status, error) {
	if !claimed.IsZero() {
		claimed = r.now().Add(-time.Since(claimed)) // by the clock of the rotator
	}
	t, err := r.resume(ctx, "", claimed, func() (Claim, error) { return claim, nil })
	if err != nil {
		return Status{}, err
	}
	return t.advance(ctx, untilWait)
}

func (t *rotation) advance(ctx context.Context, to extent) (Status, error) {
	if t.rec.State == "" {
		return Status{}, t.fail(ctx, ErrNoRotation)
	}
	if t.rec.State.Final() {
		return t.rec.status(), nil
	}
	wait, err := t.run(ctx, to)
	if err == nil && to != oneStep {
		err = t.outcome()
	}
	stored := t.rec
	_ = t.guarded(ctx, "Claim.Record", func() error { stored = t.claim.Record(); return nil }) // which may need a human
	status := stored.status()
	status.Wait = wait
	return status, err
}

// ClaimLife is how long a claim of this rotator lasts after it was made or written.
func (r *Rotator) ClaimLife() time.Duration { return r.claimLife() }

// LongestWait is the longest time between two steps of a rotation in which nothing is wrong: the
// grace period, the pause between two checks for readiness, or the claim of a process that died.
func (r *Rotator) LongestWait() time.Duration {
	return max(r.grace, r.readyEvery, r.claimLife())
}

// Journal is where the rotator keeps its records.
func (r *Rotator) Journal() Journal { return r.journal }

// Limiter is what bounds its requests.
func (r *Rotator) Limiter() Limiter { return r.limiter }

// Estimate is what the rotation of a client will cost from where its record is, without asking the
// server; the zero Record is that of a client to be rotated. For such a client it asks
// [WithCurrent] and the places, because a current secret that no one has is not proved. The error
// is why the rotation would not begin, and the forecast then what finding that out costs. The
// duration does not include what the limiter adds.
func (r *Rotator) Estimate(ctx context.Context, clientID string, rec Record) (Forecast, error) {
	if !rec.active() {
		rec = Record{State: Planned}
	}
	rec.ClientID = clientID
	t, err := r.from(ctx, rec)
	if err != nil {
		return Forecast{}, err
	}
	f, err := t.estimate(ctx)
	if err != nil {
		return f, t.wrap(err)
	}
	return f, nil
}

// Observe calls the observers with an event that did not happen in a call of the rotator: a fleet
// reports faults of the journal so. A panic of one is reported to the others.
func (r *Rotator) Observe(ctx context.Context, e Event) {
	(&rotation{config: r.config, rec: Record{ClientID: e.ClientID}}).report(ctx, e, r.observers)
}
