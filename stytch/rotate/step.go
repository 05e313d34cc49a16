package rotate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// maxRestarts is how often a stored next secret may be given up in one hold because somebody else canceled it.
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
		return errors.Join(wrong(why, "so the rotation cannot be canceled"), err)
	}
	from := w.rec.State
	err := w.advance(ctx, NeedsHuman, func(r *Record) { r.Stopped, r.Reason = from, why.Error() })
	return errors.Join(why, err)
}

func (w *work) proceed(ctx context.Context) error {
	if w.rec.State != Started && len(w.missing()) > 0 { // there is one that was not there before
		return w.advance(ctx, Started)
	}
	switch w.rec.State {
	case Started:
		return w.deliver(ctx)
	case Delivered:
		if err := w.verify(ctx); err != nil {
			return err
		}
		return w.advance(ctx, Verified)
	case Verified:
		if w.r.grace > 0 || w.r.ready != nil {
			return w.advance(ctx, Grace, func(r *Record) { r.GraceUntil = w.r.clock.Now().Add(w.r.grace) })
		}
		return w.completing(ctx)
	case Grace:
		if err := w.verify(ctx); err != nil { // much may have happened to the places meanwhile
			return err
		}
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
