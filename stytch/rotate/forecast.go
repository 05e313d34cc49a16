package rotate

import (
	"context"
	"errors"
	"time"
)

// Forecast is what a rotation, or those of a fleet, will cost if nothing fails.
type Forecast struct {
	Clients      int           // that will be rotated
	Skipped      int           // that a fleet leaves alone
	Failed       int           // that a fleet cannot rotate: a record, a place or a secret cannot be read
	Calls        int           // requests to the server, proofs included
	BilledTokens int           // proofs of secrets that work; none with [ByLastFour]
	Duration     time.Duration // by the limiter and the grace period

	Failures []error // the first 100 of Failed, each an [*Error]
}

// Forecast is a dry run: it returns what [Rotator.Run] would cost now, and changes nothing. It
// reads the journal, asks [WithCurrent] and the places, and asks the server once, so it finds an
// unknown client, a current secret that no one has, or another rotation that is pending.
func (r *Rotator) Forecast(ctx context.Context, clientID string) (Forecast, error) {
	rec, err := r.read(ctx, clientID)
	if err != nil && !errors.Is(err, ErrNoRotation) {
		return Forecast{}, &Error{ClientID: clientID, Err: ofJournal(err)}
	}
	if !rec.active() {
		rec = Record{ClientID: clientID, State: Planned}
	}
	t, err := r.from(ctx, rec)
	if err != nil {
		return Forecast{}, err
	}
	if err := t.observe(ctx); err != nil {
		return Forecast{}, t.fail(ctx, err)
	}
	if t.o.now = t.now(); decide(t.o.situation(t.rec, t.config)) == stopOther {
		return Forecast{}, t.fail(ctx, t.o.otherRotation(t.rec))
	}
	f, err := t.estimate(ctx)
	if err == nil {
		f, err = t.limited(ctx, f)
	}
	if err != nil {
		return Forecast{}, t.fail(ctx, err)
	}
	return f, nil
}

// limited is a forecast with the time that the limiter adds.
func (t *rotation) limited(ctx context.Context, f Forecast) (Forecast, error) {
	if l, ok := t.limiter.(interface{ Rate() float64 }); ok {
		if err := t.guarded(ctx, "Limiter.Rate", func() error {
			f.Duration += time.Duration(float64(f.Calls) / l.Rate() * float64(time.Second))
			return nil
		}); err != nil {
			return Forecast{}, err
		}
	}
	return f, nil
}

// estimate asks the sources where that makes a difference.
func (t *rotation) estimate(ctx context.Context) (Forecast, error) {
	if t.rec.State == Planned && t.rec.Current.IsZero() {
		for {
			source, ok := t.o.unasked(t.config, false)
			if !ok {
				break
			}
			t.o.hears(t.answerOf(ctx, source))
		}
		if err := t.o.unread(); err != nil { // a run finds that out first
			return Forecast{}, err
		}
	}
	known := t.known()
	if t.rec.State == Planned && !known && !t.unknownCurrent {
		return Forecast{Calls: 1}, t.o.unknownCurrent(t.config)
	}
	return t.forecast(t.rec, known), nil
}

// known reports whether a current secret is known, which is going to be proved.
func (t *rotation) known() bool {
	known, _ := t.o.current(t.o.withCurrent(t.rec))
	return known
}

// forecast counts the calls from a state to the end: looks, proofs, and the three that change the
// server.
func (c *config) forecast(rec Record, known bool) Forecast {
	f := Forecast{Clients: 1}
	proofs := 2 // of the next secret, before and after the completion
	switch rec.State {
	case Planned:
		f.Calls = 5 // look, start; look, complete, look
	case Starting:
		f.Calls = 7 // and a look and a cancellation, if the answer was lost
	case Completing:
		f.Calls = 3 // look, complete, look
	default:
		f.Calls = 4 // look; look, complete, look
	}
	if known && (rec.State == Planned || rec.State == Starting) {
		proofs++
	}
	switch {
	case rec.State == Grace && !c.compromised:
		f.Duration = max(0, rec.GraceUntil.Sub(c.now()))
	case rec.State != Grace && rec.State != Completing && c.waits():
		f.Duration = c.grace
		f.Calls, proofs = f.Calls+1, proofs+1 // what was learned is no longer valid by then
	}
	f.Calls += proofs
	_, free := c.prober.(lastFourProber)
	switch {
	case !c.compromised || !known:
	case free:
		f.Calls++ // one more, which is refused
	default:
		f.Calls += 2 // the same: not billed, but followed by a look whether the client is active
	}
	if !free {
		f.BilledTokens = proofs
	}
	return f
}
