package rotate

import (
	"crypto/rand"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stytchkit/m2m/stytch/secret"
)

// Record is what a journal stores of the latest rotation of one client. It prints without its
// secrets; a [Codec] turns it into bytes. It has secrets only while the rotation is in progress.
type Record struct {
	RotationID string // random
	ClientID   string
	State      State
	Current    secret.String // zero if it is not known
	Next       secret.String // set from Started on
	Delivered  []string      // names of the deliverers that have the next secret
	Abort      bool          // a cancellation was requested
	Restarts   int           // how often the next secret was dropped and another one requested
	Stopped    State         // in NeedsHuman: the state before
	Reason     string        // in NeedsHuman: why

	PlannedAt  time.Time
	UpdatedAt  time.Time // in Completed: when the rotation was completed; in Starting: when a next secret was last requested
	GraceUntil time.Time // set from Grace on
}

// active reports whether the rotation is in progress.
func (r Record) active() bool { return r.State != "" && !r.State.Final() }

// asks reports whether a next secret was requested that is not stored.
func (r Record) asks() bool {
	return r.State == Starting || r.State == NeedsHuman && r.Stopped == Starting
}

// shifted is r by another clock, which is ahead by d.
func (r Record) shifted(d time.Duration) Record {
	for _, at := range []*time.Time{&r.PlannedAt, &r.UpdatedAt, &r.GraceUntil} {
		if !at.IsZero() {
			*at = at.Add(d)
		}
	}
	return r
}

func (r Record) clone() Record {
	r.Delivered = slices.Clone(r.Delivered)
	return r
}

// maxReason bounds the bytes of a stored reason: it is the text of an error from anywhere.
const maxReason = 1 << 10

// normalized returns r as a journal stores it.
func (r Record) normalized() Record {
	r = r.clone()
	if r.State.Final() {
		r.Current, r.Next = secret.String{}, secret.String{}
	}
	r.Reason = strings.ToValidUTF8(r.Reason[:min(len(r.Reason), maxReason)], "")
	r.PlannedAt, r.UpdatedAt, r.GraceUntil = r.PlannedAt.UTC().Round(0), r.UpdatedAt.UTC().Round(0), r.GraceUntil.UTC().Round(0)
	return r
}

// invalid returns the rule that r breaks, or "".
func (r Record) invalid() string {
	state := r.State
	if state == NeedsHuman {
		state = r.Stopped
	}
	switch {
	case !r.State.known():
		return "unknown state"
	case r.Stopped != "" && !r.Stopped.known(), r.State == NeedsHuman && (state == "" || state.Final() || state == NeedsHuman):
		return "unknown state before needs-human"
	case r.State.Final() && !(r.Current.IsZero() && r.Next.IsZero()):
		return "secrets in a final state"
	case state.hasNext() && r.Next.IsZero():
		return "no next secret in a state that needs one"
	case r.Restarts < 0:
		return "a negative number of restarts"
	}
	for _, text := range append(slices.Clone(r.Delivered), r.RotationID, r.Current.Reveal(), r.Next.Reveal()) {
		if !utf8.ValidString(text) {
			return "text that is not UTF-8"
		}
	}
	return ""
}

// hasNext reports whether a rotation in progress has a next secret in state s.
func (s State) hasNext() bool {
	switch s {
	case Started, Delivered, Verified, Grace, Completing:
		return true
	}
	return false
}

// NewRecord is the record of a rotation that is planned: what [Queue.Plan] stores for each client.
func NewRecord(clientID string, now time.Time) Record {
	return Record{RotationID: rand.Text(), ClientID: clientID, State: Planned, PlannedAt: now, UpdatedAt: now}
}
