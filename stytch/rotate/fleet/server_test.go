//go:build unix

package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
	"github.com/stytchkit/m2m/stytch/secret"
)

// inside is the transport to a server in the same process, so that time can be that of a bubble.
type inside struct {
	http.Handler
	mu sync.Mutex
	at []time.Time
}

func (i *inside) RoundTrip(r *http.Request) (*http.Response, error) {
	i.mu.Lock()
	i.at = append(i.at, time.Now())
	i.mu.Unlock()
	w := httptest.NewRecorder()
	i.ServeHTTP(w, r)
	return w.Result(), nil
}

// safe is a place in memory.
type safe struct {
	mu   sync.Mutex
	held map[string]rotate.Delivery
}

func (s *safe) Deliver(_ context.Context, d rotate.Delivery) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[d.ClientID] = d
	return nil
}

func (s *safe) Read(_ context.Context, id string) (rotate.Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[id], nil
}

// TestFleetServer is the whole of it: a search with filters feeds a fleet with a file journal, and
// the server asks for a pause in the middle. The SDK repeats what was refused, and its observer
// feeds the bucket, so that the others pause too.
func TestFleetServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pause = 20 * time.Second
		place := &safe{held: map[string]rotate.Delivery{}}
		e := teams(t, place, emulator.RateLimited("GetM2MClient", "20").After(15).Times(3))
		bucket, transport := newBucket(t, 40, 5), &inside{Handler: e}
		var asked time.Time
		api := fed(t, e, transport, bucket, func() {
			transport.mu.Lock()
			defer transport.mu.Unlock()
			asked = time.Now()
		})
		projectID, _ := e.Credentials()
		journal, err := filejournal.New(filepath.Join(t.TempDir(), "journal"), projectID, secret.Generate())
		if err != nil {
			t.Fatal(err)
		}
		r, err := rotate.New(api.M2M.Secrets, place, journal, rotate.WithLimiter(bucket))
		if err != nil {
			t.Fatal(err)
		}
		former := place.held["client-0"].Secret
		list := fleet.IDs(api.M2M.Search(t.Context(), stytch.M2MSearch{Limit: 7}), func(c stytch.M2MClient) (string, bool) {
			return c.ClientID, c.ClientName == "team-0" && slices.Contains(c.Scopes, "scope:0")
		})
		f := newFleet(t, r, fleet.WithOlderThan(time.Hour))
		forecast, err := f.Forecast(t.Context(), list)
		if err != nil {
			t.Fatal(err)
		}
		report, err := f.Run(t.Context(), list)
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 10})
		tokens := 0
		for id := range place.held {
			tokens += e.TokensMinted(id)
		}
		// Who was caught in the pause proves once more what is no longer fresh.
		if forecast.Clients != 10 || tokens < forecast.BilledTokens || tokens > forecast.BilledTokens+8 {
			t.Errorf("forecast %+v; %d tokens were minted", forecast, tokens)
		}
		transport.quiet(t, asked, pause)
		place.works(t, api, "client-0", former)
		if report, err = f.Run(t.Context(), list); err != nil || report.Skipped != 10 {
			t.Errorf("the second run: %+v, %v", report, err)
		}
	})
}

// teams is a server with sixty clients of three teams, whose secrets are in a place.
func teams(t *testing.T, place *safe, faults ...emulator.Fault) *emulator.Emulator {
	t.Helper()
	e, err := emulator.New(emulator.WithFaults(faults...), emulator.WithM2MClients(60, func(i int) emulator.M2MClientSeed {
		seed := emulator.M2MClientSeed{
			ClientID: fmt.Sprint("client-", i), Name: fmt.Sprint("team-", i%3), Secret: secret.Generate().Reveal(),
			Scopes: []string{fmt.Sprint("scope:", i%2)},
		}
		place.held[seed.ClientID] = rotate.Delivery{ClientID: seed.ClientID, Secret: secret.New(seed.Secret)}
		return seed
	}))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// fed returns a client of the SDK that throttles a bucket when a request is refused with 429.
func fed(t *testing.T, e *emulator.Emulator, transport http.RoundTripper, bucket *rotate.Bucket, asked func()) *stytch.Client {
	t.Helper()
	projectID, projectSecret := e.Credentials()
	api, err := stytch.New(projectID, projectSecret, stytch.WithBaseURL("http://127.0.0.1"),
		stytch.WithHTTPClient(&http.Client{Transport: transport}),
		stytch.WithObserver(func(_ context.Context, a stytch.Attempt) {
			var refused *stytch.Error
			if errors.As(a.Err, &refused) {
				if wait, ok := refused.Throttled(); ok {
					bucket.Throttle(wait)
					asked()
				}
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// quiet checks that nothing was sent in a pause but what was refused at its very beginning.
func (i *inside) quiet(t *testing.T, from time.Time, pause time.Duration) {
	t.Helper()
	n := 0
	for _, at := range i.at {
		if since := at.Sub(from); since >= 0 && since < pause {
			n++
		}
	}
	if from.IsZero() || n > 3 {
		t.Errorf("%d of %d requests were sent although the server had asked for a pause", n, len(i.at))
	}
}

// works checks that everything that was delivered is accepted, and that a former secret is not.
func (s *safe) works(t *testing.T, api *stytch.Client, id string, former secret.String) {
	t.Helper()
	for id, held := range s.held {
		works, err := api.M2M.Secrets.Probe(t.Context(), id, held.Secret)
		if err != nil || !works || !held.Previous.IsZero() {
			t.Errorf("%s: what was delivered works: %t, %v", id, works, err)
		}
	}
	if works, err := api.M2M.Secrets.Probe(t.Context(), id, former); works || err != nil {
		t.Errorf("the former secret works: %t, %v", works, err)
	}
}

// TestFleetMemory checks that memory does not depend on the number of clients where none has a
// grace period.
func TestFleetMemory(t *testing.T) {
	heap := func(n int) int64 {
		p, j := newServer(), newMemory()
		p.forgetful, j.forgetful = true, true
		before, after := retained(), int64(0)
		list := func(yield func(string, error) bool) {
			for i := range n {
				if !yield(fmt.Sprintf("client-%05d", i), nil) {
					return
				}
			}
			for j.over() < n { // what a worker holds of a rotation is not the question
				runtime.Gosched()
			}
			after = retained()
		}
		f := newFleet(t, p.rotator(t, j), fleet.WithProgress(time.Second, func(fleet.Progress) {}))
		report, err := f.Run(t.Context(), list)
		if err != nil || report.Done != n {
			t.Fatalf("%+v, %v", report, err)
		}
		return after - before
	}
	heap(100) // what is made once
	n := heavy.Count(6000, 20000)
	few, many := heap(2000), heap(n)
	t.Logf("2,000 clients: %d bytes more than before, %d: %d", few, n, many)
	if many > few+512<<10 {
		t.Errorf("the heap grew by %d bytes with 2,000 clients, and by %d with %d", few, many, n)
	}
}

// retained is how much of the heap stays after a collection: the least of several looks, because
// other goroutines may allocate while one is taken, and the second collection empties pools.
func retained() int64 {
	least := int64(math.MaxInt64)
	for range 8 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		least = min(least, int64(m.HeapAlloc))
	}
	return least
}
