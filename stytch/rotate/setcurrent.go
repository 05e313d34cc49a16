package rotate

import (
	"context"

	"github.com/stytchkit/m2m/stytch/secret"
)

// SetCurrent stores the current secret of a client in its record, for a rotation that needs it
// although neither [WithCurrent] nor a place has it. With a rotation in progress the record gets
// the secret, and [Rotator.Resume] continues from there. Otherwise a rotation is planned, and Run
// or Resume begins it; where the journal is a [Queue], any worker may. The record keeps the secret
// until that rotation ends.
//
// The server is asked once, and the secret is proved, which is one billed token. Nothing is changed
// if it does not end like the current one or is refused ([ErrCurrentRefused]), if it is the next
// one, or if the record has another one that works ([ErrInvalidArgument]).
func (r *Rotator) SetCurrent(ctx context.Context, clientID string, s secret.String) error {
	if s.IsZero() {
		return &Error{ClientID: clientID, Err: wrong(ErrInvalidArgument, "SetCurrent: the secret must not be empty")}
	}
	t, err := r.claimFor(ctx, clientID)
	if err != nil {
		return err
	}
	defer t.release(ctx)
	t.trackSecret(s)
	if err := t.isCurrent(ctx, s); err != nil {
		return t.fail(ctx, err)
	}
	rec := t.rec
	if !rec.active() {
		rec = NewRecord(clientID, t.now())
	}
	if err := t.write(ctx, changed(rec, rec.State, func(r *Record) { r.Current = s })); err != nil {
		return t.fail(ctx, err)
	}
	return nil
}

// isCurrent has no error if a secret is proved to be the current one, and takes the place of none
// that works.
func (t *rotation) isCurrent(ctx context.Context, s secret.String) error {
	if err := t.observe(ctx); err != nil {
		return err
	}
	seen, end := t.o.seen, lastFour(s)
	switch {
	case s.Equal(t.rec.Next), seen.Rotating() && end == seen.Next && end != seen.Current:
		return wrong(ErrInvalidArgument, "SetCurrent: it is the next secret, and not the current one")
	case seen.Current != "" && end != seen.Current:
		return wrong(ErrCurrentRefused, "the server's current secret ends differently than the one that was given")
	}
	works, err := t.accepts(ctx, s)
	switch {
	case err != nil:
		return err
	case !works:
		return wrong(ErrCurrentRefused, "tried the one that was given")
	case t.rec.Current.IsZero(), t.rec.Current.Equal(s):
		return nil
	}
	if works, err = t.accepts(ctx, t.rec.Current); err != nil {
		return err
	}
	if works {
		return wrong(ErrInvalidArgument, "SetCurrent: the record has another secret that works")
	}
	return nil
}
