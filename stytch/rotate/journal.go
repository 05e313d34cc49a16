package rotate

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// Record is what a journal keeps of the latest rotation of one client. It prints without the secrets; a [Codec] turns it
// into bytes. The secrets are there only while the rotation is under way.
type Record struct {
	RotationID string // random
	ClientID   string
	State      State
	Current    secret.String // the zero value if nobody told it
	Next       secret.String // from Started on
	Delivered  []string      // names of the deliverers that have the next secret
	Abort      bool          // a cancellation was asked for
	Restarts   int           // how often the next secret was given up for another one
	Stopped    State         // the state in which it came to need a human
	Reason     string        // why it did

	PlannedAt  time.Time
	UpdatedAt  time.Time // of a completed one: when it was completed
	GraceUntil time.Time // set from Grace on
}

// active reports whether there is a rotation to go on with.
func (r Record) active() bool { return r.State != "" && !r.State.Final() }

func (r Record) clone() Record {
	r.Delivered = slices.Clone(r.Delivered)
	return r
}

// Journal keeps one record per client, durably, and lets one engine at a time work on a client. [NewFileJournal] is one for
// a machine; contrib/postgres is one for a fleet. Implementations must be safe for concurrent use, and pass package journaltest.
type Journal interface {
	// Claim makes the caller the only one that may write the record of a client, for the given time from now on and from
	// each write. While somebody else is, the error is [ErrBusy]. A claim whose time is over, or whose process is known to be
	// dead, can be taken over. A record that cannot be read is an error of [Codec.Decode], and nothing is claimed.
	Claim(ctx context.Context, clientID string, life time.Duration) (Claim, error)
	// Read returns the record of a client without claiming it; [ErrNoRotation] if there is none.
	Read(ctx context.Context, clientID string) (Record, error)
	// Unfinished yields the clients whose rotations are neither completed nor canceled, in any order.
	Unfinished(ctx context.Context) iter.Seq2[string, error]
}

// Claim is the right to write the record of one client. It is for one goroutine.
type Claim interface {
	// Record is what was stored when the claim was made, or written since: the zero value if there was none.
	Record() Record
	// Write replaces the record, and extends the claim. When it returns nil the record survives a crash of the process and
	// of the machine. It is [ErrBusy], and nothing is written, once somebody else took the claim over.
	Write(ctx context.Context, r Record) error
	// Release gives the claim up. It does nothing if it was lost or released.
	Release(ctx context.Context) error
}

// Queue is a journal that also hands out work, so that several processes share a fleet. A rotation is due when it is neither
// finished nor claimed, does not need a human, and its grace period is over.
type Queue interface {
	Journal
	// Plan adds planned rotations for those clients that have none under way, and returns how many it added.
	Plan(ctx context.Context, clientIDs []string) (added int, err error)
	// Next claims a rotation that is due, the longest due first. If none is, the error is [ErrNoRotation], and wait says
	// when to ask again; 0 if nothing is left that could become due.
	Next(ctx context.Context, life time.Duration) (claim Claim, wait time.Duration, err error)
	// Defer releases a claim whose rotation could not go on, so that it is not due again before the given time.
	Defer(ctx context.Context, claim Claim, until time.Time) error
}
