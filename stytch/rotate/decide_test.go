package rotate

import (
	"fmt"
	"testing"
)

// everySituation calls f with all combinations of what can be known.
func everySituation(f func(situation)) {
	for bits := range 1 << 10 {
		flag := func(i int) bool { return bits>>i&1 == 1 }
		s := situation{
			stored: flag(0), asked: flag(1), known: flag(2), restarted: flag(3), abort: flag(4), takeOver: flag(5), rechecked: flag(6), observed: flag(7), late: flag(8), blind: flag(9),
		}
		for s.pending = pendingNone; s.pending <= pendingOther; s.pending++ {
			for s.active = activeUnknown; s.active <= activeNeither; s.active++ {
				for s.working.Current = Unproved; s.working.Current <= Refused; s.working.Current++ {
					for s.working.Next = Unproved; s.working.Next <= Refused; s.working.Next++ {
						if s.asked && s.stored || s.late && !s.asked || !s.known && s.working.Current != Unproved ||
							!s.stored && (s.working.Next != Unproved || s.pending == pendingOurs || s.active == activeNext) {
							continue // cannot be
						}
						f(s)
					}
				}
			}
		}
	}
}

// TestDecideRules holds the three rules, and what follows from the meaning of each action, against
// every situation.
func TestDecideRules(t *testing.T) {
	count := 0
	everySituation(func(s situation) {
		count++
		a := decide(s)
		rule := func(ok bool, text string) {
			if !ok {
				t.Errorf("%+v: action %d although %s", s, a, text)
			}
		}
		currentProved := s.known && s.working.Current == Accepted
		rule(s.observed == (a != askServer), "the server was asked, or was not")
		switch a {
		case begin:
			rule(!s.stored && s.pending == pendingNone, "a next secret exists")
			rule(currentProved || !s.known && s.blind, "the current secret is not proved")
			rule(!s.abort, "it is being canceled")
		case cancelAndStartOver, rollBack:
			rule(currentProved, "the current secret is not proved")
			rule(s.pending != pendingNone, "there is nothing to cancel")
			rule(s.active == activeCurrent || s.active == activeUnknown, "the server's current secret is another one")
			rule(s.abort == (a == rollBack), "that is not what the caller wants")
			rule(s.asked && !s.late || s.stored || s.takeOver, "what is pending is not ours")
			rule(a == cancelAndStartOver || s.asked || s.pending == pendingOurs, "what is pending is not ours")
			rule(s.pending != pendingOurs || s.working.Next != Accepted || s.abort, "the stored next secret is good")
		case proceed:
			rule(s.stored && s.pending == pendingOurs && s.working.Next == Accepted, "the next secret is not proved and pending")
			rule(!s.abort, "it is being canceled")
		case conclude:
			rule(s.stored && s.pending != pendingOurs && s.working.Next == Accepted, "the next secret is not the current one")
			rule(!currentProved || s.active == activeNext, "the current secret works")
		case startOver:
			rule(s.pending == pendingNone && s.working.Next == Refused && currentProved, "the next secret may be alive")
		case rollBackOnly:
			rule(s.abort, "nobody wants that")
			rule(!s.stored || s.working.Next == Refused && currentProved, "the next secret may be in use")
			rule(!s.restarted || !s.known || currentProved, "the current secret, which is to be given back, is not proved")
		case recheck:
			rule(!s.rechecked, "there is no doubt left")
		case stopInconsistent:
			rule(s.rechecked && s.pending == pendingNone && s.working.Next == Accepted, "it may be consistent")
		case stopOther:
			rule(s.pending != pendingNone, "nothing is pending")
		case stopRefused:
			rule(s.working.Current == Refused, "the current secret is not refused")
		case stopUnknown:
			rule(!s.known, "the current secret is known")
		case stopNeither:
			rule(s.working == Working{Refused, Refused}, "one may work")
		}
	})
	t.Logf("%d situations", count)
}

// TestDecideEnds shows that finding out comes to an end: every situation leads to an action that is
// not a question.
func TestDecideEnds(t *testing.T) {
	everySituation(func(truth situation) {
		if truth.working.Next == Unproved && truth.stored || truth.working.Current == Unproved && truth.known {
			return // what a prober would say
		}
		s := truth
		s.observed, s.working = false, Working{}
		for range 8 {
			switch decide(s) {
			case recheck:
				s.observed, s.working, s.rechecked = false, Working{}, true
			case askServer:
				s.observed = true
			case proveCurrent:
				s.working.Current = truth.working.Current
			case proveNext:
				s.working.Next = truth.working.Next
			default:
				return
			}
		}
		t.Errorf("%+v: still undecided", truth)
	})
}

// TestDecideTable is the recovery table of docs/rotation.md, row by row.
func TestDecideTable(t *testing.T) {
	atStart := situation{known: true, observed: true, active: activeCurrent}
	asked := atStart
	asked.asked = true
	stored := atStart
	stored.stored = true
	with := func(s situation, p pending, h active, current, next Verdict) situation {
		s.pending, s.active, s.working = p, h, Working{current, next}
		return s
	}
	abort := func(s situation) situation { s.abort = true; return s }
	late := func(s situation) situation { s.late = true; return s }
	takeOver := func(s situation) situation { s.takeOver = true; return s }
	unknown := func(s situation) situation { s.known = false; return s }
	blind := func(s situation) situation { s.blind = true; return s }
	rechecked := func(s situation) situation { s.rechecked = true; return s }
	restarted := func(s situation) situation { s.restarted = true; return s }

	for i, row := range []struct {
		s    situation
		want course
	}{
		{with(atStart, pendingNone, activeCurrent, Accepted, Unproved), begin},
		{with(atStart, pendingNone, activeNeither, Accepted, Unproved), begin}, // last fours do not decide
		{with(atStart, pendingNone, activeCurrent, Refused, Unproved), stopRefused},
		{with(unknown(atStart), pendingNone, activeUnknown, Unproved, Unproved), stopUnknown},
		{with(unknown(blind(atStart)), pendingNone, activeUnknown, Unproved, Unproved), begin},
		{with(blind(atStart), pendingNone, activeUnknown, Refused, Unproved), stopRefused},
		{with(atStart, pendingOther, activeCurrent, Unproved, Unproved), stopOther},
		{with(takeOver(atStart), pendingOther, activeCurrent, Accepted, Unproved), cancelAndStartOver},
		{with(takeOver(atStart), pendingOther, activeNeither, Accepted, Unproved), stopOther},
		{with(abort(atStart), pendingOther, activeCurrent, Unproved, Unproved), rollBackOnly},
		{with(abort(restarted(atStart)), pendingOther, activeCurrent, Unproved, Unproved), proveCurrent}, // the places hold one that is dead
		{with(abort(restarted(atStart)), pendingOther, activeCurrent, Refused, Unproved), stopRefused},
		{with(abort(restarted(atStart)), pendingNone, activeCurrent, Accepted, Unproved), rollBackOnly},

		{with(asked, pendingNone, activeCurrent, Accepted, Unproved), begin},
		{with(asked, pendingNone, activeCurrent, Refused, Unproved), stopRefused},
		{with(asked, pendingOther, activeCurrent, Accepted, Unproved), cancelAndStartOver},
		{with(asked, pendingOther, activeCurrent, Refused, Unproved), stopRefused},
		{with(unknown(asked), pendingOther, activeUnknown, Unproved, Unproved), stopUnknown},
		{with(late(asked), pendingNone, activeCurrent, Accepted, Unproved), begin},
		{with(late(asked), pendingOther, activeCurrent, Accepted, Unproved), stopOther}, // perhaps a person started it
		{with(late(takeOver(asked)), pendingOther, activeCurrent, Accepted, Unproved), cancelAndStartOver},
		{with(late(abort(asked)), pendingOther, activeCurrent, Accepted, Unproved), stopOther},
		{with(late(takeOver(abort(asked))), pendingOther, activeCurrent, Accepted, Unproved), rollBack},
		{with(abort(asked), pendingOther, activeCurrent, Accepted, Unproved), rollBack},
		{with(abort(asked), pendingNone, activeCurrent, Accepted, Unproved), rollBackOnly},

		{with(stored, pendingOurs, activeCurrent, Unproved, Accepted), proceed},
		{with(unknown(stored), pendingOurs, activeUnknown, Unproved, Accepted), proceed},
		{with(stored, pendingOurs, activeCurrent, Accepted, Refused), recheck},              // perhaps it does not work everywhere yet
		{with(rechecked(stored), pendingOurs, activeCurrent, Accepted, Refused), stopOther}, // ends alike, and is another one
		{with(stored, pendingOther, activeCurrent, Accepted, Refused), stopOther},
		{with(takeOver(stored), pendingOther, activeCurrent, Accepted, Refused), cancelAndStartOver},
		{with(stored, pendingNone, activeNext, Unproved, Accepted), conclude},
		{with(stored, pendingNone, activeNeither, Refused, Accepted), conclude},
		{with(stored, pendingNone, activeCurrent, Refused, Accepted), conclude}, // both end alike
		{with(stored, pendingNone, activeCurrent, Accepted, Accepted), recheck},
		{with(rechecked(stored), pendingNone, activeCurrent, Accepted, Accepted), stopInconsistent},
		{with(unknown(stored), pendingNone, activeNeither, Unproved, Accepted), recheck},
		{with(unknown(stored), pendingNone, activeUnknown, Unproved, Accepted), recheck},
		{with(rechecked(unknown(stored)), pendingNone, activeUnknown, Unproved, Accepted), conclude},
		{with(stored, pendingOther, activeNext, Unproved, Accepted), conclude}, // ours is in use; the pending one is not ours to end
		{with(stored, pendingOther, activeCurrent, Unproved, Accepted), stopOther},
		{with(stored, pendingNone, activeCurrent, Accepted, Refused), recheck}, // perhaps it is not seen everywhere yet
		{with(rechecked(stored), pendingNone, activeCurrent, Accepted, Refused), startOver},
		{with(stored, pendingNone, activeNeither, Refused, Refused), stopNeither},
		{with(stored, pendingNone, activeNext, Refused, Refused), recheck},                // perhaps it does not work everywhere yet
		{with(rechecked(stored), pendingNone, activeNext, Refused, Refused), stopNeither}, // ends alike, and is another one
		{with(stored, pendingOurs, activeCurrent, Refused, Refused), stopNeither},         // perhaps inactive
		{with(unknown(stored), pendingNone, activeUnknown, Unproved, Refused), stopUnknown},
		{with(abort(stored), pendingOurs, activeCurrent, Accepted, Accepted), rollBack},
		{with(abort(stored), pendingOurs, activeCurrent, Refused, Accepted), stopRefused},
		{with(abort(stored), pendingNone, activeCurrent, Accepted, Refused), rollBackOnly},
		{with(abort(stored), pendingNone, activeNext, Unproved, Accepted), conclude}, // too late
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			if got := decide(row.s); got != row.want {
				t.Errorf("%+v: action %d, want %d", row.s, got, row.want)
			}
		})
	}
}
