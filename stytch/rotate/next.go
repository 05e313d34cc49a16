package rotate

import (
	"slices"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// maxRestarts is how often a stored next secret may be given up in one hold because another process
// canceled it.
const maxRestarts = 3

// next says what to do, given what the journal holds and what was learned. It is the whole engine:
// it performs nothing, and what performs it decides nothing. It changes neither rec nor o.
//
// What has happened is recorded first. Then nothing new is begun if the caller's context has ended.
// Then a sequence that was begun continues, such as the deliveries; and otherwise decide says what
// to do.
func next(rec Record, o *observation, c *config) effect {
	stored := rec
	rec = o.withCurrent(rec)
	switch {
	case o.failed != nil:
		return recoverFrom(rec, o, c, *o.failed)
	case o.responded == start:
		return store(rec, o, c)
	case o.responded == cancel && !(rec.Abort && o.task != dropUnstored):
		return startAgain(rec, o, c)
	case rec.State.Final():
		return end(rec, o)
	case o.task == handOver && o.lastGiven(rec, c) >= 0:
		return recordDelivery(rec, o, c)
	case o.ended != nil:
		return recoverFrom(rec, o, c, failure{err: o.ended})
	case o.responded == cancel:
		return confirmCancel(rec, o, c)
	case o.reserved && o.changed:
		return recoverFrom(rec, o, c, inconsistent("its secrets changed in the meantime"))
	case o.task == findRival:
		return stopForRival(rec, o, c)
	case o.task == handOver:
		return handOverNext(rec, o, c)
	case o.task == readBack:
		return readBackNext(rec, o, c)
	case o.task == conclusion, o.task == giveBack:
		return giveAll(rec, o, c)
	case o.held(rec, c):
		return hold(rec, o, c)
	case rec.State == Planned && rec.Current.IsZero() && !rec.Abort:
		if source, ok := o.unasked(c, false); ok {
			return ofPlace(effect{kind: findCurrent, place: source}, stored, o, c)
		}
		if err := o.unread(); err != nil { // a place that cannot be read now cannot be relied on later
			return recoverFrom(rec, o, c, failure{err: err, caller: true})
		}
	}
	to := decide(o.situation(rec, c))
	if (to == begin || to == proveCurrent && rec.State == Planned) && !rec.Abort && o.task == noTask {
		if e, ok := preflight(stored, o, c); ok {
			return e
		}
	}
	return follow(to, rec, o, c)
}

// follow is the next effect on a course.
func follow(to course, rec Record, o *observation, c *config) effect {
	if rec.State == Starting && !o.inFlight && to > begin { // nothing was sent, so what is pending is not ours
		return effect{kind: write, record: changed(rec, Planned)}
	}
	if o.task == dropUnstored && to > proveNext && to != cancelAndStartOver {
		return effect{kind: stop, err: o.cause}
	}
	switch to {
	case askServer:
		return effect{kind: observe, task: o.task}
	case proveCurrent:
		if rec.Current.IsZero() {
			return effect{kind: prove, secret: foundSecret, task: o.task}
		}
		return effect{kind: prove, secret: currentSecret, task: o.task}
	case proveNext:
		return effect{kind: prove, secret: nextSecret, task: o.task}
	case begin:
		if rec.State == Planned {
			return effect{kind: write, record: changed(rec, Starting), intent: true}
		}
		return request(start, rec, o, c)
	case proceed:
		return proceedFrom(rec, o, c)
	case conclude:
		if rec.State == Started || rec.State == Delivered {
			return proceedFrom(rec, o, c) // another process completed it before the deliverers had it
		}
		return giveAll(rec, o.in(conclusion), c)
	case startOver:
		return startAgain(rec, o, c)
	case cancelAndStartOver:
		return request(cancel, rec, o, c)
	case rollBack, rollBackOnly:
		return rollBackBy(to, rec, o, c)
	case recheck:
		return effect{kind: wait, wait: time.Duration(o.rechecks+1) * time.Second, recheck: true, forget: true, task: o.task}
	}
	return halt(to, rec, o, c)
}

// proceedFrom is the next effect towards the completion, with a next secret that is stored, pending
// and proved.
func proceedFrom(rec Record, o *observation, c *config) effect {
	if rec.State != Started && len(c.missing(rec)) > 0 { // a deliverer was added
		return effect{kind: write, record: changed(rec, Started)}
	}
	switch rec.State {
	case Started:
		return handOverNext(rec, o.in(handOver), c)
	case Delivered, Grace: // much may have happened to the places during a grace period
		return readBackNext(rec, o.in(readBack), c)
	case Verified:
		if c.waits() {
			return effect{kind: write, record: changed(rec, Grace, func(r *Record) { r.GraceUntil = o.now.Add(c.grace) })}
		}
		return effect{kind: write, record: changed(rec, Completing)}
	}
	if o.responded == complete {
		return recoverFrom(rec, o, c, inconsistent("it confirmed the completion, which did not happen"))
	}
	return request(complete, rec, o, c)
}

// hold waits for the end of the grace period, and then for readiness.
func hold(rec Record, o *observation, c *config) effect {
	left := rec.GraceUntil.Sub(o.now)
	switch {
	case left > 0:
		return effect{kind: wait, wait: left}
	case o.ready == notReady:
		return effect{kind: wait, wait: c.readyEvery}
	}
	return effect{kind: checkReady}
}

// held reports whether the grace period or readiness holds the completion back.
func (o *observation) held(rec Record, c *config) bool {
	return rec.State == Grace && !rec.Abort && !c.compromised && (rec.GraceUntil.After(o.now) || c.ready != nil && o.ready != ready)
}

// request sends one of the three requests that change something: by permission of the limiter,
// under a claim that has most of its life left, and right after a look at the server. That comes
// last, for the limiter or the journal may take minutes.
func request(which kind, rec Record, o *observation, c *config) effect {
	switch {
	case which != complete && !o.durable && o.task != dropUnstored: // the intent, and the secret that stays
		return effect{kind: write, record: intent(which, rec, o), intent: true, task: o.task}
	case !o.reserved:
		return effect{kind: reserve, task: o.task}
	case o.claimOld(c):
		return effect{kind: write, record: intent(which, rec, o), intent: true, task: o.task}
	case !o.lookedNow && o.now.Sub(o.seenAt.at) > recent:
		return effect{kind: observe, task: o.task}
	}
	return effect{kind: which, task: o.task}
}

// intent is the record of a request that is about to be sent: that of a start has its time.
func intent(which kind, rec Record, o *observation) Record {
	if which == start {
		rec.UpdatedAt = o.now
	}
	return rec
}

// claimOld reports whether the claim has to be extended before anything that takes long or cannot
// be undone.
func (o *observation) claimOld(c *config) bool {
	life := c.claimLife()
	return o.claimEnds.Sub(o.now) <= life*3/4
}

// store makes a next secret durable before anything else happens with it.
func store(rec Record, o *observation, c *config) effect {
	if o.received.IsZero() {
		return recoverFrom(rec, o, c, inconsistent("it started a rotation without a next secret"))
	}
	return effect{kind: write, record: changed(rec, Started, func(r *Record) {
		r.Next, r.Delivered, r.GraceUntil = o.received, nil, time.Time{}
	})}
}

// startAgain gives up the next secret, which is refused or was canceled, for another one.
func startAgain(rec Record, o *observation, c *config) effect {
	lost := rec.Next.IsZero() // it never arrived, and no other process had a part in that
	switch {
	case o.task == dropUnstored:
		return effect{kind: stop, err: o.cause, forget: true}
	case !lost && o.restarts == maxRestarts:
		return recoverFrom(rec, o, c, failure{err: wrong(ErrOtherRotation, "the next secret was canceled %d times", o.restarts+1)})
	}
	return effect{kind: write, record: changed(rec, Planned, func(r *Record) {
		r.Next, r.Delivered, r.GraceUntil = secret.String{}, nil, time.Time{}
		if !lost {
			r.Restarts++
		}
	})}
}

// rollBackBy gives the rotation up: first the deliverers get the current secret back, then ours is
// canceled.
func rollBackBy(to course, rec Record, o *observation, c *config) effect {
	if o.task != gaveBack && (!rec.Next.IsZero() || rec.Restarts > 0) {
		// From now on, no deliverer has the next one for certain.
		return effect{kind: write, task: giveBack, record: changed(rec, rec.State, func(r *Record) { r.Delivered = nil })}
	}
	if to == rollBackOnly {
		return effect{kind: write, record: erased(rec, Canceled)}
	}
	return request(cancel, rec, o, c)
}

// confirmCancel looks at what the cancellation did before it is recorded.
func confirmCancel(rec Record, o *observation, c *config) effect {
	if !o.lookedNow {
		return effect{kind: observe}
	}
	if p, a := o.compare(rec); p != pendingNone || a == activeNext || a == activeNeither {
		return recoverFrom(rec, o, c, inconsistent("the cancellation had no effect, or another one"))
	}
	return effect{kind: write, record: erased(rec, Canceled)}
}

// end is what a rotation at its end means to the caller, if it was not the end that it was meant to
// have.
func end(rec Record, o *observation) effect {
	if o.cause != nil && rec.State == Canceled {
		return effect{kind: stop, err: joined(ErrCanceled, o.cause)}
	}
	return effect{kind: done}
}

// in is the observation as a task sees it at its beginning.
func (o *observation) in(t task) *observation {
	begun := *o
	begun.task, begun.places = t, nil
	return &begun
}

// missing are the deliverers that do not have the next secret, as far as the journal knows.
func (c *config) missing(rec Record) (places []int) {
	for i, d := range c.deliverers {
		if !slices.Contains(rec.Delivered, d.name) {
			places = append(places, i)
		}
	}
	return places
}
