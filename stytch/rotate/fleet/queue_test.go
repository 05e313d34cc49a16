package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

// TestFleetQueueShared: several fleets on one queue, of which one plans. Each client is completed
// once.
func TestFleetQueueShared(t *testing.T) {
	for _, grace := range []time.Duration{0, 10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			p, l := newServer(), newQueue()
			p.hook = func(string, string) error { time.Sleep(20 * time.Millisecond); return nil }
			ids := names(600)
			var mu sync.Mutex
			var group sync.WaitGroup
			total := fleet.Report{}
			for i := range 4 {
				group.Go(func() {
					f := newFleet(t, p.rotator(t, l, rotate.WithGrace(grace)))
					clients := each(ids)
					if i > 0 {
						clients = nil
						time.Sleep(time.Second)
					}
					report, err := f.Run(t.Context(), clients)
					if err != nil || report.Failed+report.Busy+report.Skipped != 0 || report.Done < 100 {
						t.Errorf("fleet %d: %+v, %v", i, report, err)
					}
					mu.Lock()
					defer mu.Unlock()
					total.Done += report.Done
				})
			}
			group.Wait()
			counts(t, total, fleet.Report{Done: len(ids)})
			p.once(t, ids)
			if !slices.Equal(l.plans, []int{500, 100}) {
				t.Errorf("planned in batches of %v", l.plans)
			}
		})
	}
}

// TestFleetQueueFailures: a client that fails is tried three times, a minute apart, then set aside.
// Resume takes it at once.
func TestFleetQueueFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := newServer(), newQueue()
		tries := map[string]int{}
		p.hook = func(what, id string) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			if what != "pending" || id != "client-00003" && id != "client-00005" {
				return nil
			}
			if tries[id]++; id == "client-00005" && tries[id] > 2 {
				return nil // it recovers
			}
			return errSick
		}
		ids := names(20)
		f := newFleet(t, p.rotator(t, l))
		began := time.Now()
		report, err := f.Run(t.Context(), each(ids))
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 19, Failed: 1})
		if len(report.Failures) != 2 || tries["client-00003"] != 3 {
			t.Errorf("%d tries, failures %v", tries["client-00003"], report.Failures)
		}
		if took := time.Since(began); took < 2*time.Minute || took > 3*time.Minute {
			t.Errorf("took %v", took)
		}
		slices.Sort(l.deferred)
		if n := len(l.deferred); n != 5 || l.deferred[3] != time.Minute || l.deferred[4] < time.Hour {
			t.Errorf("deferred for %v", l.deferred)
		}
		// Others on the queue see that it is set aside, and do not wait for it.
		began = time.Now()
		if report, err = f.Run(t.Context(), nil); err != nil || report.Done+report.Failed != 0 || time.Since(began) > time.Minute {
			t.Errorf("Run when all is set aside: %+v, %v, after %v", report, err, time.Since(began))
		}
		p.hook = nil
		if report, err = f.Resume(t.Context()); err != nil || report.Done != 1 {
			t.Errorf("Resume: %+v, %v", report, err)
		}
		p.once(t, ids)
	})
}

// TestFleetQueueHuman: what needs a human is left to Resume.
func TestFleetQueueHuman(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := newServer(), newQueue()
		p.hook = func(what, id string) error {
			if what == "deliver" && id == "client-00001" { // nothing works any more
				p.mu.Lock()
				defer p.mu.Unlock()
				c := p.clients[id]
				c.current, c.next = "somebody-elses-0000", ""
			}
			return nil
		}
		slow := func(_ context.Context, id string) (bool, error) { return true, nil }
		f := newFleet(t, p.rotator(t, l, rotate.WithGrace(time.Minute), rotate.WithReady(slow, time.Second)))
		report, err := f.Run(t.Context(), each(names(5)))
		if err != nil || len(report.Failures) != 1 || !errors.Is(report.Failures[0], rotate.ErrNoWorkingSecret) {
			t.Errorf("Run: %+v, %v", report, err)
		}
		counts(t, report, fleet.Report{Done: 4, Failed: 1})
		if l.state("client-00001") != rotate.NeedsHuman || slices.Max(l.deferred) > time.Minute { // the grace period
			t.Errorf("state %s, deferred %v", l.state("client-00001"), l.deferred)
		}
		if report, err = f.Run(t.Context(), nil); err != nil || report.Failed != 0 {
			t.Errorf("the second Run: %+v, %v", report, err)
		}
		if report, err = f.Resume(t.Context()); err != nil || report.Failed != 1 {
			t.Errorf("Resume: %+v, %v", report, err)
		}
	})
}

// TestFleetQueueDown: a hiccup of the queue is waited out; a queue that stays away ends the run,
// and is named.
func TestFleetQueueDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := newServer(), newQueue()
		f := newFleet(t, p.rotator(t, l), fleet.WithConcurrency(2))
		l.failing = 4
		report, err := f.Run(t.Context(), each(names(9)))
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 9})
		l.failing = 1000
		if _, err = f.Run(t.Context(), nil); !errors.Is(err, rotate.ErrJournal) {
			t.Errorf("Run on a queue that is down: %v", err)
		}
		if n := 1000 - l.failing; n > 40 {
			t.Errorf("asked %d times", n)
		}
	})
}

// TestFleetQueueTakenOver: who is paused for longer than its claim lasts leaves the client to the
// other.
func TestFleetQueueTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := newServer(), newQueue()
		paused := false
		p.hook = func(what, id string) error {
			p.mu.Lock()
			first := what == "deliver" && !paused
			paused = paused || first
			p.mu.Unlock()
			if first {
				time.Sleep(time.Hour)
			}
			return nil
		}
		f := newFleet(t, p.rotator(t, l, rotate.WithDeliveryTimeout(2*time.Hour)))
		g := newFleet(t, p.rotator(t, l))
		var group sync.WaitGroup
		var first, second fleet.Report
		group.Go(func() {
			var err error
			if first, err = f.Run(t.Context(), each(names(1))); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		l.mu.Lock()
		l.leases["client-00000"] = lease{l.leases["client-00000"].owner, time.Now()} // it has expired
		l.mu.Unlock()
		group.Go(func() {
			var err error
			if second, err = g.Run(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
		group.Wait()
		counts(t, first, fleet.Report{Busy: 1})
		counts(t, second, fleet.Report{Done: 1})
		p.once(t, names(1))
	})
}

// TestFleetQueueCorrupt: one record that cannot be read, and is handed out as an error each minute,
// does not keep a run from its end, nor the others from theirs.
func TestFleetQueueCorrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := newServer(), newQueue()
		q := &corruptQueue{memoryQueue: l}
		ids := names(30)
		f := newFleet(t, p.rotator(t, q, rotate.WithGrace(10*time.Minute)), fleet.WithConcurrency(2))
		began := time.Now()
		report, err := f.Run(t.Context(), each(ids))
		if err != nil || len(report.Failures) != 1 || !errors.Is(report.Failures[0], rotate.ErrCorrupt) {
			t.Errorf("Run: %+v, %v", report, err)
		}
		counts(t, report, fleet.Report{Done: 30, Failed: 1})
		p.once(t, ids)
		if took := time.Since(began); took > 15*time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

// corruptQueue has one more record, which it sets aside for a minute after each look.
type corruptQueue struct {
	*memoryQueue
	at time.Time
}

func (q *corruptQueue) Next(ctx context.Context, life time.Duration) (rotate.Claim, time.Duration, error) {
	q.mu.Lock()
	if !time.Now().Before(q.at) {
		q.at = time.Now().Add(time.Minute)
		q.mu.Unlock()
		return nil, 0, fmt.Errorf("%w: client %q", rotate.ErrCorrupt, "broken")
	}
	soon := time.Until(q.at)
	q.mu.Unlock()
	claim, wait, err := q.memoryQueue.Next(ctx, life)
	if err != nil && (wait == 0 || wait > soon) {
		wait = soon
	}
	return claim, wait, err
}

// Unreadable records end a run only if they come in a row: readable ones in between show that there
// is work to do.
func TestFleetQueueUnreadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := newServer(), newQueue()
		ids := names(4)
		if _, err := l.Plan(t.Context(), ids); err != nil {
			t.Fatal(err)
		}
		l.due[ids[3]] = time.Now().Add(30 * time.Second) // nothing is due when the third unreadable record is past
		f := newFleet(t, p.rotator(t, &alternatingQueue{memoryQueue: l, left: 3}), fleet.WithConcurrency(1))
		report, err := f.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 4, Failed: 1})
		p.once(t, ids)
	})
}

// alternatingQueue returns an unreadable record before each of the first others.
type alternatingQueue struct {
	*memoryQueue
	left int
	bad  bool
}

func (q *alternatingQueue) Next(ctx context.Context, life time.Duration) (rotate.Claim, time.Duration, error) {
	if q.bad = !q.bad; q.bad && q.left > 0 {
		q.left--
		return nil, 0, fmt.Errorf("%w: client %q", rotate.ErrCorrupt, "broken")
	}
	return q.memoryQueue.Next(ctx, life)
}
