package rotate

// situation is all that the next action depends on: what the journal holds, what the caller wants, what the server tells
// of its secrets, and what was proved.
type situation struct {
	stored   bool // a next secret is in the journal
	asked    bool // one was asked for, or was about to be: Starting
	known    bool // the current secret is in the journal
	told     bool // the deliverers were told of one, before a restart
	abort    bool
	takeOver bool
	sure     bool // it was found out more than once

	looked  bool // the rest was read from the server
	pending pending
	holder  holder
	working Working
}

// pending is the server's next secret, as far as its last four characters tell.
type pending uint8

const (
	none pending = iota
	ours         // it ends like the one in the journal
	other
)

// holder is which secret of the journal ends like the server's current one.
type holder uint8

const (
	unsaid       holder = iota // the server does not tell
	holdsCurrent               // or both end alike
	holdsNext
	holdsNeither
)

// action is what to do next.
type action uint8

const (
	look action = iota // find out
	proveCurrent
	proveNext

	start   // ask for a next secret
	proceed // go on with the stored one
	promote // the completion did happen
	discard // the stored one was canceled by somebody: plan again
	replace // cancel what is pending, then plan again
	giveUp  // tell the deliverers, cancel ours, end
	ended   // nothing of ours is pending: tell the deliverers, end

	doubt // what was read and what was proved contradict each other: find out again, a little later
	stopInconsistent
	stopOther
	stopRefused
	stopUnknown
	stopNeither
)

// decide is the table that every crash, lost answer and second actor ends in. Three rules hold whatever the input is:
// nothing is canceled unless the stored current secret was proved, and ends like the server's current one; nothing is
// completed unless the stored next secret was proved and is the pending one; nothing is begun while a known current secret
// is refused. The last four characters only ever forbid.
func decide(s situation) action {
	switch {
	case !s.looked:
		return look
	case s.stored:
		return decideStored(s)
	case s.abort && !s.asked && !s.told:
		return ended // whatever is pending is not ours, and nobody relies on it
	case s.pending == none, s.abort && !s.asked:
		return decideBegin(s)
	case !s.asked && !s.takeOver:
		return stopOther
	}
	// A next secret is pending that is stored nowhere: its answer was lost, or it is to be taken over.
	if a, ok := safeToCancel(s); !ok {
		return a
	}
	if s.abort {
		return giveUp
	}
	return replace
}

// decideBegin is for a journal without a next secret, and a server without one of ours.
func decideBegin(s situation) action {
	switch {
	case s.known && s.working.Current == Unproved:
		return proveCurrent
	case s.working.Current == Refused:
		return stopRefused
	case s.abort:
		return ended
	}
	return start
}

func decideStored(s situation) action {
	switch s.working.Next {
	case Unproved:
		return proveNext
	case Accepted:
		return decideAlive(s)
	}
	return decideDead(s)
}

// decideAlive is for a stored next secret that works: it is the pending one, or it became the current one.
func decideAlive(s situation) action {
	switch {
	case s.pending == ours && !s.abort:
		return proceed
	case s.pending == ours:
		if a, ok := safeToCancel(s); !ok {
			return a
		}
		return giveUp
	case s.holder == holdsNext:
		return promote // and whatever is pending is another rotation, which is not ours to end
	case s.pending == other:
		return stopOther
	case s.working.Current == Refused:
		return promote
	case !s.known && s.holder == unsaid && s.sure:
		return promote
	case s.known && s.working.Current == Unproved:
		return proveCurrent
	case s.sure:
		return stopInconsistent
	}
	return doubt // it works, and is neither pending nor, as far as anyone can tell, the current one
}

// decideDead is for a stored next secret that is refused: somebody canceled or replaced it, or the client is inactive.
func decideDead(s situation) action {
	switch {
	case !s.known:
		return stopUnknown
	case s.working.Current == Unproved:
		return proveCurrent
	case s.working.Current == Refused:
		return stopNeither
	case s.abort && s.pending == none:
		return ended // which looks again after the deliverers were told
	case s.pending != other && !s.sure:
		return doubt // perhaps it does not work everywhere yet, or is not seen everywhere
	case s.abort && s.pending == ours: // the refusal may be wrong, and what is pending would be in the way of the next rotation
		if a, ok := safeToCancel(s); !ok {
			return a
		}
		return giveUp
	case s.abort:
		return ended
	case s.pending == none:
		return discard
	case !s.takeOver:
		return stopOther
	}
	if a, ok := safeToCancel(s); !ok {
		return a
	}
	return replace
}

// safeToCancel reports whether the pending secret can go without harm, or else what to do instead.
func safeToCancel(s situation) (instead action, ok bool) {
	switch {
	case !s.known:
		return stopUnknown, false
	case s.working.Current == Unproved:
		return proveCurrent, false
	case s.working.Current == Refused:
		return stopRefused, false
	case s.holder == holdsNext, s.holder == holdsNeither:
		return stopOther, false // what is held to be the current secret works, but as the pending one
	}
	return 0, true
}
