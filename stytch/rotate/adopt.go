package rotate

import (
	"context"

	"github.com/stytchkit/m2m/stytch/secret"
)

// Adopt continues a rotation whose journal was lost, and takes it to its end as [Rotator.Run] does.
// It is for a client that is [ErrOtherRotation] although its places hold both secrets.
//
// The current and the next secret are taken from WithCurrent and from the places that can be read.
// Both must end as the server reports, and both must be proved. Then a record is written from which
// the rotation continues: its deliverers are called unless their place holds the next secret.
//
// Nothing is changed if that is not so. Then the error is [ErrNotAdopted] for the next secret,
// [ErrCurrentRefused] or (unless [WithUnknownCurrent] permits it) [ErrCurrentUnknown] for the
// current one, [ErrNoRotation] if nothing is pending at the server, and otherwise that of the place
// or the proof that failed.
func (r *Rotator) Adopt(ctx context.Context, clientID string) error {
	t, err := r.claimFor(ctx, clientID)
	if err != nil {
		return err
	}
	defer t.release(ctx)
	rec, err := t.adopted(ctx)
	if err != nil {
		return t.fail(ctx, err)
	}
	if err := t.write(ctx, rec); err != nil {
		return t.fail(ctx, err)
	}
	t.o = observation{claimEnds: t.o.claimEnds, durable: true}
	if _, err := t.run(ctx, throughout); err != nil {
		return err
	}
	return t.outcome()
}

// adopted is the record of the rotation that the server and the places have.
func (t *rotation) adopted(ctx context.Context) (Record, error) {
	if err := t.observe(ctx); err != nil {
		return Record{}, err
	}
	seen := t.o.seen
	if !seen.Rotating() {
		return Record{}, wrong(ErrNoRotation, "the server has no next secret")
	}
	held, err := t.everything(ctx)
	if err != nil {
		return Record{}, err
	}
	next, refused, err := t.theOne(ctx, held, func(s secret.String) bool { return lastFour(s) == seen.Next })
	switch {
	case err != nil:
		return Record{}, err
	case refused:
		return Record{}, wrong(ErrNotAdopted, "a secret of the places ends like the pending one, and is refused")
	case next.IsZero():
		return Record{}, wrong(ErrNotAdopted, "no place that can be read holds the pending secret")
	}
	current, refused, err := t.theOne(ctx, held, func(s secret.String) bool {
		return !s.Equal(next) && (seen.Current == "" || lastFour(s) == seen.Current)
	})
	switch {
	case err != nil:
		return Record{}, err
	case refused:
		return Record{}, t.o.refusedCurrent(t.rec, t.config)
	case current.IsZero() && seen.Current == seen.Next:
		return Record{}, wrong(ErrNotAdopted, "both secrets end alike, so nothing shows which of them the places hold")
	case current.IsZero() && !t.unknownCurrent:
		return Record{}, t.o.unknownCurrent(t.config)
	}
	rec := NewRecord(t.rec.ClientID, t.now())
	rec.State, rec.Current, rec.Next = Started, current, next
	for _, a := range t.o.answers {
		if a.source != fromCaller && a.secret.Equal(next) {
			rec.Delivered = append(rec.Delivered, t.deliverers[a.source].name)
		}
	}
	if len(t.missing(rec)) == 0 {
		rec.State = Delivered
	}
	return rec, nil
}

// everything is all different secrets that the caller, the places and the journal have.
func (t *rotation) everything(ctx context.Context) (held []secret.String, err error) {
	add := func(s secret.String) {
		if !s.IsZero() && !contains(held, s) {
			held = append(held, s)
		}
	}
	for _, source := range t.sources() {
		a := t.answerOf(ctx, source)
		if a.err != nil {
			return nil, a.err
		}
		t.o.hears(a)
		add(a.secret)
		add(a.previous)
	}
	add(t.rec.Current)
	add(t.rec.Next)
	return held, nil
}

// theOne is the only secret of those that match which the server accepts; refused says that some
// match, and none is accepted.
func (t *rotation) theOne(ctx context.Context, held []secret.String, matches func(secret.String) bool) (one secret.String, refused bool, err error) {
	for _, s := range held {
		if !matches(s) {
			continue
		}
		works, err := t.accepts(ctx, s)
		switch {
		case err != nil:
			return secret.String{}, false, err
		case works && !one.IsZero():
			return secret.String{}, false, wrong(ErrNotAdopted, "both secrets end alike, so nothing shows which one is pending")
		case works:
			one = s
		default:
			refused = true
		}
	}
	return one, refused && one.IsZero(), nil
}
