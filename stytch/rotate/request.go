package rotate

import (
	"context"
	"time"
)

// call makes one request that only reads.
func (w *work) call(ctx context.Context, request func(context.Context) error) error {
	if err := w.r.limiter.Wait(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, w.r.callTimeout)
	defer cancel()
	return w.r.heed(request(ctx))
}

// recent is how old a look may be when something is changed because of it.
const recent = time.Second

// effect makes one request that changes the server. The caller's context can keep it from being sent, but not from being
// answered: half of a secret's life would be lost with the answer. It is not sent when the claim is about to end, so that a
// process that was paused does not act on what it knew before.
func (w *work) effect(ctx context.Context, request func(context.Context) error) error {
	if err := w.clear(ctx); err != nil {
		return &unsentError{err}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.r.callTimeout)
	defer cancel()
	err := w.r.heed(request(ctx))
	if err != nil {
		w.forget()
		return &effectError{cause: err}
	}
	return nil
}

// clear returns nil when a request that changes the server may be sent at once.
func (w *work) clear(ctx context.Context) error {
	if err := w.r.limiter.Wait(ctx); err != nil {
		return err
	}
	if err := w.renew(ctx); err != nil {
		return err
	}
	if w.r.clock.Now().Sub(w.looked.at) > recent { // the limiter or the journal took its time
		if err := w.lookAgain(ctx); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return w.holds(w.r.callTimeout)
}

// holds makes sure that the claim lasts for what is done next.
func (w *work) holds(d time.Duration) error {
	if w.until.Sub(w.r.clock.Now()) < d {
		return wrong(ErrBusy, "the claim on the journal is about to end")
	}
	return nil
}

// lookAgain makes sure that the server still says what it said.
func (w *work) lookAgain(ctx context.Context) error {
	before := w.seen
	if err := w.look(ctx); err != nil {
		return err
	}
	if w.seen != before {
		w.forget()
		return &effectError{cause: wrong(ErrInconsistent, "its secrets changed meanwhile")}
	}
	return nil
}

// effectError is a failure after which the state of the server has to be read again, and then something else may be done.
type effectError struct {
	cause error
	again bool // also after a refusal
}

func (e *effectError) Error() string { return e.cause.Error() }
func (e *effectError) Unwrap() error { return e.cause }

// unsentError is a failure before a request was sent.
type unsentError struct{ cause error }

func (e *unsentError) Error() string { return e.cause.Error() }
func (e *unsentError) Unwrap() error { return e.cause }

// heed tells the limiter what the server asked for.
func (r *Rotator) heed(err error) error {
	if wait, ok := throttled(err); err != nil && ok {
		r.limiter.Throttle(wait)
	}
	return err
}
