package rotate

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// TestNextOfSeveralPlaces asks for the effects on two deliverers: what one of them lacks or did
// wrong does not keep the other from its turn.
func TestNextOfSeveralPlaces(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	plain := DelivererFunc(func(context.Context, Delivery) error { return nil })
	c := &config{settings: defaults(), deliverers: []namedDeliverer{{"a", plain}, {"b", readable{}}}}
	current, upcoming := secret.New("current-aaaa"), secret.New("upcoming-bbbb")
	observed := func(pending string) observation {
		return observation{
			now: now, claimEnds: now.Add(c.claimLife()), durable: true, lookedNow: true, seen: secret.LastFour{Current: "aaaa", Next: pending},
			seenAt: moment{now, 0}, currentAt: moment{now, 0}, currentOf: current, nextAt: moment{now, 0}, working: Working{Current: Accepted, Next: Accepted},
		}
	}
	started := Record{RotationID: "r", ClientID: "c", State: Started, Current: current, Next: upcoming}

	o := observed("bbbb")
	o.task, o.places = handOver, map[int]place{0: {err: errors.New("full")}}
	if e := next(started, &o, c); e.kind != deliver || e.place != 1 || e.give.RotationID != "r" {
		t.Errorf("after the first deliverer failed: %+v", e)
	}
	for restarts, want := range map[int]string{1: "r-1", 2: "r-2"} {
		rec := started
		rec.Restarts = restarts
		if e := next(rec, &o, c); e.give.RotationID != want {
			t.Errorf("after %d restarts the delivery is of rotation %s, want %s", restarts, e.give.RotationID, want)
		}
	}
	o.places[1] = place{err: errors.New("full, too")}
	if e := next(started, &o, c); e.kind == deliver || e.kind == write {
		t.Errorf("after both failed: %+v", e)
	}
	o.places = map[int]place{0: {given: true}}
	if e := next(started, &o, c); e.kind != write || e.record.State != Started || !slices.Equal(e.record.Delivered, []string{"a"}) {
		t.Errorf("after the first took it: %+v", e)
	}

	delivered := started
	delivered.Delivered = []string{"a", "b"}
	o = observed("bbbb")
	if e := next(delivered, &o, c); e.kind != write || e.record.State != Delivered {
		t.Errorf("all have it, and the record does not say so: %+v", e)
	}

	planned := Record{State: Planned, Current: current}
	o = observed("")
	o.working.Next, o.nextAt = Unproved, moment{}
	if e := next(planned, &o, c); e.kind != checkPlace || e.place != 1 {
		t.Errorf("the place that can be checked is the second one: %+v", e)
	}
	o.checks = map[int]error{1: nil}
	if e := next(planned, &o, c); e.kind != write || e.record.State != Starting {
		t.Errorf("after the check: %+v", e)
	}
}

// TestNextOfCompromised asks again after the completion whether the previous secret still works, a
// little later each time.
func TestNextOfCompromised(t *testing.T) {
	c := &config{settings: defaults()}
	c.compromised = true
	rec := Record{State: Completing, Current: secret.New("current-aaaa"), Next: secret.New("upcoming-bbbb")}
	for rechecks := range maxRechecks + 1 {
		o := observation{rechecks: rechecks, task: conclusion, working: Working{Current: Accepted, Next: Accepted}}
		e, ok := proveDead(rec, &o, c)
		if want := time.Duration(rechecks+1) * time.Second; rechecks < maxRechecks && (!ok || e.kind != wait || e.wait != want || !e.recheck) {
			t.Errorf("recheck %d: %+v, want to wait %v", rechecks, e, want)
		}
		if rechecks == maxRechecks && (e.kind != stop || !errors.Is(e.err, ErrCompromised)) {
			t.Errorf("in the end: %+v", e)
		}
	}
}

// TestNextOfUnsentStart does not begin again after a start that was never sent because the claim
// was about to end: another process may have it by now.
func TestNextOfUnsentStart(t *testing.T) {
	c := &config{settings: defaults()}
	for sent, want := range map[bool]kind{false: stop, true: wait} {
		o := observation{inFlight: true, failed: &failure{err: errors.New("refused"), kind: start, sent: sent}}
		if e := next(Record{State: Starting, Current: secret.New("current-aaaa")}, &o, c); e.kind != want {
			t.Errorf("sent %t: %+v", sent, e)
		}
	}
}

// TestNextOfNothingWorks asks for a human where both secrets are refused, also while the rotation
// is being canceled.
func TestNextOfNothingWorks(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	c := &config{settings: defaults()}
	for _, abort := range []bool{false, true} {
		rec := Record{State: Started, Abort: abort, Current: secret.New("current-aaaa"), Next: secret.New("upcoming-bbbb")}
		o := observation{
			now: now, claimEnds: now.Add(c.claimLife()), rechecks: maxRechecks, seen: secret.LastFour{Current: "cccc"}, seenAt: moment{now, 0},
			currentAt: moment{now, 0}, currentOf: rec.Current, nextAt: moment{now, 0}, working: Working{Current: Refused, Next: Refused},
		}
		e := next(rec, &o, c)
		if e.kind != write || e.record.State != NeedsHuman || e.record.Abort != abort || e.then == nil || !errors.Is(e.then.err, ErrNoWorkingSecret) {
			t.Errorf("abort %t: %+v", abort, e)
		}
	}
}
