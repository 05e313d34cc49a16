//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

// The database restarts in the middle of a fleet, as it does for an update. That is a fault of no
// client: the workers wait, report it, and complete every client.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	heavy.Only(t) // it starts a server twice
	s, err := newServer(needServer(t), "fsync=off")
	if s != nil {
		t.Cleanup(s.remove)
	}
	if err != nil {
		t.Fatal(err)
	}
	const clients = 40
	f, dsn := newSystem(t, clients), s.newDatabase(t)
	if n, err := open(t, dsn).Plan(t.Context(), f.clients); n != clients || err != nil {
		t.Fatalf("Plan: %d, %v", n, err)
	}
	var completed, faults atomic.Int64
	middle := make(chan struct{})
	observe := func(_ context.Context, e rotate.Event) {
		switch {
		case errors.Is(e.Err, rotate.ErrJournal):
			faults.Add(1)
		case e.Err != nil:
			t.Errorf("%s: %v", e.ClientID, e.Err)
		case e.To == rotate.Completed && completed.Add(1) == clients/4:
			close(middle)
		}
	}
	var all sync.WaitGroup
	var reports [2]fleet.Report
	for i := range reports {
		j := open(t, dsn)
		one, err := fleet.New(f.engine(t, j, rotate.WithLimiter(bucket(t, j, 100, 1)), rotate.WithObserver(observe)), fleet.WithConcurrency(4), fleet.WithMaxFailures(1))
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			var err error
			if reports[i], err = one.Run(t.Context(), nil); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	<-middle
	s.kill()
	<-time.After(2 * time.Second)
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if done := reports[0].Done + reports[1].Done; done != clients || reports[0].Failed+reports[1].Failed != 0 {
		t.Errorf("the reports %+v and %+v, want %d completed and none failed", reports[0], reports[1], clients)
	}
	if faults.Load() == 0 {
		t.Error("no observer was informed of the fault")
	}
	for _, id := range f.clients {
		f.check(t, id)
	}
}
