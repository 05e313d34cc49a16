package fleet_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

// TestFleetGrace: rotations in their grace period block no worker, and all end soon after it.
func TestFleetGrace(t *testing.T) {
	eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, s *memory) {
		const grace = time.Hour
		begun, early := 0, 0
		p.hook = func(what, _ string) error {
			time.Sleep(100 * time.Millisecond)
			p.mu.Lock()
			defer p.mu.Unlock()
			switch what {
			case "start":
				begun++
			case "complete":
				if begun < 100 {
					early++
				}
			}
			return nil
		}
		ids := names(100)
		waiting := 0
		f := newFleet(t, p.rotator(t, j, rotate.WithGrace(grace)), fleet.WithConcurrency(2), fleet.WithTotal(100), fleet.WithProgress(time.Minute, func(p fleet.Progress) { waiting = max(waiting, p.Waiting) }))
		began := time.Now()
		report, err := f.Run(t.Context(), each(ids))
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 100})
		p.once(t, ids)
		if took := time.Since(began); early > 0 || took < grace || took > grace+2*time.Minute {
			t.Errorf("took %v; %d were completed before all had begun", took, early)
		}
		if waiting != 100 {
			t.Errorf("the progress told of %d that wait, want 100", waiting)
		}
	})
}

// TestFleetLongList: those whose grace period is over do not wait until the list has ended.
func TestFleetLongList(t *testing.T) {
	eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, _ *memory) {
		const grace, between = 10 * time.Minute, 5 * time.Minute
		clients := heavy.Count(100, 600)
		verified, late := map[string]time.Time{}, time.Duration(0)
		watch := func(_ context.Context, e rotate.Event) {
			p.mu.Lock()
			defer p.mu.Unlock()
			switch e.To {
			case rotate.Grace:
				verified[e.ClientID] = e.Time
			case rotate.Completed:
				late = max(late, e.Time.Sub(verified[e.ClientID])-grace)
			}
		}
		list := func(yield func(string, error) bool) {
			for _, id := range names(clients) {
				if !yield(id, nil) {
					return
				}
				time.Sleep(between)
			}
		}
		f := newFleet(t, p.rotator(t, j, rotate.WithGrace(grace), rotate.WithObserver(watch)))
		report, err := f.Run(t.Context(), list)
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: clients})
		if late > between {
			// A queue plans in batches, and its workers are not held up at all.
			t.Errorf("a completion was %v late", late)
		}
	})
}

// TestFleetReady: a client that is not ready is asked about again, and the others go on.
func TestFleetReady(t *testing.T) {
	eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, _ *memory) {
		asked := map[string]int{}
		ready := func(_ context.Context, id string) (bool, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			asked[id]++
			return asked[id] > 3, nil
		}
		ids := names(50)
		f := newFleet(t, p.rotator(t, j, rotate.WithReady(ready, 30*time.Second)), fleet.WithConcurrency(3))
		began := time.Now()
		report, err := f.Run(t.Context(), each(ids))
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 50})
		p.once(t, ids)
		if took := time.Since(began); took < 90*time.Second || took > 2*time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

// TestFleetOthers: rotations of the journal that are not of the fleet are left alone.
func TestFleetOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, j := newServer(), newMemory()
		r := p.rotator(t, j, rotate.WithGrace(time.Minute))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Run(ctx, "stranger"); !errors.Is(err, context.DeadlineExceeded) || j.state("stranger") != rotate.Grace {
			t.Fatal(err)
		}
		if err := r.Run(ctx, "client-00002"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		f := newFleet(t, r)
		report, err := f.Run(t.Context(), each(names(5)))
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 5})
		if j.state("stranger") != rotate.Grace {
			t.Error("a fleet went on with what is not in its list")
		}
		if report, err = f.Resume(t.Context()); err != nil || report.Done != 1 {
			t.Errorf("Resume: %+v, %v", report, err)
		}
	})
}
