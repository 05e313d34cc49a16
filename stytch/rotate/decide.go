package rotate

// situation is all that the course of a rotation depends on: what the journal holds, what the
// caller wants, what the server says about its secrets, and what was proved.
type situation struct {
	stored    bool // the journal holds a next secret
	asked     bool // a next secret may have been requested whose response never arrived
	late      bool // but what is pending appeared too long after that to be taken for it
	known     bool // the current secret is known
	blind     bool // the caller permits a rotation without it
	restarted bool // deliverers may hold a next secret that was given up since
	abort     bool
	takeOver  bool
	rechecked bool // a contradiction was looked into as often as is useful

	observed bool // the server was asked; the rest is known only then
	pending  pending
	active   active
	working  Working
}

// pending is the server's next secret, as far as its last four characters show.
type pending uint8

const (
	pendingNone pending = iota
	pendingOurs         // it ends like the one in the journal
	pendingOther
)

// active is which secret of the journal ends like the one that the server calls current.
type active uint8

const (
	activeUnknown active = iota // the server does not say
	activeCurrent               // or both end alike
	activeNext
	activeNeither
)

// course is what to do about the two secrets.
type course uint8

const (
	askServer course = iota // questions first
	proveCurrent
	proveNext

	begin              // request a next secret
	proceed            // continue with the stored one
	conclude           // the completion did happen
	startOver          // the stored one was canceled by another process: plan again
	cancelAndStartOver // cancel what is pending, then plan again
	rollBack           // give the current secret back to the deliverers, cancel ours, end
	rollBackOnly       // the same where nothing of ours is pending

	recheck // what was read and what was proved contradict each other: ask again a little later
	stopInconsistent
	stopOther
	stopRefused
	stopUnknown
	stopNeither
)

// decide is the table that every crash, lost response and second actor ends in. Three rules hold
// for every input: nothing is canceled unless the stored current secret was proved and ends like
// the server's current one; nothing is completed unless the stored next secret was proved and is
// the pending one; nothing is begun unless the current secret was proved, or the caller permits a
// rotation without it. The last four characters can only forbid.
func decide(s situation) course {
	switch {
	case !s.observed:
		return askServer
	case s.stored:
		return decideStored(s)
	case s.abort && !s.asked && !s.restarted:
		return rollBackOnly // whatever is pending is not ours, and no deliverer relies on it
	case s.pending == pendingNone, s.abort && !s.asked:
		return decideBegin(s)
	case (!s.asked || s.late) && !s.takeOver:
		return stopOther
	}
	// A next secret is pending that is stored nowhere: its response was lost, or it is to be taken
	// over.
	if instead, ok := safeToCancel(s); !ok {
		return instead
	}
	if s.abort {
		return rollBack
	}
	return cancelAndStartOver
}

// decideBegin is for a journal without a next secret, and a server without one of ours.
func decideBegin(s situation) course {
	switch {
	case s.known && s.working.Current == Unproved:
		return proveCurrent
	case s.working.Current == Refused:
		return stopRefused
	case s.abort:
		return rollBackOnly
	case !s.known && !s.blind:
		return stopUnknown
	}
	return begin
}

func decideStored(s situation) course {
	switch s.working.Next {
	case Unproved:
		return proveNext
	case Accepted:
		return decideAccepted(s)
	}
	return decideRefused(s)
}

// decideAccepted is for a stored next secret that works: it is the pending one, or it became the
// current one.
func decideAccepted(s situation) course {
	switch {
	case s.pending == pendingOurs && !s.abort:
		return proceed
	case s.pending == pendingOurs:
		if instead, ok := safeToCancel(s); !ok {
			return instead
		}
		return rollBack
	case s.active == activeNext:
		return conclude // whatever is pending is another rotation, which is not ours to end
	case s.pending == pendingOther:
		return stopOther
	case s.working.Current == Refused:
		return conclude
	case !s.known && s.active == activeUnknown && s.rechecked:
		return conclude
	case s.known && s.working.Current == Unproved:
		return proveCurrent
	case s.rechecked:
		return stopInconsistent
	}
	return recheck // it works, and is neither pending nor, as far as can be seen, the current one
}

// decideRefused is for a stored next secret that is refused: another process canceled or replaced
// it, or the client is inactive.
func decideRefused(s situation) course {
	switch {
	case !s.known:
		return stopUnknown
	case s.working.Current == Unproved:
		return proveCurrent
	case s.working.Current == Refused && s.active == activeNext && !s.rechecked:
		return recheck // it ends like the current one, and perhaps does not work everywhere yet
	case s.working.Current == Refused:
		return stopNeither
	case s.abort && s.pending == pendingNone:
		return rollBackOnly // which looks again after the deliverers have the current secret back
	case s.pending != pendingOther && !s.rechecked:
		return recheck // perhaps it does not work everywhere yet, or is not seen everywhere
	case s.abort && s.pending == pendingOurs: // the refusal may be wrong, and what is pending would block the next rotation
		if instead, ok := safeToCancel(s); !ok {
			return instead
		}
		return rollBack
	case s.abort:
		return rollBackOnly
	case s.pending == pendingNone:
		return startOver
	case !s.takeOver:
		return stopOther
	}
	if instead, ok := safeToCancel(s); !ok {
		return instead
	}
	return cancelAndStartOver
}

// safeToCancel reports whether the pending secret can go without harm, or else what to do instead.
func safeToCancel(s situation) (instead course, ok bool) {
	switch {
	case !s.known:
		return stopUnknown, false
	case s.working.Current == Unproved:
		return proveCurrent, false
	case s.working.Current == Refused:
		return stopRefused, false
	case s.active == activeNext, s.active == activeNeither:
		return stopOther, false // the secret taken for the current one works, but as the pending one
	}
	return 0, true
}
