package rotate

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// readable is a deliverer that can be read.
type readable struct{}

func (readable) Deliver(context.Context, Delivery) error        { return nil }
func (readable) Read(context.Context, string) (Delivery, error) { return Delivery{}, nil }
func (readable) Check(context.Context, string) error            { return nil }

// offered reports whether a source has a secret that was not tried.
func offered(o *observation) bool { return !o.answers[0].secret.IsZero() }

// everyStep calls f with all combinations of a record and what can be known when next is asked
// between two sequences of effects.
func everyStep(f func(Record, *observation, *config)) {
	now := time.Unix(1_700_000_000, 0)
	c := &config{settings: defaults(), deliverers: []namedDeliverer{{"a", readable{}}}}
	for _, state := range []State{Planned, Starting, Started, Delivered, Verified, Grace, Completing} {
		for bits := range 1 << 15 {
			flag := func(i int) bool { return bits>>i&1 == 1 }
			if flag(12) && (state != Planned || flag(1)) || flag(13) && state != Planned && state != Starting || flag(14) && flag(1) {
				continue // makes no difference
			}
			rec := Record{RotationID: "r", ClientID: "c", State: state, Abort: flag(0), GraceUntil: now}
			if flag(1) {
				rec.Current = secret.New("current-aaaa")
			}
			if state.hasNext() {
				rec.Next = secret.New("upcoming-bbbb")
			}
			if state.hasNext() && state != Started {
				rec.Delivered = []string{"a"}
			}
			o := observation{
				now: now, claimEnds: now.Add(c.claimLife()), round: 2, durable: flag(2), reserved: flag(3), lookedNow: flag(4),
				intended: flag(5), inFlight: flag(6) && state == Starting, seenAt: moment{now.Add(-3 * time.Second), 1},
				currentAt: moment{now.Add(-4 * time.Second), 1}, currentOf: rec.Current, nextAt: moment{now.Add(-4 * time.Second), 1},
				answers: []answer{{source: 0, asked: moment{now, 2}}},
			}
			if flag(12) {
				o.answers[0].secret = secret.New("offered-dddd")
			}
			if flag(13) {
				o.checks = map[int]error{0: nil}
			}
			if flag(7) {
				o.ended = context.Canceled
			}
			if flag(8) {
				o.claimEnds = now.Add(c.claimLife() / 2)
			}
			if flag(11) {
				if !o.inFlight {
					continue
				}
				o.startAt, o.pendingAt = now.Add(-2*startWindow), now
			}
			if flag(9) {
				o.nextAt.at = now.Add(-6 * time.Second)
			}
			settings := *c
			settings.takeOver, settings.unknownCurrent = flag(10), flag(14)
			for _, next := range []string{"", "bbbb", "cccc"} {
				for _, active := range []string{"", "aaaa", "bbbb", "cccc"} {
					for verdicts := range 9 {
						o.seen = secret.LastFour{Current: active, Next: next}
						o.working = Working{Current: Verdict(verdicts % 3), Next: Verdict(verdicts / 3)}
						if rec.Next.IsZero() && o.working.Next != Unproved || rec.Current.IsZero() && o.working.Current != Unproved {
							continue // cannot be
						}
						f(rec, &o, &settings)
					}
				}
			}
		}
	}
}

// TestNextRules holds what must be true before each effect that cannot be taken back against every
// step.
func TestNextRules(t *testing.T) {
	count, kinds := 0, map[kind]int{}
	everyStep(func(rec Record, o *observation, c *config) {
		count++
		var before string
		if count%97 == 0 {
			before = fmt.Sprintf("%+v %+v", rec, *o)
		}
		e := next(rec, o, c)
		kinds[e.kind]++
		if before != "" && before != fmt.Sprintf("%+v %+v", rec, *o) {
			t.Fatal("next changed what it was given")
		}
		rule := func(ok bool, text string) {
			if !ok {
				t.Fatalf("%s, abort %v: effect %d although %s: %+v", rec.State, rec.Abort, e.kind, text, *o)
			}
		}
		currentProved := !rec.Current.IsZero() && o.working.Current == Accepted
		nextProved := !rec.Next.IsZero() && o.working.Next == Accepted && o.now.Sub(o.nextAt.at) <= fresh
		p, a := o.compare(rec)
		switch e.kind {
		case start, complete, cancel:
			rule(o.ended == nil, "the caller's context has ended")
			rule(o.reserved, "the limiter was not asked")
			rule(o.lookedNow, "the look is 3 s old")
			rule(!o.claimOld(c), "the claim is old")
		}
		switch e.kind {
		case start:
			rule(rec.State == Starting && o.durable, "the intent is not durable")
			rule(rec.Next.IsZero() && p == pendingNone && !rec.Abort, "a next secret exists, or is not wanted")
			rule(currentProved || rec.Current.IsZero() && c.unknownCurrent, "the current secret is not proved")
			rule(o.checks != nil, "the place was not checked")
		case complete:
			rule(rec.State == Completing && !o.intended, "there was no look after the intent")
			rule(p == pendingOurs && nextProved, "the next secret is not proved and pending")
			rule(!rec.Abort && len(c.missing(rec)) == 0, "it is to be canceled, or not delivered")
		case cancel:
			rule(o.durable, "the secret that stays is not stored")
			rule(currentProved && p != pendingNone, "the current secret is not proved, or nothing is pending")
			rule(a == activeCurrent || a == activeUnknown, "the server's current secret is another one")
			rule(rec.State == Starting && o.inFlight && !o.late() || c.takeOver || rec.Abort && p == pendingOurs, "what is pending is not ours")
		case deliver:
			rule(o.ended == nil && nextProved, "the next secret is not proved")
			rule(e.give.Secret.Equal(rec.Next) && !e.give.Secret.IsZero(), "it is another secret")
			rule(e.task == handOver || a == activeNext || o.working.Current == Refused || o.rechecks == maxRechecks, "the previous one still works")
		case write:
			to := e.record.State
			rule(to != Starting || rec.State == Starting || p == pendingNone && rec.Next.IsZero() && !rec.Abort, "a start is not wanted")
			rule(to != Starting || rec.State == Starting || o.checks != nil && (currentProved || rec.Current.IsZero() && c.unknownCurrent && !offered(o)),
				"the places were not checked, or the current secret is not proved")
			rule(to != Completing || to == rec.State || nextProved && p == pendingOurs && !rec.Abort, "the next secret is not proved and pending")
			rule(to != Completed, "the deliverers still have the previous secret")
			rule(to != Canceled || rec.Abort && rec.Next.IsZero() && rec.Restarts == 0, "the deliverers may have the next secret")
			rule(to.hasNext() == !e.record.Next.IsZero() || to == NeedsHuman, "the state and the secret disagree")
			rule(to == rec.State || to == NeedsHuman || to == Planned && rec.State == Starting || o.ended == nil, "the caller's context has ended")
		case prove:
			rule(o.ended == nil, "the caller's context has ended")
		}
	})
	t.Logf("%d steps: %v", count, kinds)
	for _, k := range []kind{observe, prove, reserve, write, start, complete, cancel, deliver, readPlace, wait, stop} {
		if kinds[k] == 0 {
			t.Errorf("effect %d never follows", k)
		}
	}
}

// TestQuestions lists the effects that change nothing: what was learned stays valid through them.
func TestQuestions(t *testing.T) {
	for e, want := range map[*effect]bool{
		{kind: observe}: true, {kind: findCurrent}: true, {kind: checkPlace}: true, {kind: readPlace}: true, {kind: checkReady}: true,
		{kind: prove}: true, {kind: reserve}: true, {kind: write, intent: true}: true, {kind: wait, recheck: true}: true,
		{kind: write}: false, {kind: write, recheck: true}: false, {kind: wait}: false, {kind: wait, intent: true}: false, {kind: wait, retry: true}: false,
		{kind: start}: false, {kind: start, intent: true}: false, {kind: complete}: false, {kind: complete, recheck: true}: false,
		{kind: cancel}: false, {kind: deliver}: false, {kind: stop, intent: true, recheck: true}: false, {kind: done}: false,
	} {
		if e.question() != want {
			t.Errorf("%+v is a question: %t", *e, !want)
		}
	}
}

// TestNextSurprises asks for single effects that other effects lead to.
func TestNextSurprises(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	c := &config{settings: defaults(), deliverers: []namedDeliverer{{"a", readable{}}}}
	known := func(active, next string) observation {
		o := observation{
			now: now, claimEnds: now.Add(c.claimLife()), durable: true, reserved: true, lookedNow: true, seen: secret.LastFour{Current: active, Next: next},
			seenAt: moment{now, 0}, currentAt: moment{now, 0}, nextAt: moment{now, 0}, working: Working{Current: Accepted, Next: Accepted},
		}
		return o
	}
	completing := Record{State: Completing, Current: secret.New("current-aaaa"), Next: secret.New("upcoming-bbbb"), Delivered: []string{"a"}}
	started := completing
	started.State, started.Delivered = Started, nil
	canceling := changed(completing, Grace, func(r *Record) { r.Abort = true })

	if o := known("aaaa", "bbbb"); next(completing, &o, c).kind != complete {
		t.Error("what is known does not permit the completion")
	}
	o := known("aaaa", "bbbb")
	o.changed = true // while the limiter was waited for
	if e := next(completing, &o, c); e.kind != wait || !e.retry || !e.forget {
		t.Errorf("after a change: %+v", e)
	}
	o = known("aaaa", "bbbb")
	o.responded = complete
	if e := next(completing, &o, c); e.kind != wait || !e.retry {
		t.Errorf("after a completion that did not happen: %+v", e)
	}
	o = known("bbbb", "")
	if e := next(started, &o, c); e.kind != deliver || e.task != handOver || !e.give.Previous.Equal(started.Current) {
		t.Errorf("completed by another process before the delivery: %+v", e)
	}
	o = known("bbbb", "")
	o.responded = cancel
	if e := next(canceling, &o, c); e.kind != wait || !e.retry {
		t.Errorf("after a cancellation that completed: %+v", e)
	}
	planned := Record{State: Planned, Current: completing.Current}
	for _, test := range []struct {
		rec      Record
		failed   kind
		rechecks int
		want     State // "" for another look
	}{
		{planned, observe, 0, Gone}, {completing, observe, 0, ""}, {completing, complete, 1, ""}, {completing, prove, maxRechecks, Gone},
		{Record{State: Starting}, start, 0, ""}, {Record{State: Starting}, start, maxRechecks, Gone},
	} {
		o = known("aaaa", "bbbb")
		o.failed, o.rechecks = &failure{err: goneError{}, kind: test.failed, sent: true}, test.rechecks
		e := next(test.rec, &o, c)
		if test.want == "" && !(e.kind == wait && e.recheck && e.forget) ||
			test.want != "" && !(e.kind == write && e.record.State == test.want && e.record.Current.IsZero() && e.record.Next.IsZero()) {
			t.Errorf("the client is gone in %s: %+v", test.rec.State, e)
		}
	}
	for _, other := range []kind{write, deliver, readPlace, findCurrent, checkReady, reserve} {
		o = known("aaaa", "bbbb")
		o.failed, o.rechecks = &failure{err: goneError{}, kind: other}, maxRechecks
		if e := next(completing, &o, c); e.kind != stop {
			t.Errorf("something else is gone: %+v", e)
		}
	}
	for rechecks := range maxRechecks { // it works, and is not pending: perhaps not everywhere yet
		o = known("aaaa", "")
		o.rechecks, o.currentOf = rechecks, completing.Current
		want := time.Duration(rechecks+1) * time.Second
		if e := next(completing, &o, c); e.kind != wait || !e.recheck || e.wait != want {
			t.Errorf("recheck %d: %+v, want to wait %v", rechecks, e, want)
		}
		o.failed = &failure{err: goneError{}, kind: observe}
		if e := next(completing, &o, c); e.kind != wait || !e.recheck || e.wait != want {
			t.Errorf("recheck %d of a client that is gone: %+v, want to wait %v", rechecks, e, want)
		}
	}
	for which, want := range map[kind]time.Time{start: now, cancel: {}} { // the age of a start counts
		if rec := intent(which, Record{}, &observation{now: now}); !rec.UpdatedAt.Equal(want) {
			t.Errorf("the intent of request %d is of %v", which, rec.UpdatedAt)
		}
	}
	o = known("aaaa", "")
	o.responded = cancel
	if e := next(canceling, &o, c); e.kind != write || e.record.State != Canceled || !e.record.Current.IsZero() {
		t.Errorf("after a cancellation: %+v", e)
	}
}

type goneError struct{}

func (goneError) Error() string { return "it does not exist" }
func (goneError) Gone() bool    { return true }
