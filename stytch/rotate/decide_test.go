package rotate

import (
	"fmt"
	"testing"
)

// everySituation calls f with all combinations of what can be known.
func everySituation(f func(situation)) {
	for bits := range 1 << 8 {
		flag := func(i int) bool { return bits>>i&1 == 1 }
		s := situation{
			stored: flag(0), asked: flag(1), known: flag(2), told: flag(3), abort: flag(4), takeOver: flag(5), sure: flag(6), looked: flag(7),
		}
		for s.pending = none; s.pending <= other; s.pending++ {
			for s.holder = unsaid; s.holder <= holdsNeither; s.holder++ {
				for s.working.Current = Unproved; s.working.Current <= Refused; s.working.Current++ {
					for s.working.Next = Unproved; s.working.Next <= Refused; s.working.Next++ {
						if s.asked && s.stored || !s.known && s.working.Current != Unproved ||
							!s.stored && (s.working.Next != Unproved || s.pending == ours || s.holder == holdsNext) {
							continue // cannot be
						}
						f(s)
					}
				}
			}
		}
	}
}

// TestDecideRules holds the three rules, and what follows from the meaning of each action, against every situation.
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
		rule(s.looked == (a != look), "the server was asked, or was not")
		switch a {
		case start:
			rule(!s.stored && s.pending == none, "a next secret exists")
			rule(s.working.Current != Refused && (!s.known || currentProved), "the current secret is not proved")
			rule(!s.abort, "it is being canceled")
		case replace, giveUp:
			rule(currentProved, "the current secret is not proved")
			rule(s.pending != none, "there is nothing to cancel")
			rule(s.holder == holdsCurrent || s.holder == unsaid, "the server's current secret is another one")
			rule(s.abort == (a == giveUp), "that is not what the caller wants")
			rule(s.asked || s.stored || s.takeOver, "what is pending is not ours")
			rule(a == replace || s.asked || s.pending == ours, "what is pending is not ours")
			rule(s.pending != ours || s.working.Next != Accepted || s.abort, "the stored next secret is good")
		case proceed:
			rule(s.stored && s.pending == ours && s.working.Next == Accepted, "the next secret is not proved and pending")
			rule(!s.abort, "it is being canceled")
		case promote:
			rule(s.stored && s.pending != ours && s.working.Next == Accepted, "the next secret is not the current one")
			rule(!currentProved || s.holder == holdsNext, "the current secret works")
		case discard:
			rule(s.pending == none && s.working.Next == Refused && currentProved, "the next secret may be alive")
		case ended:
			rule(s.abort, "nobody wants that")
			rule(!s.stored || s.working.Next == Refused && currentProved, "the next secret may be in use")
			rule(!s.told || !s.known || currentProved, "the current secret, which is to be given back, is not proved")
		case doubt:
			rule(!s.sure, "there is no doubt left")
		case stopInconsistent:
			rule(s.sure && s.pending == none && s.working.Next == Accepted, "it may be consistent")
		case stopOther:
			rule(s.pending != none, "nothing is pending")
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

// TestDecideEnds shows that finding out comes to an end: every situation leads to an action that is not a question.
func TestDecideEnds(t *testing.T) {
	everySituation(func(truth situation) {
		if truth.working.Next == Unproved && truth.stored || truth.working.Current == Unproved && truth.known {
			return // what a prober would say
		}
		s := truth
		s.looked, s.working = false, Working{}
		for range 8 {
			switch decide(s) {
			case doubt:
				s.looked, s.working, s.sure = false, Working{}, true
			case look:
				s.looked = true
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
	begin := situation{known: true, looked: true, holder: holdsCurrent}
	asked := begin
	asked.asked = true
	stored := begin
	stored.stored = true
	with := func(s situation, p pending, h holder, current, next Verdict) situation {
		s.pending, s.holder, s.working = p, h, Working{current, next}
		return s
	}
	abort := func(s situation) situation { s.abort = true; return s }
	takeOver := func(s situation) situation { s.takeOver = true; return s }
	unknown := func(s situation) situation { s.known = false; return s }
	sure := func(s situation) situation { s.sure = true; return s }
	told := func(s situation) situation { s.told = true; return s }

	for i, row := range []struct {
		s    situation
		want action
	}{
		{with(begin, none, holdsCurrent, Accepted, Unproved), start},
		{with(begin, none, holdsNeither, Accepted, Unproved), start}, // last fours do not decide
		{with(begin, none, holdsCurrent, Refused, Unproved), stopRefused},
		{with(unknown(begin), none, unsaid, Unproved, Unproved), start},
		{with(begin, other, holdsCurrent, Unproved, Unproved), stopOther},
		{with(takeOver(begin), other, holdsCurrent, Accepted, Unproved), replace},
		{with(takeOver(begin), other, holdsNeither, Accepted, Unproved), stopOther},
		{with(abort(begin), other, holdsCurrent, Unproved, Unproved), ended},
		{with(abort(told(begin)), other, holdsCurrent, Unproved, Unproved), proveCurrent}, // the places hold one that is dead
		{with(abort(told(begin)), other, holdsCurrent, Refused, Unproved), stopRefused},
		{with(abort(told(begin)), none, holdsCurrent, Accepted, Unproved), ended},

		{with(asked, none, holdsCurrent, Accepted, Unproved), start},
		{with(asked, none, holdsCurrent, Refused, Unproved), stopRefused},
		{with(asked, other, holdsCurrent, Accepted, Unproved), replace},
		{with(asked, other, holdsCurrent, Refused, Unproved), stopRefused},
		{with(unknown(asked), other, unsaid, Unproved, Unproved), stopUnknown},
		{with(abort(asked), other, holdsCurrent, Accepted, Unproved), giveUp},
		{with(abort(asked), none, holdsCurrent, Accepted, Unproved), ended},

		{with(stored, ours, holdsCurrent, Unproved, Accepted), proceed},
		{with(unknown(stored), ours, unsaid, Unproved, Accepted), proceed},
		{with(stored, ours, holdsCurrent, Accepted, Refused), doubt},           // perhaps it does not work everywhere yet
		{with(sure(stored), ours, holdsCurrent, Accepted, Refused), stopOther}, // ends alike, and is another one
		{with(stored, other, holdsCurrent, Accepted, Refused), stopOther},
		{with(takeOver(stored), other, holdsCurrent, Accepted, Refused), replace},
		{with(stored, none, holdsNext, Unproved, Accepted), promote},
		{with(stored, none, holdsNeither, Refused, Accepted), promote},
		{with(stored, none, holdsCurrent, Refused, Accepted), promote}, // both end alike
		{with(stored, none, holdsCurrent, Accepted, Accepted), doubt},
		{with(sure(stored), none, holdsCurrent, Accepted, Accepted), stopInconsistent},
		{with(unknown(stored), none, holdsNeither, Unproved, Accepted), doubt},
		{with(unknown(stored), none, unsaid, Unproved, Accepted), doubt},
		{with(sure(unknown(stored)), none, unsaid, Unproved, Accepted), promote},
		{with(stored, other, holdsNext, Unproved, Accepted), promote}, // ours is in use; the pending one is not ours to end
		{with(stored, other, holdsCurrent, Unproved, Accepted), stopOther},
		{with(stored, none, holdsCurrent, Accepted, Refused), doubt}, // perhaps it is not seen everywhere yet
		{with(sure(stored), none, holdsCurrent, Accepted, Refused), discard},
		{with(stored, none, holdsNeither, Refused, Refused), stopNeither},
		{with(stored, ours, holdsCurrent, Refused, Refused), stopNeither}, // perhaps inactive
		{with(unknown(stored), none, unsaid, Unproved, Refused), stopUnknown},
		{with(abort(stored), ours, holdsCurrent, Accepted, Accepted), giveUp},
		{with(abort(stored), ours, holdsCurrent, Refused, Accepted), stopRefused},
		{with(abort(stored), none, holdsCurrent, Accepted, Refused), ended},
		{with(abort(stored), none, holdsNext, Unproved, Accepted), promote}, // too late
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			if got := decide(row.s); got != row.want {
				t.Errorf("%+v: action %d, want %d", row.s, got, row.want)
			}
		})
	}
}
