package rotate

import (
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

const (
	// fresh is how long what was read or proved is valid. It is long enough for the steps of a
	// rotation without a grace period, so that these cost three tokens and not five, and short
	// compared to anything that people do by hand.
	fresh = 5 * time.Second
	// recent is how old a look at the server may be when something is changed because of it.
	recent = time.Second
	// startWindow is how long after a start whose response was lost a next secret may appear that
	// is taken for the lost one. After that it may as well be one that a person started.
	startWindow = time.Minute
	// maxRechecks is how often a contradiction is looked into again.
	maxRechecks = 2
)

// observation is what one hold of a client has learned so far. It is gone with the process:
// whatever a later one needs is in the record, or can be found out again.
type observation struct {
	now       time.Time // when next is asked
	ended     error     // of the context that the next effect would have
	claimEnds time.Time // unless something is written
	durable   bool      // the record was written in this hold: one that was read may be what a failed write left, not yet synced

	round     int // of questions: all that is learned in one round is valid until its end, however slow the answers are
	rechecks  int // in this round
	seen      secret.LastFour
	seenAt    moment
	changed   bool // the server's latest answer differs from the one before
	lookedNow bool // nothing was done since the latest look
	intended  bool // something was written since the latest look
	working   Working
	currentAt moment
	currentOf secret.String // which one that was
	nextAt    moment
	answers   []answer      // of the sources of the current secret
	checks    map[int]error // of the places, by the index of the deliverer
	ready     readiness

	inFlight  bool          // a start may have been sent whose outcome is not known
	startAt   time.Time     // when it was last sent
	pendingAt time.Time     // when the pending secret was first seen
	reserved  bool          // the limiter has permitted a request
	responded kind          // the request that succeeded and whose consequence is not recorded yet, or 0
	received  secret.String // a next secret that is not stored yet
	stores    int           // attempts to store it

	task     task
	places   map[int]place // in this task
	restarts int           // in this hold
	failures int           // in a row
	failed   *failure      // of the latest effect
	cause    error         // of the cleanup in progress
}

// moment is when something was learned: the time before asking, and the round.
type moment struct {
	at    time.Time
	round int
}

// place is what is known of the place of one deliverer.
type place struct {
	given bool // it took the delivery
	read  bool
	held  secret.String
	err   error
}

type readiness uint8

const (
	readyUnknown readiness = iota
	ready
	notReady
)

// valid reports whether what was learned can be relied on. All that is learned in one round can:
// where each answer takes long, that would never come to an end otherwise.
func (o *observation) valid(m moment) bool {
	return !m.at.IsZero() && (m.round == o.round || o.now.Sub(m.at) <= fresh)
}

// forget drops what was read and proved.
func (o *observation) forget() {
	o.seenAt, o.working, o.currentAt, o.nextAt, o.changed = moment{}, Working{}, moment{}, moment{}, false
}

// endRound makes what was learned age.
func (o *observation) endRound() {
	o.round++
	o.rechecks = 0
}

// retry begins again after a failure.
func (o *observation) retry() {
	o.endRound()
	o.failures++
	o.failed, o.task, o.places = nil, noTask, nil
	o.responded, o.reserved, o.ready = 0, false, readyUnknown
	for i := range o.answers {
		o.answers[i].asked = moment{}
	}
}

// sees adds what the server said when it was asked at m. Proofs from before a surprise prove
// nothing about what is now: what ends like the pending secret, or like the current one, may be
// another secret by then.
func (o *observation) sees(rec Record, seen secret.LastFour, m moment) {
	news := o.seenAt.round != m.round || seen != o.seen // otherwise the proofs were made since
	o.changed = !o.seenAt.at.IsZero() && seen != o.seen
	if o.pendingAt.IsZero() || seen.Next != o.seen.Next {
		o.pendingAt = m.at
	}
	o.seen, o.seenAt, o.lookedNow, o.intended = seen, m, true, false
	expected := pendingNone
	if !rec.Next.IsZero() && o.responded != cancel {
		expected = pendingOurs
	}
	if p, _ := o.compare(rec); news && p != expected {
		o.working, o.currentAt, o.nextAt = Working{}, moment{}, moment{}
	}
}

// proves adds what a proof of s said when it was begun at m. A secret of a source that works is the
// current one from then on.
func (o *observation) proves(which whose, s secret.String, accepted bool, m moment) {
	verdict := Refused
	if accepted {
		verdict = Accepted
	}
	if which == nextSecret {
		o.working.Next, o.nextAt = verdict, m
		return
	}
	for i, a := range o.answers {
		if a.secret.Equal(s) {
			o.answers[i].verdict = verdict
		}
	}
	if which == currentSecret || accepted {
		o.working.Current, o.currentAt, o.currentOf = verdict, m, s
	}
}

// situation is what is known now. What is no longer valid counts as unknown.
func (o *observation) situation(rec Record, c *config) situation {
	s := situation{
		stored: !rec.Next.IsZero(), asked: rec.State == Starting && o.inFlight, late: o.late(),
		restarted: rec.Restarts > 0, blind: c.unknownCurrent, abort: rec.Abort, takeOver: c.takeOver, rechecked: o.rechecks >= maxRechecks,
		observed: o.valid(o.seenAt) && !(rec.State == Completing && o.intended), // an intent is acted on after another look
	}
	s.known, s.working.Current = o.current(rec)
	if o.valid(o.nextAt) {
		s.working.Next = o.working.Next
	}
	s.pending, s.active = o.compare(rec)
	return s
}

// late reports whether what is pending appeared too long after the start to be taken for its
// result. Two machines may not agree on the time, so that too long before is too late as well.
func (o *observation) late() bool { return o.pendingAt.Sub(o.startAt).Abs() > startWindow }

// compare reads the last four characters.
func (o *observation) compare(rec Record) (pending, active) {
	p, a := pendingOther, activeNeither
	current, next := lastFour(rec.Current), lastFour(rec.Next)
	switch {
	case !o.seen.Rotating():
		p = pendingNone
	case next != "" && o.seen.Next == next:
		p = pendingOurs
	}
	switch {
	case o.seen.Current == "" && current != "" && o.seen.Next == current: // what is stored as the current one is the pending one
	case o.seen.Current == "":
		a = activeUnknown
	case current != "" && o.seen.Current == current:
		a = activeCurrent
	case next != "" && o.seen.Current == next:
		a = activeNext
	case current == "" && next == "":
		a = activeUnknown
	}
	return p, a
}
