package rotate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// maxRestarts is how often a stored next secret may be given up in one hold because somebody else cancelled it.
const maxRestarts = 3

// step makes one transition, or says how long to wait for it. Nothing here relies on an earlier step of the same process:
// settle finds out what is not known.
func (w *work) step(ctx context.Context) (wait time.Duration, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if w.rec.State == Grace && !w.rec.Abort {
		if wait, err := w.hold(ctx); wait > 0 || err != nil {
			return wait, err
		}
	}
	if w.rec.State == Planned && w.rec.Current.IsZero() && !w.rec.Abort {
		if w.rec.Current, err = w.told(ctx); err != nil {
			return 0, err
		}
	}
	next, err := w.settle(ctx)
	if err != nil {
		return 0, err
	}
	return 0, w.act(ctx, next)
}

func (w *work) act(ctx context.Context, next action) error {
	switch next {
	case start:
		return w.start(ctx)
	case proceed:
		return w.proceed(ctx)
	case promote:
		if w.rec.State == Started || w.rec.State == Delivered {
			return w.proceed(ctx) // completed by somebody else before the deliverers had it
		}
		return w.finish(ctx)
	case discard:
		return w.planAgain(ctx)
	case replace:
		if err := w.cancel(ctx); err != nil {
			return err
		}
		return w.planAgain(ctx)
	case giveUp, ended:
		return w.end(ctx)
	case stopInconsistent:
		return wrong(ErrInconsistent, "it accepts the next secret, and says that none is pending")
	case stopOther:
		if p, _ := w.compare(); p == ours {
			return wrong(ErrOtherRotation, "the pending secret ends like the stored one, which is refused")
		}
		return ErrOtherRotation
	case stopRefused:
		return w.stop(ctx, ErrCurrentRefused)
	case stopUnknown:
		return w.stop(ctx, ErrCurrentUnknown)
	case stopNeither:
		return w.stop(ctx, ErrNoWorkingSecret)
	}
	panic(fmt.Sprintf("rotate: no action %d", next))
}

// stop records that a human is needed, unless nothing was begun.
func (w *work) stop(ctx context.Context, why error) error {
	if w.rec.State == Planned {
		return why
	}
	if w.rec.Abort && w.proofs.Next == Accepted { // it can be completed all the same
		err := w.advance(ctx, w.rec.State, func(r *Record) { r.Abort = false })
		return errors.Join(wrong(why, "so the rotation cannot be cancelled"), err)
	}
	from := w.rec.State
	err := w.advance(ctx, NeedsHuman, func(r *Record) { r.Stopped, r.Reason = from, why.Error() })
	return errors.Join(why, err)
}

// start asks for a next secret and stores it before anything else happens.
func (w *work) start(ctx context.Context) error {
	if err := w.advance(ctx, Starting); err != nil {
		return err
	}
	var next secret.String
	err := w.effect(ctx, func(ctx context.Context) (err error) {
		next, err = w.r.target.Start(ctx, w.rec.ClientID)
		w.hear(next)
		return err
	})
	if err != nil {
		if !outcomeUnknown(err) {
			return w.refused(ctx, err)
		}
		return err
	}
	if next.IsZero() {
		w.forget()
		return &effectError{wrong(ErrInconsistent, "it answered without a next secret")}
	}
	store := func(r *Record) { r.Next, r.Delivered, r.GraceUntil = next, nil, time.Time{} }
	for range 3 {
		if err = w.advance(ctx, Started, store); err == nil || errors.Is(err, ErrBusy) {
			break
		}
	}
	if err != nil {
		return w.unstored(ctx, err)
	}
	w.seen, w.looked = secret.LastFour{Current: w.seen.Current, Next: lastFour(next)}, w.now()
	w.proofs.Next = Unproved
	return nil
}

// refused is for a start that certainly did not happen: whatever is pending now is somebody else's.
func (w *work) refused(ctx context.Context, cause error) error {
	if err := w.advance(ctx, Planned); err != nil {
		return errors.Join(cause, err)
	}
	if _, slow := throttled(cause); slow {
		return cause
	}
	if next, err := w.settle(ctx); err == nil && next == stopOther {
		return because(ErrOtherRotation, cause)
	}
	return cause
}

// unstored is for a next secret that cannot be stored: nobody has it, so it is cancelled if that is safe. Otherwise, and
// if that fails, the record says that it was asked for, and a later run cancels it.
func (w *work) unstored(ctx context.Context, cause error) error {
	if errors.Is(cause, ErrBusy) {
		return cause // whoever took over does it
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.r.cleanupTimeout)
	defer cancel()
	w.forget()
	next, err := w.settle(ctx)
	if err == nil && next == replace {
		err = w.effect(ctx, func(ctx context.Context) error { return w.r.target.Cancel(ctx, w.rec.ClientID) })
	}
	w.forget()
	return errors.Join(cause, err)
}

func (w *work) proceed(ctx context.Context) error {
	if w.rec.State != Started && len(w.missing()) > 0 { // there is one that was not there before
		return w.advance(ctx, Started)
	}
	switch w.rec.State {
	case Started:
		return w.deliver(ctx)
	case Delivered:
		return w.verify(ctx)
	case Verified:
		if w.r.grace > 0 || w.r.ready != nil {
			return w.advance(ctx, Grace, func(r *Record) { r.GraceUntil = w.r.clock.Now().Add(w.r.grace) })
		}
		return w.completing(ctx)
	case Grace:
		return w.completing(ctx)
	case Completing:
		return w.complete(ctx)
	}
	panic("rotate: a next secret is stored in state " + string(w.rec.State))
}

// hold waits for the grace period and for readiness.
func (w *work) hold(ctx context.Context) (wait time.Duration, err error) {
	if wait := w.rec.GraceUntil.Sub(w.r.clock.Now()); wait > 0 {
		return wait, nil
	}
	if w.r.ready == nil {
		return 0, nil
	}
	ready := make(chan bool, 1)
	err = w.bounded(ctx, func(ctx context.Context) error {
		yes, err := w.r.ready(ctx, w.rec.ClientID)
		ready <- yes
		return err
	})
	if err != nil {
		return 0, &failure{fmt.Errorf("rotate: whether all have the next secret is not known: %w", err)}
	}
	if !<-ready {
		return w.r.readyEvery, nil
	}
	return 0, nil
}

// completing records the intent. What the server says is read again before the intent is acted on.
func (w *work) completing(ctx context.Context) error {
	w.looked = learned{}
	return w.advance(ctx, Completing)
}

func (w *work) complete(ctx context.Context) error {
	err := w.effect(ctx, func(ctx context.Context) error { return w.r.target.Complete(ctx, w.rec.ClientID) })
	if err != nil {
		return err
	}
	next := w.proofs.Next
	w.forget()
	if err := w.look(ctx); err != nil {
		return err
	}
	if p, h := w.compare(); p == none && h == holdsNext {
		w.proofs.Next = next
		return w.finish(ctx)
	}
	return nil // the answer alone proves nothing: settle finds out
}

// finish tells the deliverers that the former secret is gone, and erases both from the journal.
func (w *work) finish(ctx context.Context) error {
	if err := w.deliverAll(ctx, Delivery{Secret: w.rec.Next}); err != nil {
		return err
	}
	w.proofs = Working{Current: Refused, Next: Accepted}
	return w.advance(ctx, Completed, erase)
}

// planAgain gives up the stored secret, which is dead, for another one.
func (w *work) planAgain(ctx context.Context) error {
	lost := w.rec.Next.IsZero() // an answer was lost; nobody else had a part in it
	if !lost && w.restarts == maxRestarts {
		return wrong(ErrOtherRotation, "the next secret was given up %d times", w.restarts)
	}
	if !lost {
		w.restarts++
	}
	w.proofs.Next = Unproved
	return w.advance(ctx, Planned, func(r *Record) {
		r.Next, r.Delivered, r.GraceUntil = secret.String{}, nil, time.Time{}
		if !lost {
			r.Restarts++
		}
	})
}

// cancel drops the pending secret. settle has just found that this is safe, and the secret that stays is stored first.
func (w *work) cancel(ctx context.Context) error {
	if err := w.write(ctx, w.rec); err != nil {
		return err
	}
	err := w.effect(ctx, func(ctx context.Context) error { return w.r.target.Cancel(ctx, w.rec.ClientID) })
	if err != nil {
		return err
	}
	w.seen.Next = "" // if this is not so, the next start is refused, and nothing is lost
	w.proofs.Next = Refused
	return nil
}

// end gives the rotation up: first those who use the secret get the current one back, then ours is cancelled.
func (w *work) end(ctx context.Context) error {
	if !w.rec.Next.IsZero() || w.rec.Restarts > 0 {
		if err := w.advance(ctx, w.rec.State, func(r *Record) { r.Delivered = nil }); err != nil { // from now on, nobody has the next one for certain
			return err
		}
		if err := w.deliverAll(ctx, Delivery{Secret: w.rec.Current}); err != nil {
			return err
		}
		w.forget() // that may have taken minutes
	}
	next, err := w.settle(ctx)
	switch {
	case err != nil:
		return err
	case next == giveUp:
		if err := w.cancel(ctx); err != nil {
			return err
		}
		if err := w.look(ctx); err != nil {
			return err
		}
		if p, h := w.compare(); p != none || h == holdsNext || h == holdsNeither {
			w.forget()
			return &effectError{wrong(ErrInconsistent, "the cancellation had no effect, or another one")}
		}
	case next != ended:
		return w.act(ctx, next) // it changed meanwhile
	}
	return w.advance(ctx, Cancelled, erase)
}

func erase(r *Record) {
	r.Current, r.Next = secret.String{}, secret.String{}
	r.Delivered = slices.Clone(r.Delivered)
}
