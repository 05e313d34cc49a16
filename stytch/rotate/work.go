package rotate

import (
	"context"
	"errors"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// fresh is how long what was read or proved is good for. It is long enough for the steps of one rotation without a grace
// period, so that these cost two tokens and not four, and short against anything that people do by hand.
const fresh = 5 * time.Second

// work is one hold of one client: from the claim to its release.
type work struct {
	r     *Rotator
	claim Claim
	rec   Record    // as it is in the journal, except that a rotation that was only just planned may not be there yet
	until time.Time // when the claim ends if nothing is written

	seen   secret.LastFour
	seenAt time.Time // zero: to be read
	proofs Working
	proved struct{ current, next time.Time }
	doubts int
}

// take claims a client and picks up its record.
func (r *Rotator) take(ctx context.Context, clientID string) (*work, error) {
	if clientID == "" {
		return nil, &Error{Err: wrong(ErrInvalidArgument, "client id must not be empty")}
	}
	began := r.clock.Now()
	claim, err := r.journal.Claim(ctx, clientID, r.life())
	if err != nil {
		return nil, &Error{ClientID: clientID, Err: ofJournal(err)}
	}
	return r.pickUp(claim, clientID, began)
}

// pickUp continues from what a claim holds.
func (r *Rotator) pickUp(claim Claim, clientID string, claimed time.Time) (*work, error) {
	w := &work{r: r, claim: claim, rec: claim.Record().clone(), until: claimed.Add(r.life())}
	if w.rec.State == NeedsHuman { // perhaps one has been here: look again
		w.rec.State, w.rec.Stopped, w.rec.Reason = w.rec.Stopped, "", ""
	}
	w.rec.ClientID = clientID
	return w, nil
}

// release gives the claim up, whatever became of the caller.
func (w *work) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.r.callTimeout)
	defer cancel()
	_ = w.claim.Release(ctx) // it expires by itself
}

// write makes rec durable. Afterwards, and only then, it is what the work goes by.
func (w *work) write(ctx context.Context, rec Record) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.r.callTimeout) // what was done must not go unwritten
	defer cancel()
	began := w.r.clock.Now()
	rec.UpdatedAt = began
	if err := w.claim.Write(ctx, rec); err != nil {
		return ofJournal(err)
	}
	from := w.rec.State
	w.rec, w.until = rec, began.Add(w.r.life())
	if from != rec.State {
		w.r.tell(w.event(from, nil))
	}
	return nil
}

// advance writes the next state, with further changes.
func (w *work) advance(ctx context.Context, to State, changes ...func(*Record)) error {
	rec := w.rec.clone()
	rec.State = to
	for _, change := range changes {
		change(&rec)
	}
	return w.write(ctx, rec)
}

// renew makes sure that most of the claim's life is left, for what cannot be undone.
func (w *work) renew(ctx context.Context) error {
	if life := w.r.life(); w.until.Sub(w.r.clock.Now()) > life*3/4 {
		return nil
	}
	return w.write(ctx, w.rec)
}

// call makes one request that only reads.
func (w *work) call(ctx context.Context, request func(context.Context) error) error {
	if err := w.r.limiter.Wait(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, w.r.callTimeout)
	defer cancel()
	return w.r.heed(request(ctx))
}

// effect makes one request that changes the server. The caller's context can keep it from being sent, but not from being
// answered: half of a secret's life would be lost with the answer. It is not sent when the claim is about to end, so that a
// process that was paused does not act on what it knew before.
func (w *work) effect(ctx context.Context, request func(context.Context) error) error {
	if err := w.r.limiter.Wait(ctx); err != nil {
		return err
	}
	if err := w.renew(ctx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.r.callTimeout)
	defer cancel()
	if w.until.Sub(w.r.clock.Now()) < w.r.callTimeout {
		return wrong(ErrBusy, "the claim on the journal is about to end")
	}
	err := w.r.heed(request(ctx))
	if err != nil {
		w.forget()
		return &effectError{err}
	}
	return nil
}

// effectError is a failure after which the state of the server has to be read again.
type effectError struct{ cause error }

func (e *effectError) Error() string { return e.cause.Error() }
func (e *effectError) Unwrap() error { return e.cause }

// heed tells the limiter what the server asked for.
func (r *Rotator) heed(err error) error {
	if wait, ok := throttled(err); err != nil && ok {
		r.limiter.Throttle(wait)
	}
	return err
}

// forget drops what was read and proved.
func (w *work) forget() { w.seenAt, w.proofs = time.Time{}, Working{} }

// situation is what is known now. What is no longer fresh counts as unknown.
func (w *work) situation() situation {
	now := w.r.clock.Now()
	s := situation{
		stored: !w.rec.Next.IsZero(), asked: w.rec.State == Starting, known: !w.rec.Current.IsZero(),
		abort: w.rec.Abort, takeOver: w.r.takeOver,
		looked: !w.seenAt.IsZero() && now.Sub(w.seenAt) <= fresh,
	}
	if now.Sub(w.proved.current) <= fresh {
		s.working.Current = w.proofs.Current
	}
	if now.Sub(w.proved.next) <= fresh {
		s.working.Next = w.proofs.Next
	}
	s.pending, s.holder = w.compare()
	return s
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
	case w.seen.Current == "":
		return p, unsaid
	case current != "" && w.seen.Current == current:
		return p, holdsCurrent
	case next != "" && w.seen.Current == next:
		return p, holdsNext
	case current == "":
		return p, unsaid
	}
	return p, holdsNeither
}

// settle finds out what decide asks for until it says what to do.
func (w *work) settle(ctx context.Context) (action, error) {
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
			if w.doubts++; w.doubts > 2 {
				return 0, wrong(ErrInconsistent, "it accepts both secrets, and says that none is pending")
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
		began := w.r.clock.Now()
		seen, err := w.r.target.Pending(ctx, w.rec.ClientID)
		if err == nil {
			w.seen, w.seenAt = seen, began
		}
		return err
	})
}

func (w *work) prove(ctx context.Context, s secret.String, verdict *Verdict, at *time.Time) error {
	return w.call(ctx, func(ctx context.Context) error {
		began := w.r.clock.Now()
		accepted, err := w.r.prober.Probe(ctx, w.rec.ClientID, s)
		if err != nil {
			return err
		}
		*verdict, *at = Refused, began
		if accepted {
			*verdict = Accepted
		}
		return nil
	})
}

// event is what observers are told.
func (w *work) event(from State, err error) Event {
	return Event{
		Time: w.r.clock.Now(), ClientID: w.rec.ClientID, RotationID: w.rec.RotationID, From: from, To: w.rec.State,
		Working: w.proofs, Err: err,
	}
}

func (r *Rotator) tell(e Event) {
	for _, observer := range r.observers {
		observer(e)
	}
}

// fail is the error that the caller gets.
func (w *work) fail(err error) error {
	e := &Error{ClientID: w.rec.ClientID, Stage: w.rec.State, Working: w.proofs, Err: scrub(err, w.rec.Current, w.rec.Next)}
	w.r.tell(w.event(w.rec.State, e))
	return e
}

// ofJournal makes sure that an error of the journal is one of this package.
func ofJournal(err error) error {
	for _, sentinel := range []error{ErrJournal, ErrBusy, ErrNoRotation, ErrCorrupt, ErrNewerVersion, ErrOtherProject, ErrWrongKey, ErrInvalidArgument} {
		if errors.Is(err, sentinel) {
			return err
		}
	}
	return because(ErrJournal, err)
}
