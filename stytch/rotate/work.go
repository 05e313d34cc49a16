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

// maxDoubts is how often a contradiction is looked into once more.
const maxDoubts = 2

// work is one hold of one client: from the claim to its release.
type work struct {
	r     *Rotator
	claim Claim
	rec   Record          // as it is in the journal, except that a rotation that was only just planned may not be there yet
	stage State           // where the journal stands
	until time.Time       // when the claim ends if nothing is written
	heard []secret.String // all secrets that had a part in this, to keep them out of errors

	seen     secret.LastFour
	looked   learned
	proofs   Working
	proved   struct{ current, next learned }
	settling int // how often it was found out what to do
	doubts   int
	restarts int
}

// learned is when something was learned: the time before asking, and which settling it was asked in.
type learned struct {
	at       time.Time
	settling int
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
	return r.pickUp(claim, clientID, began), nil
}

// pickUp continues from what a claim holds.
func (r *Rotator) pickUp(claim Claim, clientID string, claimed time.Time) *work {
	rec := claim.Record().clone()
	rec.ClientID = clientID
	w := &work{r: r, claim: claim, rec: rec.again(), stage: rec.State, until: claimed.Add(r.life())}
	w.hear(rec.Current, rec.Next)
	return w
}

// again is the record of a rotation that is looked at again: perhaps the human that it needed has been here.
func (r Record) again() Record {
	if r.State == NeedsHuman {
		r.State, r.Stopped, r.Reason = r.Stopped, "", ""
	}
	return r
}

// plan begins a rotation, which is written with its first intent.
func (w *work) plan() { w.rec, w.stage = w.r.planned(w.rec.ClientID), Planned }

// hear remembers secrets.
func (w *work) hear(secrets ...secret.String) {
	for _, s := range secrets {
		if !s.IsZero() {
			w.heard = append(w.heard, s)
		}
	}
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
	from := w.stage
	w.rec, w.stage, w.until = rec, rec.State, began.Add(w.r.life())
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

// recent is how old a look may be when something is changed because of it.
const recent = time.Second

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
	if w.r.clock.Now().Sub(w.looked.at) > recent { // the limiter or the journal took its time
		if err := w.lookAgain(ctx); err != nil {
			return err
		}
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

// lookAgain makes sure that the server still says what it said.
func (w *work) lookAgain(ctx context.Context) error {
	before := w.seen
	if err := w.look(ctx); err != nil {
		return err
	}
	if w.seen != before {
		w.forget()
		return &effectError{wrong(ErrInconsistent, "its secrets changed meanwhile")}
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
			if err := w.pause(ctx, time.Second<<w.doubts); err != nil {
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
		seen, err := w.r.target.Pending(ctx, w.rec.ClientID)
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

// event is what observers are told.
func (w *work) event(from State, err error) Event {
	return Event{
		Time: w.r.clock.Now(), ClientID: w.rec.ClientID, RotationID: w.rec.RotationID, From: from, To: w.stage,
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
	e := w.wrap(err)
	w.r.tell(w.event(w.stage, e))
	return e
}

func (w *work) wrap(err error) *Error {
	return &Error{ClientID: w.rec.ClientID, Stage: w.stage, Working: w.proofs, Err: scrub(err, w.heard...), restarted: w.rec.Restarts > 0}
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
