package fleet

import (
	"context"
	"errors"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
)

const (
	unreadableEnds = 3 // unreadable records in a row count as nothing left
	mostFaults     = 3 // of the journal while it was busy with one client, which then counts as failed
)

// work takes what is due until nothing is left.
func (r *run) work(ctx context.Context) {
	for ctx.Err() == nil {
		wake, planning := r.idle.channel(), r.planning.Load() // before Next, which may miss what is planned later
		asked := time.Now()
		claim, wait, err := r.queue.Next(ctx, r.rotator.ClaimLife())
		var one *clientError
		switch {
		case err == nil:
			r.unreadable.Store(0)
			r.advance(ctx, claim, asked)
		case errors.As(err, &one):
			if one.waited && !stopped(ctx, one.err) {
				r.counters.resumed()
			}
			r.failed(ctx, one.clientID, one.err)
		case errors.Is(err, rotate.ErrNoRotation):
			if !planning && r.over(wait) {
				r.idle.wake() // the other workers end too
				return
			}
			if wait == 0 || wait > longestIdle {
				wait = longestIdle
			}
			sleep(ctx, wake, wait)
		case ctx.Err() != nil:
			return
		case ofRecord(err):
			r.unreadable.Add(1)
			r.failed(ctx, "", err)
			sleep(ctx, nil, time.Second) // it may be the next one again
		default:
			r.stop(journalError(err))
			return
		}
	}
}

// over reports whether nothing is left except rotations that were set aside, by any process, or
// cannot be read.
func (r *run) over(wait time.Duration) bool {
	if !r.shared { // nothing is ever set aside
		return wait == 0
	}
	return wait == 0 || wait > r.longestWait() || r.unreadable.Load() >= unreadableEnds && !r.counters.anyWaiting()
}

// longestWait is the longest time that a rotation waits for something that is going to happen.
func (r *run) longestWait() time.Duration {
	return max(r.rotator.LongestWait(), retryAfter) + time.Minute
}

// asideFor is how long a rotation is set aside: much longer than longestWait, so that every process
// can see the difference.
func (r *run) asideFor() time.Duration { return 2*r.longestWait() + time.Hour }

// advance takes a claimed rotation as far as it can go now, and ends the claim.
func (r *run) advance(ctx context.Context, claim rotate.Claim, asked time.Time) {
	id := claim.Record().ClientID
	before := r.counters.tries(id)
	if before >= r.maxTries {
		r.deferClaim(ctx, claim, r.asideFor())
		return
	}
	if waited(claim) {
		r.counters.resumed()
	}
	status, err := r.rotator.AdvanceClaim(ctx, claim, asked)
	if errors.Is(err, rotate.ErrJournal) {
		status, err = r.settle(ctx, claim, status, err)
	}
	switch {
	case err == nil && status.Wait > 0:
		r.counters.waits()
		r.deferClaim(ctx, claim, status.Wait)
		return
	case err == nil:
		r.counters.done(id)
	case errors.Is(err, rotate.ErrJournal) && !stopped(ctx, err) && r.counters.faulted(id) < mostFaults:
		if willHaveWaited(claim) {
			r.counters.waits()
		}
		r.deferClaim(ctx, claim, 0)
		return
	default:
		r.count(ctx, id, err)
	}
	tries := r.counters.tries(id)
	over := !r.shared || status.State == rotate.NeedsHuman || status.State.Final()
	switch {
	case tries == before || over:
		r.release(ctx, claim)
	case tries < r.maxTries:
		r.deferClaim(ctx, claim, retryAfter)
	default:
		over = true
		r.deferClaim(ctx, claim, r.asideFor())
	}
	if over {
		r.counters.gaveUp(id)
	}
}

// settle is for a rotation that the journal interrupted. If that was its last write the outcome is
// found out, so that the client is counted once.
func (r *run) settle(ctx context.Context, claim rotate.Claim, status rotate.Status, failed error) (rotate.Status, error) {
	end, err := patientOf(claim).settle(ctx)
	if err != nil {
		return status, &rotate.Error{ClientID: status.ClientID, Stage: status.State, Err: err}
	}
	if end.State == "" {
		return status, failed
	}
	r.rotator.Observe(ctx, rotate.Event{
		Time: time.Now(), ClientID: end.ClientID, RotationID: end.RotationID, From: status.State, To: end.State,
	})
	status.State, status.UpdatedAt, status.Wait = end.State, end.UpdatedAt, 0
	switch end.State {
	case rotate.Completed:
		return status, nil
	case rotate.Gone:
		failed = errors.Join(rotate.ErrGone, failed)
	default:
		failed = errors.Join(rotate.ErrCanceled, failed)
	}
	return status, &rotate.Error{ClientID: end.ClientID, Stage: end.State, Err: failed}
}

// count counts an error of a client.
func (r *run) count(ctx context.Context, id string, err error) {
	switch {
	case errors.Is(err, rotate.ErrBusy):
		r.counters.busy(id)
	case errors.Is(err, rotate.ErrGone):
		r.counters.gone(id)
	case !stopped(ctx, err):
		r.counters.failed(id, err)
	case inProgressBy(err):
		r.counters.add(&r.counters.report.Left)
	}
}

// stopped reports whether a rotation was left because ctx ended, or because the journal did not
// answer until then. One that was canceled for that reason has reached its end.
func stopped(ctx context.Context, err error) bool {
	return ctx.Err() != nil && isAny(err, ctx.Err(), rotate.ErrJournal) && !errors.Is(err, rotate.ErrCanceled)
}

// inProgressBy reports whether an error left a rotation that must be resumed.
func inProgressBy(err error) bool {
	var e *rotate.Error
	return errors.As(err, &e) && e.Stage != "" && e.Stage != rotate.Planned && !e.Stage.Final()
}

// failed is for a client that could not be claimed, or for a record that does not say whose it is.
// The rotator reports neither.
func (r *run) failed(ctx context.Context, id string, err error) {
	err = &rotate.Error{ClientID: id, Err: journalError(err)}
	if !stopped(ctx, err) {
		r.rotator.Observe(ctx, rotate.Event{Time: time.Now(), ClientID: id, Err: err})
	}
	key := id
	if key == "" {
		key = err.Error()
	}
	r.count(ctx, key, err)
	r.counters.gaveUp(key)
}

func (r *run) release(ctx context.Context, claim rotate.Claim) {
	_ = claim.Release(ctx) // otherwise it expires
}

// deferClaim releases a claim so that its rotation is not due again for a while.
func (r *run) deferClaim(ctx context.Context, claim rotate.Claim, wait time.Duration) {
	err := r.queue.Defer(ctx, claim, time.Now().Add(wait))
	if fault(err) && r.shared { // it would come back whenever the claim expires
		r.stop(journalError(err))
	}
}
