package rotate

import (
	"context"
	"errors"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

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
		w.r.tell(ctx, w.event(from, nil))
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

// event is what observers are told.
func (w *work) event(from State, err error) Event {
	return Event{
		Time: w.r.clock.Now(), ClientID: w.rec.ClientID, RotationID: w.rec.RotationID, From: from, To: w.stage,
		Working: w.proofs, Err: err,
	}
}

func (r *Rotator) tell(ctx context.Context, e Event) {
	for _, observer := range r.observers {
		observer(ctx, e)
	}
}

// fail is the error that the caller gets.
func (w *work) fail(ctx context.Context, err error) error {
	e := w.wrap(err)
	w.r.tell(ctx, w.event(w.stage, e))
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
