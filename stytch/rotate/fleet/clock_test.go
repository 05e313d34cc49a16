package fleet_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

// clockQueue is a queue with a clock of its own, which is an hour ahead of the machine's.
type clockQueue struct {
	*memoryQueue
	asked atomic.Int64 // for the next rotation
}

const queueAhead = time.Hour

func (q *clockQueue) Now() time.Time { return time.Now().Add(queueAhead) }

// The memory goes by the time of the machine.
func (q *clockQueue) Next(ctx context.Context, life time.Duration) (rotate.Claim, time.Duration, error) {
	q.asked.Add(1)
	c, wait, err := q.memoryQueue.Next(ctx, life)
	if err != nil {
		return nil, wait, err
	}
	return clockClaim{c}, 0, nil
}

func (q *clockQueue) Read(ctx context.Context, id string) (rotate.Record, error) {
	r, err := q.memoryQueue.Read(ctx, id)
	return moved(r, queueAhead), err
}

func (q *clockQueue) Defer(ctx context.Context, c rotate.Claim, until time.Time) error {
	return q.memoryQueue.Defer(ctx, c.(clockClaim).Claim, until)
}

type clockClaim struct{ rotate.Claim }

func (c clockClaim) Record() rotate.Record { return moved(c.Claim.Record(), queueAhead) }

func (c clockClaim) Write(ctx context.Context, r rotate.Record) error {
	return c.Claim.Write(ctx, moved(r, -queueAhead))
}

func moved(r rotate.Record, d time.Duration) rotate.Record {
	for _, at := range []*time.Time{&r.PlannedAt, &r.UpdatedAt, &r.GraceUntil} {
		if !at.IsZero() {
			*at = at.Add(d)
		}
	}
	return r
}

// TestFleetClocks: workers disagree about the time by minutes. A grace period is as long as it
// should be by the clock of the queue, no worker asks all the time, and none ends early.
func TestFleetClocks(t *testing.T) {
	const grace = 2 * time.Minute
	skews := []time.Duration{5 * time.Minute, -10 * time.Second, 0}
	for name, skews := range map[string][]time.Duration{"ahead": skews[:1], "behind": skews[1:2], "together": skews} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, q := newServer(), &clockQueue{memoryQueue: newQueue()}
				var mu sync.Mutex
				began := map[string]time.Time{}
				seen := func(_ context.Context, e rotate.Event) {
					mu.Lock()
					defer mu.Unlock()
					switch {
					case e.Err != nil:
						t.Errorf("%s: %v", e.ClientID, e.Err)
					case e.To == rotate.Grace:
						began[e.ClientID] = time.Now()
					case e.To == rotate.Completing:
						if took := time.Since(began[e.ClientID]); took < grace || took > grace+5*time.Second {
							t.Errorf("%s: the grace period took %v, want %v", e.ClientID, took, grace)
						}
					}
				}
				ids := names(24)
				done := 0
				var group sync.WaitGroup
				for i, skew := range skews {
					group.Go(func() {
						r := p.rotator(t, q, rotate.WithGrace(grace), rotate.WithObserver(seen),
							rotate.WithClock(func() time.Time { return time.Now().Add(skew) }))
						clients := each(ids)
						if i > 0 {
							clients = nil
							time.Sleep(time.Second)
						}
						report, err := newFleet(t, r, fleet.WithConcurrency(2), fleet.WithOlderThan(time.Hour)).Run(t.Context(), clients)
						if err != nil || report.Failed+report.Busy != 0 {
							t.Errorf("worker %d: %+v, %v", i, report, err)
						}
						mu.Lock()
						defer mu.Unlock()
						done += report.Done
					})
				}
				group.Wait()
				if n := q.asked.Load(); n > 200 {
					t.Errorf("the queue was asked %d times for 24 clients", n)
				}
				if done != len(ids) {
					t.Errorf("%d of %d clients were completed", done, len(ids))
				}
				p.once(t, ids)
				report, err := newFleet(t, p.rotator(t, q), fleet.WithOlderThan(50*time.Minute)).Run(t.Context(), each(ids))
				if err != nil || report.Skipped != len(ids) {
					t.Errorf("clients that were rotated minutes ago: %+v, %v; want all skipped", report, err)
				}
			})
		})
	}
}
