package rotate

import (
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

func TestObservationAges(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	o := observation{now: now, round: 3}
	for name, test := range map[string]struct {
		learned moment
		want    bool
	}{
		"nothing":                     {moment{}, false},
		"nothing, in this round":      {moment{round: 3}, false},
		"just now":                    {moment{now, 2}, true},
		"as old as it may be":         {moment{now.Add(-fresh), 2}, true},
		"older":                       {moment{now.Add(-fresh - 1), 2}, false},
		"older, but of the round":     {moment{now.Add(-time.Hour), 3}, true},
		"older, and of a later round": {moment{now.Add(-time.Hour), 4}, false},
	} {
		if o.valid(test.learned) != test.want {
			t.Errorf("%s: %t", name, !test.want)
		}
	}
	o.startAt = now
	for after, want := range map[time.Duration]bool{0: false, startWindow: false, -startWindow: false, startWindow + 1: true, -startWindow - 1: true} {
		if o.pendingAt = now.Add(after); o.late() != want {
			t.Errorf("what is first seen %v after the start is late: %t", after, !want)
		}
	}
}

// TestObservationSees looks at the server once more. What it shows may be a surprise, and then
// proofs from before count for nothing.
func TestObservationSees(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	before := moment{now.Add(-time.Second), 1}
	ours, other, none := secret.LastFour{Current: "aaaa", Next: "bbbb"}, secret.LastFour{Current: "aaaa", Next: "cccc"}, secret.LastFour{Current: "aaaa"}
	next := secret.New("upcoming-bbbb")
	for name, test := range map[string]struct {
		first, then            secret.LastFour
		next                   secret.String // that is stored
		round                  int           // of the second look
		responded              kind
		kept, changed, pending bool // proofs are kept; the answer changed; what is pending is new
	}{
		"as expected":                          {ours, ours, next, 2, 0, true, false, false},
		"nothing, as expected":                 {none, none, secret.String{}, 2, 0, true, false, false},
		"a surprise":                           {ours, other, next, 1, 0, false, true, true},
		"a surprise in a new round":            {other, other, next, 2, 0, false, false, false},
		"the same surprise in the same round":  {other, other, next, 1, 0, true, false, false},
		"nothing is pending any more":          {ours, none, next, 1, 0, false, true, true},
		"nothing is pending, as was asked for": {ours, none, next, 2, cancel, true, true, true},
		"still pending after a cancellation":   {ours, ours, next, 2, cancel, false, false, false},
		"ours, and it is not stored":           {none, ours, secret.String{}, 2, 0, false, true, true},
	} {
		rec := Record{Current: secret.New("current-aaaa"), Next: test.next}
		o := observation{
			seen: test.first, seenAt: before, pendingAt: before.at, responded: test.responded, intended: true,
			working: Working{Current: Accepted, Next: Accepted}, currentAt: before, nextAt: before,
		}
		m := moment{now, test.round}
		o.sees(rec, test.then, m)
		kept := o.working == Working{Current: Accepted, Next: Accepted} && o.currentAt == before && o.nextAt == before
		dropped := o.working == Working{} && o.currentAt == moment{} && o.nextAt == moment{}
		if kept != test.kept || dropped == test.kept || o.changed != test.changed || o.pendingAt.Equal(now) != test.pending {
			t.Errorf("%s: %+v", name, o)
		}
		if o.seen != test.then || o.seenAt != m || !o.lookedNow || o.intended {
			t.Errorf("%s: the look itself: %+v", name, o)
		}
	}
	var o observation
	o.sees(Record{}, none, moment{now, 1})
	if o.changed || !o.pendingAt.Equal(now) {
		t.Errorf("the first look: %+v", o)
	}
}

func TestObservationSituation(t *testing.T) {
	c := &config{settings: defaults()}
	situation := func(rec Record, o observation) situation { return o.situation(rec, c) }
	for _, test := range []struct {
		state    State
		inFlight bool
		want     bool
	}{{Starting, true, true}, {Starting, false, false}, {Planned, true, false}, {Started, true, false}} {
		if s := situation(Record{State: test.state}, observation{inFlight: test.inFlight}); s.asked != test.want {
			t.Errorf("%+v: a start was asked for: %t", test, s.asked)
		}
	}
	for restarts, want := range map[int]bool{0: false, 1: true} {
		if s := situation(Record{Restarts: restarts}, observation{}); s.restarted != want {
			t.Errorf("%d restarts: %t", restarts, s.restarted)
		}
	}
	for rechecks, want := range map[int]bool{0: false, maxRechecks - 1: false, maxRechecks: true} {
		if s := situation(Record{}, observation{rechecks: rechecks}); s.rechecked != want {
			t.Errorf("%d rechecks: %t", rechecks, s.rechecked)
		}
	}
	now := time.Unix(1_700_000_000, 0)
	looked := observation{now: now, seenAt: moment{now, 0}}
	for _, test := range []struct {
		state    State
		intended bool
		want     bool
	}{{Completing, true, false}, {Completing, false, true}, {Verified, true, true}} {
		o := looked
		o.intended = test.intended
		if s := situation(Record{State: test.state}, o); s.observed != test.want {
			t.Errorf("%+v: observed: %t", test, s.observed)
		}
	}
}
