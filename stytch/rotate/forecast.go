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
	Failed       int           // that a fleet cannot rotate because their records cannot be read
	Calls        int           // requests to the server, proofs included
	BilledTokens int           // proofs of secrets that work; none with [ByLastFour]
	Duration     time.Duration // by the limiter and the grace period

	Failures []error // the first 100 of Failed, each an [*Error]
}

// Forecast is a dry run: it returns what [Rotator.Run] would cost now, and changes nothing. It
// reads the journal and asks the server once, so it finds an unknown client or another rotation
// that is pending.
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
	f, err := t.cost(ctx)
	if err != nil {
		return Forecast{}, t.fail(ctx, err)
	}
	return f, nil
}

// cost is what the rest of a rotation will cost.
func (t *rotation) cost(ctx context.Context) (Forecast, error) {
	f := t.forecast(t.rec)
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

// forecast counts the calls from a state to the end: looks, proofs, and the three that change the
// server.
func (c *config) forecast(rec Record) Forecast {
	f := Forecast{Clients: 1}
	var proofs int
	switch rec.State {
	case Planned:
		f.Calls, proofs = 5, 3 // look, start; look, complete, look
	case Starting:
		f.Calls, proofs = 7, 3 // and a look and a cancellation, if the answer was lost
	case Completing:
		f.Calls, proofs = 3, 2 // look, complete, look
	default:
		f.Calls, proofs = 4, 2 // look; look, complete, look
	}
	switch {
	case rec.State == Grace && !c.compromised:
		f.Duration = max(0, rec.GraceUntil.Sub(c.now()))
	case rec.State != Grace && rec.State != Completing && c.waits():
		f.Duration = c.grace
		f.Calls, proofs = f.Calls+1, proofs+1 // what was learned is no longer valid by then
	}
	f.Calls += proofs
	if c.compromised { // and one more, which is refused and not billed
		f.Calls++
	}
	if _, free := c.prober.(lastFourProber); !free {
		f.BilledTokens = proofs
	}
	return f
}
