package rotate

import (
	"context"

	"github.com/stytchkit/m2m/stytch/secret"
)

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

// end gives the rotation up: first those who use the secret get the current one back, then ours is canceled.
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
			return &effectError{cause: wrong(ErrInconsistent, "the cancellation had no effect, or another one")}
		}
	case next != ended:
		return w.act(ctx, next) // it changed meanwhile
	}
	return w.advance(ctx, Canceled, erase)
}

func erase(r *Record) { r.Current, r.Next = secret.String{}, secret.String{} }
