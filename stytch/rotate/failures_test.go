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
	if until := time.Until(w.record.GraceUntil); until < 10*time.Minute || until > 11*time.Minute {
		t.Errorf("the grace period ends in %v by the clock of the rotator", until)
	}
}

type aheadJournal struct{ *world }

func (aheadJournal) Now() time.Time { return time.Now().Add(10 * time.Minute) }

// TestClaimThroughGrace waits for an hour. The claim is extended long before it ends, and a journal
// that refuses that ends the run: another process may rotate the client then.
func TestClaimThroughGrace(t *testing.T) { bubble(testClaimThroughGrace)(t) }

func testClaimThroughGrace(t *testing.T) {
	w := newWorld("a")
	r := w.rotator(rotate.WithGrace(time.Hour))
	if err := r.Run(t.Context(), "client"); err != nil {
		t.Fatal(err)
	}
	for i, at := range w.written[1:] {
		if apart := at.Sub(w.written[i]); apart > r.ClaimLife()/2 {
			t.Errorf("the claim of %v was not extended for %v", r.ClaimLife(), apart)
		}
	}

	w = newWorld("a")
	w.before = map[string]func(){"write grace 3": func() { w.fates = []fate{refusedCall} }}
	began := time.Now()
	err := w.rotator(rotate.WithGrace(time.Hour)).Run(t.Context(), "client")
	if took := time.Since(began); !errors.Is(err, rotate.ErrJournal) || took > 30*time.Minute || w.record.State != rotate.Grace {
		t.Errorf("after %v in %q: %v", took, w.record.State, err)
	}
}

// TestUpdatedAt checks that each change of state has its own time, also that after a start, whose
// time stays as long as its outcome is not known.
func TestUpdatedAt(t *testing.T) { bubble(testUpdatedAt)(t) }

func testUpdatedAt(t *testing.T) {
	w := newWorld("a")
	if err := w.rotator().Plan(t.Context(), "client"); err != nil {
		t.Fatal(err)
	}
	for w.record.State != rotate.Completed {
		before, began := w.record, time.Now()
		if status, err := w.rotator().Step(t.Context(), "client"); err != nil || status.State == before.State {
			t.Fatalf("%+v, %v", status, err)
		}
		if w.record.UpdatedAt.Before(began) {
			t.Errorf("the record of %q is of %v before the step that wrote it", w.record.State, began.Sub(w.record.UpdatedAt))
		}
		if w.record.UpdatedAt.Before(before.UpdatedAt.Add(time.Millisecond)) {
			t.Errorf("the record of %q has the time of the one of %q", w.record.State, before.State)
		}
	}
}
