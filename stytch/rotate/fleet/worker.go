package fleet

import (
	"context"
	"errors"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
)

const (
	queueTries     = 5 // to get a response from the queue, over half a minute
	unreadableEnds = 3 // unreadable records in a row count as nothing left
	releaseTimeout = 30 * time.Second
)

// work takes what is due until nothing is left.
func (r *run) work(ctx context.Context) {
	for failures := 0; ctx.Err() == nil; {
		wake, planning := r.idle.channel(), r.planning.Load() // before Next, which may miss what is planned later
		asked := time.Now()
		claim, wait, err := r.queue.Next(ctx, r.rotator.ClaimLife())
		var one *clientError
		switch {
		case err == nil:
			failures = 0
			r.unreadable.Store(0)
			r.advance(ctx, claim, asked)
		case errors.As(err, &one):
			if one.waited && !stopped(ctx, one.err) {
				r.counters.resumed()
			}
			r.failed(ctx, one.clientID, one.err)
		case errors.Is(err, rotate.ErrNoRotation):
			failures = 0
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
			if failures++; failures == queueTries {
				r.stop(journalError(err))
				return
			}
			sleep(ctx, nil, time.Second<<failures)
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
	switch {
	case err == nil && status.Wait > 0:
		r.counters.waits()
		r.deferClaim(ctx, claim, status.Wait)
		return
	case err == nil:
		r.counters.done(id)
	default:
		r.count(ctx, id, err)
	}
	tries := r.counters.tries(id)
	switch {
	case tries == before || !r.shared || status.State == rotate.NeedsHuman || status.State.Final():
		r.release(ctx, claim)
	case tries < r.maxTries:
		r.deferClaim(ctx, claim, retryAfter)
	default:
		r.deferClaim(ctx, claim, r.asideFor())
	}
}

// count counts an error of a client.
func (r *run) count(ctx context.Context, id string, err error) {
	switch {
	case errors.Is(err, rotate.ErrBusy):
		r.counters.add(&r.counters.report.Busy)
	case errors.Is(err, rotate.ErrGone):
		r.counters.gone(id)
	case !stopped(ctx, err):
		r.counters.failed(id, err)
	case inProgressBy(err):
		r.counters.add(&r.counters.report.Left)
	}
}

// stopped reports whether a rotation was left because ctx ended. One that was canceled for that
// reason has reached its end.
func stopped(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, ctx.Err()) && !errors.Is(err, rotate.ErrCanceled)
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
	if r.observe != nil && !stopped(ctx, err) {
		r.observe(ctx, rotate.Event{Time: time.Now(), ClientID: id, Err: err})
	}
	key := id
	if key == "" {
		key = err.Error()
	}
	r.count(ctx, key, err)
}

func (r *run) release(ctx context.Context, claim rotate.Claim) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	_ = claim.Release(ctx) // otherwise it expires
}

// deferClaim releases a claim so that its rotation is not due again for a while.
func (r *run) deferClaim(ctx context.Context, claim rotate.Claim, wait time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	_ = r.queue.Defer(ctx, claim, time.Now().Add(wait)) // otherwise it expires
}
