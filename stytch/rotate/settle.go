package rotate

import (
	"context"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// fresh is how long what was read or proved is good for. It is long enough for the steps of one rotation without a grace
// period, so that these cost two tokens and not four, and short against anything that people do by hand.
const fresh = 5 * time.Second

// maxDoubts is how often a contradiction is looked into once more.
const maxDoubts = 2

// learned is when something was learned: the time before asking, and which settling it was asked in.
type learned struct {
	at       time.Time
	settling int
}

// forget drops what was read and proved.
func (w *work) forget() { w.looked, w.proofs = learned{}, Working{} }

// situation is what is known now. What is no longer fresh counts as unknown.
func (w *work) situation() situation {
	s := situation{
		stored: !w.rec.Next.IsZero(), asked: w.rec.State == Starting, known: !w.rec.Current.IsZero(), told: w.rec.Restarts > 0,
		abort: w.rec.Abort, takeOver: w.r.takeOver, sure: w.doubts >= maxDoubts,
		looked: w.good(w.looked),
	}
	if w.good(w.proved.current) {
		s.working.Current = w.proofs.Current
	}
	if w.good(w.proved.next) {
		s.working.Next = w.proofs.Next
	}
	s.pending, s.holder = w.compare()
	return s
}

// good reports whether what was learned can be relied on. All that is learned while something is being found out can: where
// each answer takes long, that would never come to an end otherwise.
func (w *work) good(l learned) bool {
	return !l.at.IsZero() && (l.settling == w.settling || w.r.clock.Now().Sub(l.at) <= fresh)
}

// compare reads the last four characters.
func (w *work) compare() (pending, holder) {
	var p pending
	current, next := lastFour(w.rec.Current), lastFour(w.rec.Next)
	switch {
	case !w.seen.Rotating():
		p = none
	case next != "" && w.seen.Next == next:
		p = ours
	default:
		p = other
	}
	switch {
	case w.seen.Current == "" && current != "" && w.seen.Next == current:
		return p, holdsNeither // what is stored as the current one is the pending one
	case w.seen.Current == "":
		return p, unsaid
	case current != "" && w.seen.Current == current:
		return p, holdsCurrent
	case next != "" && w.seen.Current == next:
		return p, holdsNext
	case current == "" && next == "":
		return p, unsaid
	}
	return p, holdsNeither
}

// settle finds out what decide asks for until it says what to do.
func (w *work) settle(ctx context.Context) (action, error) {
	w.settling++
	w.doubts = 0
	for {
		s := w.situation()
		switch a := decide(s); a {
		case look:
			if err := w.look(ctx); err != nil {
				return 0, err
			}
			// Proofs from before a surprise prove nothing about what is now.
			if p, _ := w.compare(); s.stored && p != ours || !s.stored && p != none {
				w.proofs = Working{}
			}
		case proveCurrent:
			if err := w.prove(ctx, w.rec.Current, &w.proofs.Current, &w.proved.current); err != nil {
				return 0, err
			}
		case proveNext:
			if err := w.prove(ctx, w.rec.Next, &w.proofs.Next, &w.proved.next); err != nil {
				return 0, err
			}
		case doubt:
			w.forget()
			w.doubts++
			if err := w.pause(ctx, time.Duration(w.doubts)*time.Second); err != nil {
				return 0, err
			}
		case stopRefused, stopUnknown, stopNeither:
			if mended, err := w.toldAnew(ctx); !mended || err != nil {
				return a, err
			}
		default:
			return a, nil
		}
	}
}

func (w *work) look(ctx context.Context) error {
	return w.call(ctx, func(ctx context.Context) error {
		now := w.now()
		seen, err := w.r.target.LastFour(ctx, w.rec.ClientID)
		if err == nil {
			w.seen, w.looked = seen, now
		}
		return err
	})
}

func (w *work) now() learned { return learned{w.r.clock.Now(), w.settling} }

func (w *work) prove(ctx context.Context, s secret.String, verdict *Verdict, at *learned) error {
	return w.call(ctx, func(ctx context.Context) error {
		now := w.now()
		accepted, err := w.r.prober.Probe(ctx, w.rec.ClientID, s)
		if err != nil {
			return err
		}
		*verdict, *at = Refused, now
		if accepted {
			*verdict = Accepted
		}
		return nil
	})
}
