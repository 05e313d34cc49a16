package rotate

import (
	"context"
	"errors"
	"time"

	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/internal/sleep"
	"github.com/stytchkit/m2m/stytch/secret"
)

// rotation is one hold of one client, from its claim to the release. It performs what next says.
type rotation struct {
	*config
	claim   Claim
	rec     Record        // as it is in the journal, except that a rotation that was just planned may not be there yet
	stage   State         // where the journal is
	ahead   time.Duration // of the journal's clock before the rotator's, by which rec and o are
	o       observation
	secrets *redact.Redactor // all that had a part in this
}

// extent is how far to take a rotation.
type extent uint8

const (
	oneStep    extent = iota // one change of state
	untilWait                // as far as it goes without waiting for the grace period or readiness
	throughout               // to its end
)

// claimFor claims a client and reads its record.
func (c *config) claimFor(ctx context.Context, clientID string) (*rotation, error) {
	if clientID == "" {
		return nil, &Error{Err: wrong(ErrInvalidArgument, "client id must not be empty")}
	}
	var held Claim
	t, err := c.resume(ctx, clientID, c.now(), func() (_ Claim, err error) {
		if held, err = c.journal.Claim(ctx, clientID, c.claimLife()); err != nil {
			held = nil
		}
		return held, err
	})
	if err != nil && held != nil { // its record could not be read
		(&rotation{config: c, claim: held, rec: Record{ClientID: clientID}}).release(ctx)
	}
	return t, err
}

// resume makes a claim and continues from what it holds.
func (c *config) resume(ctx context.Context, clientID string, claimed time.Time, claim func() (Claim, error)) (*rotation, error) {
	t := &rotation{config: c, rec: Record{ClientID: clientID}}
	held, rec, err := t.claimed(ctx, claim)
	if err != nil {
		return nil, &Error{ClientID: clientID, Err: ofJournal(err)}
	}
	rec = rec.clone()
	if clientID != "" {
		rec.ClientID = clientID
	}
	if t, err = c.from(ctx, rec); err != nil {
		return nil, err
	}
	t.claim, t.o.claimEnds = held, claimed.Add(c.claimLife())
	return t, nil
}

// from is a rotation as a record shows it.
func (c *config) from(ctx context.Context, rec Record) (*rotation, error) {
	t := &rotation{config: c, rec: rec, stage: rec.State}
	t.trackSecret(rec.Current, rec.Next)
	if err := t.guarded(ctx, "Journal.Now", func() error { t.ahead = c.ahead(); return nil }); err != nil {
		return nil, &Error{ClientID: rec.ClientID, Err: ofJournal(err)}
	}
	t.rec = rec.resumed().shifted(-t.ahead)
	t.o.inFlight, t.o.startAt = t.rec.State == Starting, t.rec.UpdatedAt
	return t, nil
}

// resumed is the record of a rotation that is looked at again: perhaps the human that it needed has
// been here.
func (r Record) resumed() Record {
	if r.State == NeedsHuman {
		r.State, r.Stopped, r.Reason = r.Stopped, "", ""
	}
	return r
}

// plan begins a rotation, which is written with its first intent.
func (t *rotation) plan() {
	t.rec, t.stage = NewRecord(t.rec.ClientID, t.now()), Planned
}

func (t *rotation) mustBeActive() error {
	if !t.rec.active() {
		return ErrNoRotation
	}
	return nil
}

// run performs effects until the rotation has come as far as it should, or has to wait.
func (t *rotation) run(ctx context.Context, to extent) (toWait time.Duration, err error) {
	for begun := t.rec.State; ; {
		t.o.now, t.o.ended = t.now(), ctx.Err()
		e := next(t.rec, &t.o, t.config)
		switch {
		case e.kind == done:
			return 0, nil
		case e.kind == wait && !e.retry && !e.recheck && to != throughout:
			return e.wait, nil
		case e.cleanup:
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), t.cleanupTimeout)
			defer cancel()
		}
		t.perform(ctx, e)
		if e.kind == stop {
			return 0, t.fail(ctx, e.err)
		}
		if now := t.rec.State; to == oneStep && now != begun && now != Starting && t.o.failed == nil {
			return 0, nil
		}
	}
}

// outcome is what a rotation at its end means to the caller.
func (t *rotation) outcome() error {
	if t.rec.State == Canceled {
		return t.wrap(ErrCanceled)
	}
	return nil
}

// write makes rec durable. Afterwards, and only then, it is what the rotation goes by.
func (t *rotation) write(ctx context.Context, rec Record) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.callTimeout) // what was done must not go unwritten
	defer cancel()
	began := t.now()
	if !(rec.asks() && t.rec.asks()) { // the age of a start does not depend on how often it is looked at
		rec.UpdatedAt = began
	}
	if err := t.guarded(ctx, "Claim.Write", func() error { return t.claim.Write(ctx, rec.shifted(t.ahead)) }); err != nil {
		return ofJournal(err)
	}
	from := t.stage
	t.rec, t.stage, t.o.claimEnds, t.o.durable = rec, rec.State, began.Add(t.claimLife()), true
	if from != rec.State {
		t.report(ctx, t.event(from, nil), t.observers)
	}
	return nil
}

// pause waits, and extends the claim meanwhile.
func (t *rotation) pause(ctx context.Context, wait time.Duration) error {
	for end := t.now().Add(wait); ; {
		left := end.Sub(t.now())
		if left <= 0 {
			return nil
		}
		if err := sleep.For(ctx, min(left, t.claimLife()/8)); err != nil {
			return err
		}
		if t.o.now = t.now(); t.o.claimOld(t.config) {
			if err := t.write(ctx, t.rec); err != nil {
				return err
			}
		}
	}
}

// release gives the claim up, whatever became of the caller.
func (t *rotation) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.callTimeout)
	defer cancel()
	_ = t.guarded(ctx, "Claim.Release", func() error { return t.claim.Release(ctx) }) // it expires anyway
}

// trackSecret keeps secrets out of the errors of this rotation.
func (t *rotation) trackSecret(secrets ...secret.String) {
	for _, s := range secrets {
		t.secrets = t.secrets.With(s.Reveal())
	}
}

// event is a change of state or a failure.
func (t *rotation) event(from State, err error) Event {
	return Event{
		Time: t.now(), ClientID: t.rec.ClientID, RotationID: t.rec.RotationID, From: from, To: t.stage,
		Working: t.o.working, Err: err,
	}
}

// fail is the error that the caller gets, after the observers.
func (t *rotation) fail(ctx context.Context, err error) error {
	e := t.wrap(err)
	t.report(ctx, t.event(t.stage, e), t.observers)
	return e
}

func (t *rotation) wrap(err error) *Error {
	return &Error{ClientID: t.rec.ClientID, Stage: t.stage, Working: t.o.working, Err: t.secrets.Error(err), restarted: t.rec.Restarts > 0}
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
