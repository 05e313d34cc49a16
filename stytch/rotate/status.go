package rotate

import (
	"context"
	"time"
)

// Status is how far the latest rotation of a client has come, according to the journal. It holds no
// secret.
type Status struct {
	ClientID   string
	RotationID string
	State      State
	Reason     string        // in NeedsHuman: why
	Stopped    State         // in NeedsHuman: the state before
	Abort      bool          // it is being canceled
	Delivered  []string      // names of the deliverers that have the next secret
	Restarts   int           // how often the next secret was dropped and another one requested
	Wait       time.Duration // of [Rotator.Step] and [Rotator.Advance] only: how long to wait before the next call; 0 if it can continue now
	PlannedAt  time.Time
	UpdatedAt  time.Time
	GraceUntil time.Time
}

func (r Record) status() Status {
	r = r.clone()
	return Status{
		ClientID: r.ClientID, RotationID: r.RotationID, State: r.State, Reason: r.Reason, Stopped: r.Stopped, Abort: r.Abort,
		Delivered: r.Delivered, Restarts: r.Restarts, PlannedAt: r.PlannedAt, UpdatedAt: r.UpdatedAt, GraceUntil: r.GraceUntil,
	}
}

// Status reads the journal, and nothing else. It is [ErrNoRotation] for a client that was never
// rotated.
func (r *Rotator) Status(ctx context.Context, clientID string) (Status, error) {
	rec, err := r.read(ctx, clientID)
	if err != nil {
		return Status{}, &Error{ClientID: clientID, Err: ofJournal(err)}
	}
	return rec.status(), nil
}

// read reads the record of a client without claiming it.
func (c *config) read(ctx context.Context, clientID string) (rec Record, err error) {
	t := &rotation{config: c, rec: Record{ClientID: clientID}}
	err = t.guarded(ctx, "Journal.Read", func() (err error) {
		rec, err = c.journal.Read(ctx, clientID)
		return err
	})
	return rec, err
}
