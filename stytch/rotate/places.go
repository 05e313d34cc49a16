package rotate

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// errOtherSecret is the failure of a deliverer that reports success and stores something else.
var errOtherSecret = errors.New("the place holds another secret than it was given")

// handOverNext gives the next secret to a deliverer that does not have it. All are tried before one
// that failed ends the run.
func handOverNext(rec Record, o *observation, c *config) effect {
	var failed []error
	for _, i := range c.missing(rec) {
		if err := o.places[i].err; err != nil {
			failed = append(failed, err)
			continue
		}
		return atPlace(rec, o, c, effect{kind: deliver, place: i, give: Delivery{Secret: rec.Next, Previous: rec.Current}})
	}
	if len(failed) > 0 {
		return recoverFrom(rec, o, c, failure{err: errors.Join(failed...), caller: true})
	}
	return effect{kind: write, record: changed(rec, Delivered)}
}

// lastGiven is the deliverer that has taken the next secret and is not in the record, or -1.
func (o *observation) lastGiven(rec Record, c *config) int {
	for _, i := range c.missing(rec) {
		if o.places[i].given {
			return i
		}
	}
	return -1
}

// recordDelivery remembers a deliverer that took the next secret, and with the last of them that
// all did.
func recordDelivery(rec Record, o *observation, c *config) effect {
	has := func(r *Record) { r.Delivered = append(r.Delivered, c.deliverers[o.lastGiven(rec, c)].name) }
	if len(c.missing(rec)) == 1 {
		return effect{kind: write, record: changed(rec, Delivered, has)}
	}
	return effect{kind: write, record: changed(rec, Started, has), task: handOver}
}

// readBackNext reads what can be read, so that the rotation relies on what the places hold and not
// on what the deliverers reported. A place that holds something else is delivered to again.
func readBackNext(rec Record, o *observation, c *config) effect {
	for i, d := range c.deliverers {
		at := o.places[i]
		switch {
		case !d.reads():
		case at.err != nil:
			return recoverFrom(rec, o, c, failure{err: at.err, caller: true})
		case !at.read:
			return atPlace(rec, o, c, effect{kind: readPlace, place: i})
		case !at.held.Equal(rec.Next):
			return effect{
				kind: write, record: changed(rec, Started, func(r *Record) {
					r.Delivered = slices.DeleteFunc(r.Delivered, func(name string) bool { return name == d.name })
				}),
				then: &failure{err: d.failed(errOtherSecret), caller: true},
			}
		}
	}
	if rec.State == Grace {
		return effect{kind: write, record: changed(rec, Completing)}
	}
	return effect{kind: write, record: changed(rec, Verified)}
}

// giveAll delivers the one secret that is left to all deliverers, whatever they have, and reads it
// back. After a failure it is repeated as a whole.
func giveAll(rec Record, o *observation, c *config) effect {
	left := rec.Next
	if o.task == giveBack {
		left = rec.Current
	}
	var failed []error
	for i, d := range c.deliverers {
		at := o.places[i]
		switch {
		case at.err != nil:
			failed = append(failed, at.err)
		case !at.given:
			return atPlace(rec, o, c, effect{kind: deliver, place: i, give: Delivery{Secret: left}})
		case d.reads() && !at.read:
			return atPlace(rec, o, c, effect{kind: readPlace, place: i})
		case d.reads() && !at.held.Equal(left):
			failed = append(failed, d.failed(errOtherSecret))
		}
	}
	switch {
	case len(failed) > 0:
		return recoverFrom(rec, o, c, failure{err: errors.Join(failed...), caller: true})
	case o.task == giveBack: // which may have taken minutes
		return effect{kind: observe, task: gaveBack, forget: true}
	}
	if e, ok := proveDead(rec, o, c); ok {
		return e
	}
	return effect{kind: write, record: erased(rec, Completed), result: Working{Current: Refused, Next: Accepted}}
}

// proveDead is the last step for a secret that was compromised: it is tried after the completion,
// and as long as it works the rotation does not end. The server may take a moment to refuse it.
func proveDead(rec Record, o *observation, c *config) (e effect, ok bool) {
	switch {
	case !c.compromised || o.working.Current == Refused && !rec.Current.IsZero():
		return effect{}, false
	case rec.Current.IsZero():
		why := wrong(ErrCompromised, "it is not known, so nothing shows that it is refused")
		return effect{kind: write, record: erased(rec, Completed), then: &failure{err: why, final: true}}, true
	case o.working.Current == Unproved:
		return effect{kind: prove, secret: currentSecret, task: o.task}, true
	case o.rechecks < maxRechecks:
		return effect{kind: wait, wait: time.Duration(o.rechecks+1) * time.Second, recheck: true, forget: true, task: o.task}, true
	}
	return effect{kind: stop, err: wrong(ErrCompromised, "IT STILL WORKS although the next secret is in use")}, true
}

// preflight checks all places that can be checked, once in each hold, and fails if one of them does
// not work: nothing is begun that could not be delivered.
func preflight(rec Record, o *observation, c *config) (e effect, ok bool) {
	var failed []error
	for i, d := range c.deliverers {
		if !d.checks() {
			continue
		}
		err, checked := o.checks[i]
		if !checked {
			return ofPlace(effect{kind: checkPlace, place: i}, rec, o, c), true
		}
		if err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) > 0 {
		return recoverFrom(rec, o, c, failure{err: errors.Join(failed...), caller: true}), true
	}
	return effect{}, false
}

// ofPlace calls a deliverer or a source, under a claim that outlasts the call.
func ofPlace(e effect, rec Record, o *observation, c *config) effect {
	e.task = o.task
	if o.claimOld(c) {
		return effect{kind: write, record: rec, intent: true, task: e.task}
	}
	return e
}

// atPlace calls a deliverer for a secret.
func atPlace(rec Record, o *observation, c *config, e effect) effect {
	e = ofPlace(e, rec, o, c)
	if e.kind == write {
		return e
	}
	e.give.ClientID, e.give.RotationID = rec.ClientID, rec.RotationID
	if rec.Restarts > 0 { // another secret than before the restart
		e.give.RotationID = fmt.Sprintf("%s-%d", rec.RotationID, rec.Restarts)
	}
	return e
}
