package rotate

import (
	"context"
	"errors"

	"github.com/stytchkit/m2m/stytch/secret"
)

// Forget gives up the record of a rotation in progress, by decision of an operator, for a rotation
// that nothing else can end. It changes nothing at the server or at the places. The record becomes
// [Gone], the secrets in it are erased, and the observers see the change. A secret that is pending
// at the server stays there: the next Run reports it as [ErrOtherRotation].
//
// First it proves that no working secret is lost: one that is held outside of the journal, by
// WithCurrent or a place that can be read, must work, or else none in the record may. If the record
// holds the only one that works, the error is [ErrOnlySecret]; if a proof fails for another reason,
// it is that reason. Nothing is changed then. If there is nothing to give up, the error is
// [ErrNoRotation].
func (r *Rotator) Forget(ctx context.Context, clientID string) error {
	t, err := r.claimFor(ctx, clientID)
	if err != nil {
		return err
	}
	defer t.release(ctx)
	if err := t.mustBeActive(); err != nil {
		return t.fail(ctx, err)
	}
	if err := t.dispensable(ctx); err != nil && !gone(err) {
		return t.fail(ctx, err)
	}
	if err := t.write(ctx, erased(t.rec, Gone)); err != nil {
		return t.fail(ctx, err)
	}
	return nil
}

// dispensable has no error if the record can go without the loss of a secret that works.
func (t *rotation) dispensable(ctx context.Context) error {
	held, unread := t.heldElsewhere(ctx)
	for i, s := range held {
		if contains(held[:i], s) {
			continue
		}
		if works, err := t.accepts(ctx, s); works || err != nil {
			return err
		}
	}
	for _, s := range []secret.String{t.rec.Current, t.rec.Next} {
		if s.IsZero() || contains(held, s) {
			continue
		}
		works, err := t.accepts(ctx, s)
		switch {
		case err != nil:
			return err
		case works:
			return joined(ErrOnlySecret, unread)
		}
	}
	return nil
}

// heldElsewhere is every secret that the caller or a place has. What cannot be read holds nothing,
// as far as anyone can prove.
func (t *rotation) heldElsewhere(ctx context.Context) (held []secret.String, unread error) {
	add := func(err error, found ...secret.String) {
		unread = errors.Join(unread, err)
		for _, s := range found {
			if !s.IsZero() {
				held = append(held, s)
			}
		}
	}
	for _, source := range t.sources() {
		a := t.answerOf(ctx, source)
		add(a.err, a.secret, a.previous)
	}
	return held, unread
}

// accepts proves a secret, and remembers what that shows of those in the record.
func (t *rotation) accepts(ctx context.Context, s secret.String) (accepted bool, err error) {
	accepted, m, err := t.probe(ctx, s)
	if err != nil {
		return false, err
	}
	if s.Equal(t.rec.Current) {
		t.o.proves(currentSecret, s, accepted, m)
	}
	if s.Equal(t.rec.Next) {
		t.o.proves(nextSecret, s, accepted, m)
	}
	return accepted, nil
}

func contains(all []secret.String, s secret.String) bool {
	for _, one := range all {
		if one.Equal(s) {
			return true
		}
	}
	return false
}
