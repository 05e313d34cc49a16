package rotate

import (
	"context"
	"iter"
	"time"
)

// Journal stores one record per client, durably, and lets one process at a time rotate a client.
// Package filejournal has one for a machine, contrib/postgres one for many workers. Implementations
// must be safe for concurrent use and pass the tests of package journaltest.
//
// The machines that share a journal may disagree about the time. If it has a method Now()
// time.Time, the times of its records are by that clock: a rotator translates them from its own
// clock and back. A journal learns the time with each response, so Now is called after Claim, Next
// or Read.
type Journal interface {
	// Claim gives the caller the sole right to write the record of a client. While another claim
	// holds it, the error is [ErrBusy]. The claim of a dead process can be taken over: at once
	// where the journal knows that the process is dead, at the latest when life has passed since
	// the claim and its last write. A journal that does know may ignore life; a paused process then
	// keeps its claim. If the stored record cannot be read, the error is one of [Codec.Decode] and
	// nothing is claimed.
	Claim(ctx context.Context, clientID string, life time.Duration) (Claim, error)
	// Read returns the record of a client without claiming it, or [ErrNoRotation].
	Read(ctx context.Context, clientID string) (Record, error)
	// Unfinished yields the clients whose rotation is in progress, in any order: its state is not
	// [State.Final]. A record that cannot be read is an error of [Codec.Decode], after which the
	// sequence continues.
	Unfinished(ctx context.Context) iter.Seq2[string, error]
}

// Claim is the right to write the record of one client. It is not safe for concurrent use.
type Claim interface {
	// Record returns what was stored when the claim was made, or written since; the zero value if
	// there was nothing.
	Record() Record
	// Write replaces the record and extends the claim. After a nil error the record survives a
	// crash of the process and of the machine. If the claim was lost the error is [ErrBusy] and
	// nothing is written. After any other error the record may be the old or the new one.
	Write(ctx context.Context, r Record) error
	// Release ends the claim. It does nothing if the claim was lost or released before.
	Release(ctx context.Context) error
}

// Queue is a journal that also hands out work, so that several processes can share a fleet. A
// rotation is due when it is not final, not claimed, does not need a human, and its grace period is
// over.
type Queue interface {
	Journal
	// Plan adds a planned rotation for each client that has none in progress, and returns how many
	// it added.
	Plan(ctx context.Context, clientIDs []string) (added int, err error)
	// Next claims the rotation that has been due for longest. If none is due the error is
	// [ErrNoRotation], and wait is when to ask again; 0 if nothing is left that could become due.
	Next(ctx context.Context, life time.Duration) (claim Claim, wait time.Duration, err error)
	// Defer releases a claim, and makes its rotation due no earlier than until (of time.Now).
	Defer(ctx context.Context, claim Claim, until time.Time) error
}
