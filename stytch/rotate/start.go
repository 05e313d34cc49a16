package rotate

import (
	"context"
	"errors"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// start asks for a next secret and stores it before anything else happens.
func (w *work) start(ctx context.Context) error {
	first := w.rec.State == Planned // otherwise an earlier request may still be on its way
	if err := w.advance(ctx, Starting); err != nil {
		return err
	}
	var next secret.String
	err := w.effect(ctx, func(ctx context.Context) (err error) {
		next, err = w.r.target.Start(ctx, w.rec.ClientID)
		w.hear(next)
		return err
	})
	var unsent *unsentError
	switch {
	case err == nil:
	case first && errors.As(err, &unsent): // so whatever is pending later is not ours
		return errors.Join(err, w.advance(ctx, Planned))
	case first && !outcomeUnknown(err):
		return w.refused(ctx, err)
	case !outcomeUnknown(err): // perhaps by what became of the earlier request
		return &effectError{cause: err, again: true}
	default:
		return err
	}
	if next.IsZero() {
		w.forget()
		return &effectError{cause: wrong(ErrInconsistent, "it answered without a next secret")}
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

// unstored is for a next secret that cannot be stored: nobody has it, so it is canceled if that is safe. Otherwise, and
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
