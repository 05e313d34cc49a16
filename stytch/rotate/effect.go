package rotate

import (
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// effect is one thing for the interpreter to do. It performs the effect as it stands, adds what it
// learned to the observation, and asks next again.
type effect struct {
	kind   kind
	task   task          // what the effect is part of, until the next effect
	forget bool          // first drop what was read and proved
	record Record        // of a write
	secret whose         // of a proof
	place  int           // of what concerns a place: the index of the deliverer
	give   Delivery      // of a delivery
	wait   time.Duration // of a wait
	err    error         // of a stop

	intent  bool     // of a write: what follows from it comes at once, so what was learned stays valid
	result  Working  // of a write: what it says about both secrets, unless zero
	then    *failure // of a write: the failure that it records
	retry   bool     // of a wait: begin again after a failure
	recheck bool     // of a wait: and ask everything again
	cleanup bool     // it is done for safety, even after the end of the caller's context
	cause   error    // what made a cleanup necessary
}

type kind uint8

const (
	observe     kind = iota // ask the server for the last four characters of its secrets
	findCurrent             // ask a source for the current secret
	checkPlace              // ask a deliverer whether its place works
	readPlace               // ask a deliverer what its place holds
	checkReady              // ask the caller whether all services have the next secret
	prove                   // try a secret
	reserve                 // wait until the limiter permits a request
	write                   // store a record
	start                   // the three requests that change something
	complete
	cancel
	deliver
	wait
	stop
	done
)

// question reports whether an effect changes nothing, so that what was learned before stays valid.
func (e effect) question() bool {
	return e.kind <= reserve || e.kind == write && e.intent || e.kind == wait && e.recheck
}

// task is a sequence of effects that needs no new look at the server in between.
type task uint8

const (
	noTask       task = iota
	handOver          // give the next secret to the deliverers that do not have it
	readBack          // compare what the places hold with the next secret
	conclusion        // take the previous secret away from the deliverers
	giveBack          // give the current secret back to the deliverers
	gaveBack          // that is done
	dropUnstored      // cancel a next secret that could not be stored
	findRival         // find out whether another rotation made the server refuse a start
)

// whose says which secret to prove.
type whose uint8

const (
	currentSecret whose = iota
	nextSecret
	foundSecret // the first one of a source that was not tried yet
)

// failure is an effect that failed, or a situation in which nothing safe is left to do.
type failure struct {
	err    error
	kind   kind
	sent   bool // of start, complete and cancel: the request may have reached the server
	repeat bool // beginning again may help
	caller bool // what the caller provided failed: a deliverer, or the check for readiness
	final  bool // nothing more is to be done about it
}

// unknown reports whether a request may have taken effect in spite of its error.
func (f *failure) unknown() bool { return f.sent && outcomeUnknown(f.err) }

// ofServer reports whether a request failed, and not what the caller provided or the journal.
func (f *failure) ofServer() bool {
	switch f.kind {
	case observe, prove, start, complete, cancel:
		return !f.final && !f.caller
	}
	return false
}

// erased is a record at its end.
func erased(rec Record, state State) Record {
	rec.State, rec.Current, rec.Next = state, secret.String{}, secret.String{}
	return rec
}

// changed is a copy of a record in another state, with further changes.
func changed(rec Record, state State, changes ...func(*Record)) Record {
	rec = rec.clone()
	rec.State = state
	for _, change := range changes {
		change(&rec)
	}
	return rec
}
