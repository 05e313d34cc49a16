//go:build unix

package postgres_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

// Workers disagree with the database and with each other about the time by minutes. A grace period
// is as long as it should be, the database is not asked all the time, and no worker ends early.
func TestClocks(t *testing.T) {
	t.Parallel()
	const behind, ahead, grace = -10 * time.Second, 5 * time.Minute, 3 * time.Second
	for name, skews := range map[string][]time.Duration{"behind": {behind}, "ahead": {ahead}, "together": {ahead, behind, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const clients = 8
			f, dsn, count := newSystem(t, clients), newSchema(t), &counter{}
			var mu sync.Mutex
			began, done := map[string]time.Time{}, 0
			observe := func(_ context.Context, e rotate.Event) {
				mu.Lock()
				defer mu.Unlock()
				switch {
				case e.Err != nil:
					t.Errorf("%s: %v", e.ClientID, e.Err)
				case e.To == rotate.Completing:
					if took := time.Since(began[e.ClientID]); took < grace-100*time.Millisecond || took > grace+20*time.Second {
						t.Errorf("%s: the grace period took %v, want %v", e.ClientID, took, grace)
					}
				case e.To != rotate.Grace: // the last step before it: a busy machine calls observers late
					began[e.ClientID] = time.Now()
				}
			}
			if _, err := open(t, dsn).Plan(t.Context(), f.clients); err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for _, skew := range skews {
				one, err := fleet.New(f.engine(t, open(t, dsn, countWith(count)), rotate.WithGrace(grace), rotate.WithObserver(observe),
					rotate.WithClock(func() time.Time { return time.Now().Add(skew) })), fleet.WithConcurrency(2))
				if err != nil {
					t.Fatal(err)
				}
				all.Go(func() {
					report, err := one.Run(t.Context(), nil)
					if err != nil || report.Failed+report.Busy != 0 {
						t.Errorf("clock %v: %+v, %v", skew, report, err)
					}
					mu.Lock()
					defer mu.Unlock()
					done += report.Done
				})
			}
			all.Wait()
			if done != clients {
				t.Errorf("%d of %d clients were completed", done, clients)
			}
			if n := count.n.Load(); n > 400 {
				t.Errorf("%d statements for %d clients", n, clients)
			}
			for _, id := range f.clients {
				f.check(t, id)
			}
		})
	}
}
