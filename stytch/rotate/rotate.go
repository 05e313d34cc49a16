package rotate

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"
)

// Rotator rotates secrets. It is safe for concurrent use: one serves all clients of a target. It holds no secret, and
// nothing runs in it between calls.
type Rotator struct {
	target     Target
	deliverers []namedDeliverer
	journal    Journal
	settings
}

// New returns a rotator. It touches neither the network nor the journal. Every error names the argument or option and the
// rule that it breaks, and is [ErrInvalidArgument].
func New(target Target, deliverer Deliverer, journal Journal, options ...Option) (*Rotator, error) {
	if target == nil || deliverer == nil || journal == nil {
		return nil, wrong(ErrInvalidArgument, "target, deliverer and journal must not be nil")
	}
	r := &Rotator{target: target, deliverers: named(deliverer), journal: journal, settings: defaults()}
	if len(r.deliverers) == 0 {
		return nil, wrong(ErrInvalidArgument, "deliverers must not be empty: the next secret would be nowhere but in the journal")
	}
	for _, d := range r.deliverers {
		if d.name == "" || len(d.name) > 64 || !utf8.ValidString(d.name) {
			return nil, wrong(ErrInvalidArgument, "deliverer %.64q: the name must be of 1 to 64 bytes of UTF-8", d.name)
		}
		if d.Deliverer == nil {
			return nil, wrong(ErrInvalidArgument, "deliverer %.64q must not be nil", d.name)
		}
	}
	r.prober, _ = target.(Prober)
	if err := r.apply(options); err != nil {
		return nil, err
	}
	if r.prober == nil {
		return nil, wrong(ErrInvalidArgument, "the target cannot prove a secret: give WithProber")
	}
	return r, nil
}

func (s *settings) apply(options []Option) error {
	for _, option := range options {
		if option == nil {
			return wrong(ErrInvalidArgument, "option must not be nil")
		}
		if err := option(s); err != nil {
			return err
		}
	}
	return nil
}

// Plan records that a client is to be rotated, for [Rotator.Step] or a worker that comes later. It does nothing if a
// rotation is under way.
func (r *Rotator) Plan(ctx context.Context, clientID string) error {
	w, err := r.take(ctx, clientID)
	if err != nil {
		return err
	}
	defer w.release(ctx)
	if w.rec.active() {
		return nil
	}
	if err := w.write(ctx, r.planned(clientID)); err != nil {
		return w.fail(ctx, err)
	}
	return nil
}

func (r *Rotator) planned(clientID string) Record {
	return NewRecord(clientID, r.clock.Now())
}

// Run rotates the secret of a client, or goes on with the rotation that is under way, to its end: it waits out the grace
// period. When it returns nil the next secret is the current one, the deliverers have it, and the former is refused.
//
// Every other outcome is an [*Error]. Calling Run again goes on from there; only where nothing but the record of the end could
// not be written for certain does it begin another rotation, which Resume never does. If ctx ends, what was sent to the server is
// waited for and recorded, which takes the timeout of a call and of a few writes of the journal at most; where that cannot be
// recorded, or with [WithCancelOnFailure], that of a clean-up more.
func (r *Rotator) Run(ctx context.Context, clientID string) error {
	return r.drive(ctx, clientID, func(w *work) error {
		if !w.rec.active() {
			w.plan()
		}
		return nil
	})
}

// Resume goes on with a rotation that is under way, as [Rotator.Run] does, and begins none: that is [ErrNoRotation].
func (r *Rotator) Resume(ctx context.Context, clientID string) error {
	return r.drive(ctx, clientID, (*work).mustBeActive)
}

// Cancel gives up the rotation that is under way: the current secret is proved, the deliverers get it back, and the next one
// is canceled. It is [ErrNoRotation] if there is none, or if it was completed before it could be canceled. A cancellation
// that fails halfway is gone on with by whatever is called next.
func (r *Rotator) Cancel(ctx context.Context, clientID string) error {
	var w *work
	err := r.drive(ctx, clientID, func(work *work) error {
		w = work
		if err := w.mustBeActive(); err != nil {
			return err
		}
		return w.abort(ctx)
	})
	if err == nil && w.rec.State == Completed {
		return w.fail(ctx, wrong(ErrNoRotation, "it was completed already"))
	}
	if errors.Is(err, ErrCanceled) {
		return nil
	}
	return err
}

func (w *work) mustBeActive() error {
	if !w.rec.active() {
		return ErrNoRotation
	}
	return nil
}

// abort records that the rotation is to be given up.
func (w *work) abort(ctx context.Context) error {
	return w.advance(ctx, w.rec.State, func(r *Record) { r.Abort = true })
}

// drive claims a client, prepares its record, and makes steps until the end.
func (r *Rotator) drive(ctx context.Context, clientID string, prepare func(*work) error) error {
	w, err := r.take(ctx, clientID)
	if err != nil {
		return err
	}
	defer w.release(ctx)
	if err := prepare(w); err != nil {
		return w.fail(ctx, err)
	}
	for {
		wait, err := w.walk(ctx)
		if err == nil && wait > 0 {
			err = w.pause(ctx, wait)
		}
		if err != nil {
			return w.failOrGiveUp(ctx, err)
		}
		if wait == 0 {
			return w.outcome()
		}
	}
}

// outcome is what a rotation at its end means to the caller.
func (w *work) outcome() error {
	if w.rec.State == Canceled {
		return w.wrap(ErrCanceled)
	}
	return nil
}

// walk makes steps until the end, a wait, or an error that another try does not help.
func (w *work) walk(ctx context.Context) (wait time.Duration, err error) {
	const rounds = 4
	for failed := 0; !w.rec.State.Final(); {
		before := w.rec.State
		wait, err := w.step(ctx)
		if err == nil && wait == 0 && w.rec.State == before {
			err = &effectError{cause: wrong(ErrInconsistent, "it said that it was done, and it was not")}
		}
		switch {
		case err != nil:
			var lost *effectError
			pause, slow := throttled(err)
			if failed++; failed == rounds || errors.Is(err, ErrJournal) || !slow && (!errors.As(err, &lost) || !lost.again && !outcomeUnknown(err)) {
				return 0, err // what a failed write left behind is not known: begin with the journal again
			}
			if slow && pause > maxPause { // better resumed later
				return 0, err
			}
			if slow {
				if err := w.pause(ctx, max(pause, time.Second<<failed)); err != nil {
					return 0, err
				}
			}
		case wait > 0:
			return wait, nil
		default:
			if w.rec.State != Starting && w.rec.State != Planned { // which follow each other when answers are lost
				failed = 0
			}
		}
	}
	return 0, nil
}

// pause waits, and keeps the claim meanwhile.
func (w *work) pause(ctx context.Context, wait time.Duration) error {
	for end := w.r.clock.Now().Add(wait); ; {
		left := end.Sub(w.r.clock.Now())
		if left <= 0 {
			return nil
		}
		if err := w.r.clock.Sleep(ctx, min(left, w.r.life()/8)); err != nil {
			return err
		}
		if err := w.renew(ctx); err != nil {
			return err
		}
	}
}

// failOrGiveUp ends a run that cannot go on: it leaves the rotation to be resumed, or cancels it if that was asked for.
func (w *work) failOrGiveUp(ctx context.Context, cause error) error {
	var ofCaller *failure
	begun := w.rec.State == Started || w.rec.State == Delivered || w.rec.State == Verified || w.rec.State == Grace
	if !w.r.cancelOnFailure || !begun || w.rec.Abort || !errors.As(cause, &ofCaller) && ctx.Err() == nil || errors.Is(cause, ErrBusy) {
		return w.fail(ctx, cause)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.r.cleanupTimeout)
	defer cancel()
	err := w.abort(ctx)
	if err == nil {
		_, err = w.walk(ctx)
	}
	if err == nil && w.rec.State == Completed {
		return nil
	}
	if err == nil {
		err = ErrCanceled
	}
	return w.fail(ctx, errors.Join(err, cause))
}
