package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

// TestFleetStopped: a fleet is stopped in the middle of its work, and another one finishes exactly
// the rest.
func TestFleetStopped(t *testing.T) {
	for name, again := range map[string]func(t *testing.T, f *fleet.Fleet, ids []string, left int) int{
		"run": runAgain, "resume and run": resumeAndRun,
	} {
		for _, grace := range []time.Duration{0, 10 * time.Minute} {
			for _, call := range []string{"start", "complete", "pending", "probe", "deliver"} {
				t.Run(fmt.Sprint(name, " grace ", grace, " ", call), func(t *testing.T) {
					eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, s *memory) {
						ids := names(60)
						f := newFleet(t, p.rotator(t, j, rotate.WithGrace(grace)), fleet.WithConcurrency(4), fleet.WithOlderThan(time.Hour))
						first := stopAt(t, f, p, s, call, ids)
						if done := again(t, f, ids, first.Left); first.Done+done != len(ids) {
							t.Errorf("%d and then %d were done, want %d", first.Done, done, len(ids))
						}
						p.once(t, ids)
					})
				})
			}
		}
	}
}

// stopAt runs a fleet until a call, late enough that much is in progress, and checks its report.
func stopAt(t *testing.T, f *fleet.Fleet, p *server, s *memory, call string, ids []string) fleet.Report {
	t.Helper()
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	n := 0
	p.hook = func(what, _ string) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if n++; what == call && n > 200 {
			cancel(stop)
		}
		return nil
	}
	report, err := f.Run(ctx, each(ids))
	p.hook = nil
	if !errors.Is(err, context.Canceled) || !errors.Is(err, stop) {
		t.Fatalf("the first run: %v", err)
	}
	unfinished := 0
	for _, id := range ids {
		switch s.state(id) {
		case "", rotate.Planned, rotate.Completed:
		default:
			unfinished++
		}
	}
	done := s.count(rotate.Completed)
	if report.Done != done || report.Left != unfinished || report.Failed+report.Busy != 0 || done == len(ids) {
		t.Errorf("the first run: %+v; %d were completed and %d are under way", report, done, unfinished)
	}
	return report
}

func runAgain(t *testing.T, f *fleet.Fleet, ids []string, _ int) int {
	t.Helper()
	time.Sleep(time.Minute) // so that what waits has waited since before this run
	report, err := f.Run(t.Context(), each(ids))
	if err != nil || report.Failed+report.Busy+report.Left != 0 {
		t.Errorf("the second run: %+v, %v", report, err)
	}
	return report.Done
}

func resumeAndRun(t *testing.T, f *fleet.Fleet, ids []string, left int) int {
	t.Helper()
	resumed, err := f.Resume(t.Context())
	if err != nil || resumed.Done < left || resumed.Failed+resumed.Busy+resumed.Left+resumed.Skipped != 0 {
		t.Errorf("Resume: %+v, %v", resumed, err)
	}
	if again, err := f.Resume(t.Context()); err != nil || again.Done != 0 {
		t.Errorf("Resume when all is finished: %+v, %v", again, err)
	}
	return resumed.Done + runAgain(t, f, ids, left)
}
