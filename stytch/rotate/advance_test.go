package rotate_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// TestAdvanceClaimAge hands over claims of several ages: one whose end is near, or not known, is
// extended before the request that cannot be taken back.
func TestAdvanceClaimAge(t *testing.T) {
	life := newWorld("a").rotator().ClaimLife()
	for name, test := range map[string]struct {
		age    time.Duration // -1: not known
		writes int           // of the state in which the process died
	}{"new": {0, 1}, "half of it is over": {life / 2, 2}, "expired": {2 * life, 2}, "unknown": {-1, 2}} {
		t.Run(name, bubble(func(t *testing.T) {
			w := newWorld("a")
			w.crashAt(t, "complete 1", crashBefore)
			w.dead = false
			claim, err := w.Claim(t.Context(), "client", life)
			if err != nil {
				t.Fatal(err)
			}
			claimed := time.Time{}
			if test.age >= 0 {
				claimed = time.Now().Add(-test.age)
			}
			status, err := w.rotator().AdvanceClaim(t.Context(), claim, claimed)
			if err != nil || status.State != rotate.Completed || w.count("write completing") != test.writes {
				t.Errorf("%+v, %v; written %d times, want %d", status, err, w.count("write completing"), test.writes)
			}
		}))
	}
}

// TestAdvanceCanceled takes a rotation that is being canceled to its end. Advance says how it ended
// as Run does; Step only says where it is.
func TestAdvanceCanceled(t *testing.T) { bubble(testAdvanceCanceled)(t) }

func testAdvanceCanceled(t *testing.T) {
	canceling := func() *world {
		w := newWorld("a")
		w.crashAt(t, "complete 1", crashBefore)
		w.dead = false
		w.before["cancel 1"] = func() { w.fates = []fate{crashBefore} }
		if err := w.rotator().Cancel(t.Context(), "client"); err == nil || !w.record.Abort {
			t.Fatalf("it was not interrupted: %v, %+v", err, w.record)
		}
		w.dead = false
		clear(w.before)
		return w
	}
	w := canceling()
	if status, err := w.rotator().Advance(t.Context(), "client"); !errors.Is(err, rotate.ErrCanceled) || status.State != rotate.Canceled {
		t.Errorf("Advance: %+v, %v", status, err)
	}
	w = canceling()
	for range 10 {
		status, err := w.rotator().Step(t.Context(), "client")
		if err != nil {
			t.Fatalf("Step: %+v, %v", status, err)
		}
		if status.State == rotate.Canceled {
			return
		}
	}
	t.Error("it was not canceled")
}
