package rotate

import (
	"errors"
	"time"
)

const (
	maxStores   = 3               // attempts to store a next secret, which exists nowhere else
	maxThrottle = 5 * time.Minute // a server that asks for a longer pause is asked by a later run
)

// recoverFrom is what follows a failure: record where it leaves the rotation, begin again if that
// may help, roll back if the caller wants that, and otherwise stop.
func recoverFrom(rec Record, o *observation, c *config, f failure) effect {
	switch {
	case f.ofServer() && gone(f.err):
		return giveUp(rec, o, f)
	case o.task == findRival:
		return effect{kind: stop, err: o.cause}
	case o.task == dropUnstored:
		return effect{kind: stop, err: joined(o.cause, f.err)}
	case f.final:
		return effect{kind: stop, err: joined(f.err, o.cause)}
	case o.responded == start && f.kind == write:
		return unstored(rec, o, c, f)
	case rec.State == Starting && !o.inFlight: // nothing was sent, so whatever is pending later is not ours
		return effect{kind: write, record: changed(rec, Planned), then: &f}
	}
	if e, ok := beginAgain(rec, o, c, f); ok {
		return e
	}
	switch {
	case f.kind == start && f.sent && rec.State == Planned && !isThrottled(f.err) && o.ended == nil:
		return effect{kind: observe, task: findRival, cause: f.err}
	case c.cancelOnFailure && !c.compromised && o.cause == nil && !rec.Abort && begun(rec) && (f.caller || o.ended != nil) && !errors.Is(f.err, ErrBusy):
		return effect{kind: write, record: changed(rec, rec.State, func(r *Record) { r.Abort = true }), cleanup: true, cause: f.err}
	}
	return effect{kind: stop, err: joined(f.err, o.cause), forget: f.repeat}
}

// giveUp ends the rotation of a client that does not exist, or has no secret. Where secrets are
// stored the server is asked again first: they are erased, and one answer may be a mistake.
func giveUp(rec Record, o *observation, f failure) effect {
	stored := !rec.Next.IsZero() || rec.asks() || rec.Restarts > 0
	if stored && o.rechecks < maxRechecks {
		return effect{kind: wait, wait: time.Duration(o.rechecks+1) * time.Second, recheck: true, forget: true, task: o.task, cause: o.cause}
	}
	return effect{kind: write, record: erased(rec, Gone), then: &failure{err: because(ErrGone, f.err), final: true}}
}

// beginAgain is for failures after which the state of the server has to be read again, and then
// something else may be done. What a failed write left behind is not known, so another run begins
// with the journal.
func beginAgain(rec Record, o *observation, c *config, f failure) (e effect, ok bool) {
	pause, throttled := throttled(f.err)
	refused := f.kind == start && f.sent && rec.State == Starting // perhaps because of an earlier one, whose response was lost
	switch {
	case o.failures+1 >= c.attempts || errors.Is(f.err, ErrJournal):
		return effect{}, false
	case throttled && pause <= maxThrottle:
		return effect{kind: wait, wait: max(pause, time.Second<<(o.failures+1)), retry: true}, true
	case !throttled && (f.repeat || f.unknown() || refused):
		return effect{kind: wait, retry: true, forget: true}, true
	}
	return effect{}, false
}

// unstored is for a next secret that cannot be stored. No one has it, so it is canceled if that is
// safe. Otherwise the record shows that one was requested, and a later run cancels it.
func unstored(rec Record, o *observation, c *config, f failure) effect {
	switch {
	case errors.Is(f.err, ErrBusy): // the process that took over does it
		return effect{kind: stop, err: f.err}
	case o.stores < maxStores:
		return store(rec, o, c)
	}
	return effect{kind: observe, task: dropUnstored, forget: true, cleanup: true, cause: f.err}
}

// stopForRival ends a run whose start was refused, with the reason.
func stopForRival(rec Record, o *observation, c *config) effect {
	if decide(o.situation(rec, c)) == stopOther {
		return effect{kind: stop, err: because(ErrOtherRotation, o.cause)}
	}
	return effect{kind: stop, err: o.cause}
}

// halt ends a run in which nothing safe is left to do, and records that a human is needed where
// only a human can help. Before that it asks for the current secret again: perhaps a human has
// provided another one. It counts only if it is proved.
func halt(to course, rec Record, o *observation, c *config) effect {
	var why error
	switch to {
	case stopInconsistent:
		return recoverFrom(rec, o, c, failure{err: wrong(ErrInconsistent, "it accepts the next secret, but reports none as pending")})
	case stopOther:
		return recoverFrom(rec, o, c, failure{err: o.otherRotation(rec)})
	case stopRefused:
		why = o.refusedCurrent(rec, c)
	case stopUnknown:
		why = o.unknownCurrent(c)
	case stopNeither:
		why = ErrNoWorkingSecret
	}
	if source, ok := o.unasked(c, true); ok {
		return ofPlace(effect{kind: findCurrent, place: source}, rec, o, c)
	}
	if _, ok := o.untried(rec); ok {
		return effect{kind: prove, secret: foundSecret, task: o.task}
	}
	unread := o.unread()
	switch {
	case rec.State == Planned, unread != nil: // nothing was begun, or one of them may have it
		return recoverFrom(rec, o, c, failure{err: joined(why, unread)})
	case rec.Abort && o.working.Next == Accepted: // it can still be completed
		return effect{
			kind: write, record: changed(rec, rec.State, func(r *Record) { r.Abort = false }),
			then: &failure{err: wrong(why, "so the rotation cannot be canceled")},
		}
	}
	needsHuman := changed(rec, NeedsHuman, func(r *Record) { r.Stopped, r.Reason = rec.State, why.Error() })
	return effect{kind: write, record: needsHuman, then: &failure{err: why}}
}

// begun reports whether a rotation can be rolled back, and needs to be.
func begun(rec Record) bool {
	return rec.State == Started || rec.State == Delivered || rec.State == Verified || rec.State == Grace
}

// inconsistent is the failure of a server that contradicts itself.
func inconsistent(what string) failure {
	return failure{err: wrong(ErrInconsistent, "%s", what), repeat: true}
}

func joined(first, second error) error {
	if second == nil {
		return first
	}
	return errors.Join(first, second)
}

func isThrottled(err error) bool {
	_, ok := throttled(err)
	return ok
}
