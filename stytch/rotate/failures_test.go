package rotate_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// TestFailuresInARow has responses lost. Four in a row end a run, a few at each stage do not.
func TestFailuresInARow(t *testing.T) {
	for name, test := range map[string]struct {
		starts, completes int // that are lost
		state             rotate.State
	}{
		"three at each stage": {3, 3, rotate.Completed},
		"four starts":         {4, 0, rotate.Starting},
		"four completions":    {0, 4, rotate.Completing},
	} {
		t.Run(name, bubble(func(t *testing.T) {
			w := newWorld("a")
			w.before = map[string]func(){}
			lost := func(what string, times int) {
				for i := range times {
					w.before[fmt.Sprint(what, " ", i+1)] = func() { w.fates = []fate{lostBefore} }
				}
			}
			lost("start", test.starts)
			lost("complete", test.completes)
			err := w.rotator().Run(t.Context(), "client")
			if (err == nil) != (test.state == rotate.Completed) || w.record.State != test.state {
				t.Errorf("it ended in %q: %v", w.record.State, err)
			}
		}))
	}
}

// TestClockOfTheJournal has a journal whose clock is ahead: what one process writes by it, another
// one reads by it.
func TestClockOfTheJournal(t *testing.T) { bubble(testClockOfTheJournal)(t) }

func testClockOfTheJournal(t *testing.T) {
	w := newWorld("a")
	for range 2 {
		r, err := rotate.New(w, worldSink{w, "a"}, aheadJournal{w}, rotate.WithGrace(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		status, err := r.Advance(t.Context(), "client")
		if errors.Is(err, rotate.ErrNoRotation) {
			if err = r.Plan(t.Context(), "client"); err == nil {
				status, err = r.Advance(t.Context(), "client")
			}
		}
		if err != nil || status.State != rotate.Grace || status.Wait <= 50*time.Second || status.Wait > time.Minute {
			t.Errorf("%+v, %v", status, err)
		}
	}
	if until := w.record.GraceUntil.Sub(time.Now()); until < 10*time.Minute || until > 11*time.Minute {
		t.Errorf("the grace period ends in %v by the clock of the rotator", until)
	}
}

type aheadJournal struct{ *world }

func (aheadJournal) Now() time.Time { return time.Now().Add(10 * time.Minute) }
