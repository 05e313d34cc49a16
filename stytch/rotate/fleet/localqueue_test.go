package fleet_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

// Without a shared queue a list is read at most 1,000 clients ahead, so a search of a million does
// not fill the memory.
func TestReadAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newServer()
		read, done, ahead := 0, 0, 0
		p.hook = func(string, string) error { time.Sleep(time.Millisecond); return nil }
		watch := func(_ context.Context, e rotate.Event) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if e.To == rotate.Completed {
				done++
			}
		}
		list := func(yield func(string, error) bool) {
			for _, id := range names(1500) {
				p.mu.Lock()
				read++
				ahead = max(ahead, read-done)
				p.mu.Unlock()
				if !yield(id, nil) {
					return
				}
			}
		}
		f := newFleet(t, p.rotator(t, newMemory(), rotate.WithObserver(watch)), fleet.WithConcurrency(4))
		report, err := f.Run(t.Context(), list)
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 1500})
		if ahead < 900 || ahead > 1010 {
			t.Errorf("the list was read %d clients ahead, want about 1000", ahead)
		}
	})
}

// Rotations whose grace period is over come before clients that are not begun, however many of
// these are queued.
func TestWaitedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const grace = time.Minute
		p := newServer()
		p.hook = func(string, string) error { time.Sleep(100 * time.Millisecond); return nil }
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
		f := newFleet(t, p.rotator(t, newMemory(), rotate.WithGrace(grace), rotate.WithObserver(watch)), fleet.WithConcurrency(2))
		report, err := f.Run(t.Context(), each(names(500)))
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 500})
		if late > 30*time.Second { // a completion takes longer than a start, so that they queue up
			t.Errorf("a completion was %v late", late)
		}
	})
}

// A client that is listed again while it is queued or in its grace period is skipped, and so is one
// that was completed before.
func TestListedAgain(t *testing.T) {
	for _, grace := range []time.Duration{0, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			p := newServer()
			p.hook = func(string, string) error { time.Sleep(time.Millisecond); return nil }
			ids := names(40)
			list := func(yield func(string, error) bool) {
				for _, id := range append(ids, ids...) {
					if !yield(id, nil) {
						return
					}
				}
				time.Sleep(2 * time.Minute)
				yield(ids[0], nil)
			}
			f := newFleet(t, p.rotator(t, newMemory(), rotate.WithGrace(grace)))
			report, err := f.Run(t.Context(), list)
			if err != nil {
				t.Fatal(err)
			}
			counts(t, report, fleet.Report{Done: 40, Skipped: 41})
			p.once(t, ids)
		})
	}
}

// Resume takes rotations in their grace period too, waits for it, and counts them once.
func TestResumeWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, j := newServer(), newMemory()
		r := p.rotator(t, j, rotate.WithGrace(time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		report, err := newFleet(t, r).Run(ctx, each(names(20)))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Run: %v", err)
		}
		counts(t, report, fleet.Report{Left: 20})
		var last fleet.Progress
		most := 0
		f := newFleet(t, r, fleet.WithProgress(time.Minute, func(p fleet.Progress) { last, most = p, max(most, p.Waiting) }))
		if report, err = f.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 20})
		if most != 20 || last.Waiting != 0 {
			t.Errorf("%d were reported as waiting, and %d at the end", most, last.Waiting)
		}
		p.once(t, names(20))
	})
}

// A grace period that is longer than the rotator's own, because an earlier one had another setting,
// is waited for as well.
func TestResumeLongerGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, j := newServer(), newMemory()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := newFleet(t, p.rotator(t, j, rotate.WithGrace(24*time.Hour))).Run(ctx, each(names(3)))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Run: %v", err)
		}
		began := time.Now()
		report, err := newFleet(t, p.rotator(t, j)).Resume(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 3})
		if took := time.Since(began); took < 23*time.Hour || took > 24*time.Hour {
			t.Errorf("took %v", took)
		}
	})
}

// Idle workers notice at once that the last rotation is finished.
func TestEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newServer()
		p.hook = func(string, string) error { time.Sleep(time.Second); return nil }
		began := time.Now()
		report, err := newFleet(t, p.rotator(t, newMemory())).Run(t.Context(), each(names(1)))
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 1})
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("one client took %v", took)
		}
	})
}

// A rotation that another process claims during its grace period is busy, and is not left.
func TestBusyAfterGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, j := newServer(), newMemory()
		f := newFleet(t, p.rotator(t, j, rotate.WithGrace(time.Minute)))
		time.AfterFunc(30*time.Second, func() {
			if _, err := j.Claim(t.Context(), "client-00001", time.Hour); err != nil {
				t.Error(err)
			}
		})
		report, err := f.Run(t.Context(), each(names(3)))
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 2, Busy: 1})
	})
}
