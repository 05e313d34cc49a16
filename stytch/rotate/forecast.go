package rotate

import (
	"context"
	"errors"
	"time"
)

// Forecast is what a rotation, or those of a fleet, will cost if nothing goes wrong.
type Forecast struct {
	Clients      int           // that will be rotated
	Skipped      int           // that a fleet leaves alone
	Calls        int           // requests to the server, proofs included
	BilledTokens int           // proofs of secrets that work; none with [ByLastFour]
	Duration     time.Duration // as far as the limiter and the grace period decide it
}

// add sums up, for one after the other.
func (f *Forecast) add(o Forecast) {
	f.Clients += o.Clients
	f.Skipped += o.Skipped
	f.Calls += o.Calls
	f.BilledTokens += o.BilledTokens
	f.Duration = max(f.Duration, o.Duration)
}

// Forecast is a dry run: it says what [Rotator.Run] would cost now, and changes nothing. It reads the journal and asks the server
// once, so an unknown client or somebody else's rotation is found.
func (r *Rotator) Forecast(ctx context.Context, clientID string) (Forecast, error) {
	rec, err := r.journal.Read(ctx, clientID)
	if err != nil && !errors.Is(err, ErrNoRotation) {
		return Forecast{}, &Error{ClientID: clientID, Err: ofJournal(err)}
	}
	if !rec.active() {
		rec = Record{ClientID: clientID, State: Planned}
	}
	rec = rec.again()
	w := &work{r: r, rec: rec, stage: rec.State}
	if err := w.look(ctx); err != nil {
		return Forecast{}, w.fail(ctx, err)
	}
	if w.rec.State == Planned && w.seen.Rotating() && !r.takeOver {
		return Forecast{}, w.fail(ctx, ErrOtherRotation)
	}
	f := r.forecast(rec)
	if l, ok := r.limiter.(interface{ Rate() float64 }); ok {
		f.Duration += time.Duration(float64(f.Calls) / l.Rate() * float64(time.Second))
	}
	return f, nil
}

// forecast counts the calls from a state to the end: looks, proofs, and the three that change the server.
func (r *Rotator) forecast(rec Record) Forecast {
	f := Forecast{Clients: 1}
	var proofs int
	switch rec.State {
	case Planned:
		f.Calls, proofs = 5, 2 // look, start; look, complete, look
	case Starting:
		f.Calls, proofs = 7, 2 // and a look and a cancellation, if the answer was lost
	case Completing:
		f.Calls, proofs = 3, 1 // look, complete, look
	default:
		f.Calls, proofs = 4, 1 // look; look, complete, look
	}
	switch {
	case rec.State == Grace:
		f.Duration = max(0, rec.GraceUntil.Sub(r.clock.Now()))
	case rec.State != Completing && (r.grace > 0 || r.ready != nil):
		f.Duration = r.grace
		f.Calls, proofs = f.Calls+1, proofs+1 // what is known is old by then
	}
	f.Calls += proofs
	if _, free := r.prober.(lastFourProber); !free {
		f.BilledTokens = proofs
	}
	return f
}
