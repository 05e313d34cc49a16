package rotate

// State says how far the rotation of one client has come. It is what the journal holds, so it is true of what was durable
// when the process died: each state is written before the effect that follows from it.
type State string

// The states, in their order.
const (
	Planned    State = "planned"     // nothing was sent
	Starting   State = "starting"    // a next secret was asked for, or is about to be; it is not stored
	Started    State = "started"     // the next secret is stored; deliverers may have been told
	Delivered  State = "delivered"   // all deliverers have it
	Verified   State = "verified"    // they gave it back where they can, and it was proved
	Grace      State = "grace"       // waiting until those who use the secret have the next one
	Completing State = "completing"  // completion was asked for, or is about to be
	Completed  State = "completed"   // the next secret is the current one; the former is refused
	Canceled   State = "canceled"    // the next secret is refused; the current one is what it was
	NeedsHuman State = "needs-human" // nothing can be done without risking the only working secret
)

// Final reports whether there is nothing left to do.
func (s State) Final() bool { return s == Completed || s == Canceled }

// known reports whether a journal may hold s.
func (s State) known() bool {
	switch s {
	case Planned, Starting, Started, Delivered, Verified, Grace, Completing, Completed, Canceled, NeedsHuman:
		return true
	}
	return false
}

// Verdict is what a proof said of a secret.
type Verdict uint8

// The verdicts. The zero value says nothing.
const (
	Unproved Verdict = iota // not asked, or no answer
	Accepted
	Refused
)

// String is the verdict in a word.
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
		return "which secrets work was not proved"
	case w.Current == w.Next && w.Current == Accepted:
		return "the current and the next secret work"
	case w.Current == w.Next:
		return "neither secret works"
	}
	return "the current secret " + w.Current.String() + ", the next one " + w.Next.String()
}
