package fleet

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// free is a journal in which every client can be claimed, and that stores nothing.
type free struct{ rotate.Journal }

func (free) Claim(context.Context, string, time.Duration) (rotate.Claim, error) {
	return freeClaim{}, nil
}

type freeClaim struct{ rotate.Claim }

func (freeClaim) Record() rotate.Record         { return rotate.Record{} }
func (freeClaim) Release(context.Context) error { return nil }

func (freeClaim) Write(context.Context, rotate.Record) error { return nil }

// The claim of a client that is to be rotated has a planned rotation, until something was written.
func TestLocalClaimRecord(t *testing.T) {
	q := newLocalQueue(free{}, func(rotate.Record) bool { return true })
	if _, err := q.Plan(t.Context(), []string{"a"}); err != nil {
		t.Fatal(err)
	}
	c, _, err := q.Next(t.Context(), time.Minute)
	if err != nil || c.Record().State != rotate.Planned || c.Record().ClientID != "a" || c.Record().RotationID == "" {
		t.Fatalf("Next: %+v, %v", c.Record(), err)
	}
	if err := c.Write(t.Context(), rotate.Record{State: rotate.Completed}); err != nil {
		t.Fatal(err)
	}
	if state := c.Record().State; state != "" { // which is what this journal says
		t.Errorf("after a write the record is still %q", state)
	}
}

// The package documentation says how much memory a client takes that waits in a local queue.
func TestLocalQueueMemory(t *testing.T) {
	const clients = 100_000
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	q := newLocalQueue(free{}, func(rotate.Record) bool { return true })
	for i := range clients {
		if n, err := q.Plan(t.Context(), []string{fmt.Sprintf("m2m-client-test-00000000-0000-4000-8000-%012d", i)}); n != 1 || err != nil {
			t.Fatalf("Plan: %d, %v", n, err)
		}
		c, _, err := q.Next(t.Context(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if err := q.Defer(t.Context(), c, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	used := float64(heap()-before) / clients
	t.Logf("%.0f bytes per client", used)
	if used > 250 {
		t.Errorf("%.0f bytes per client", used)
	}
	if _, wait, err := q.Next(t.Context(), time.Minute); !errors.Is(err, rotate.ErrNoRotation) || wait < 50*time.Minute {
		t.Errorf("Next while all wait: %v, %v", wait, err)
	}
	runtime.KeepAlive(q)
}
