package rotate

// State is how far the rotation of one client has come. Each state is durable before the effect
// that follows from it, so after a crash the journal says what may have happened at most.
type State string

// The states, in their order.
const (
	Planned    State = "planned"     // nothing was sent
	Starting   State = "starting"    // a next secret was requested, or is about to be; it is not stored
	Started    State = "started"     // the next secret is stored; some deliverers may have it
	Delivered  State = "delivered"   // all deliverers have it
	Verified   State = "verified"    // the places that can be read hold it, and it was proved
	Grace      State = "grace"       // waiting until all services use the next secret
	Completing State = "completing"  // the completion was requested, or is about to be
	Completed  State = "completed"   // the next secret is the current one; the previous one is refused
	Canceled   State = "canceled"    // the next secret is refused; the current one is unchanged
	NeedsHuman State = "needs-human" // every further step could destroy the only working secret
	Gone       State = "gone"        // the client has no secret to rotate, or [Rotator.Forget] gave the record up
)

// Final reports whether there is nothing left to do.
func (s State) Final() bool { return s == Completed || s == Canceled || s == Gone }

// known reports whether a journal may hold s.
func (s State) known() bool {
	switch s {
	case Planned, Starting, Started, Delivered, Verified, Grace, Completing, Completed, Canceled, NeedsHuman, Gone:
		return true
	}
	return false
}

// Verdict is the result of a proof of a secret.
type Verdict uint8

// The verdicts.
const (
	Unproved Verdict = iota // not tried, or the attempt failed
	Accepted
	Refused
)

// String is the verdict in words.
func (v Verdict) String() string {
	switch v {
	case Accepted:
		return "works"
	case Refused:
		return "is refused"
	}
	return "is unproved"
}

// Working says which of the two secrets were accepted when they were last proved.
type Working struct {
	Current Verdict // the one in use before the rotation
	Next    Verdict // the one that replaces it
}

// String is both verdicts in words.
func (w Working) String() string {
	switch {
	case w == Working{}:
		return "no secret was proved"
	case w.Current == w.Next && w.Current == Accepted:
		return "the current and the next secret work"
	case w.Current == w.Next:
		return "neither secret works"
	}
	return "the current secret " + w.Current.String() + ", the next one " + w.Next.String()
}
