//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stytchkit/m2m/contrib/postgres"
	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
	"github.com/stytchkit/m2m/stytch/secret"
)

// vault is where secrets are delivered to.
type vault struct {
	mu    sync.Mutex
	holds map[string]rotate.Delivery
}

func (v *vault) Deliver(_ context.Context, d rotate.Delivery) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.holds[d.ClientID] = d
	return nil
}

func (v *vault) Read(_ context.Context, clientID string) (rotate.Delivery, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.holds[clientID], nil
}

// system is a local Stytch with clients whose secrets are in a vault.
type system struct {
	local   *emulator.Server
	api     *stytch.Client
	vault   *vault
	clients []string
	first   map[string]secret.String
}

func newSystem(t *testing.T, size int) *system {
	t.Helper()
	f := &system{vault: &vault{holds: map[string]rotate.Delivery{}}, first: map[string]secret.String{}}
	f.local = emulatortest.NewServer(t, emulator.WithM2MClients(size, func(i int) emulator.M2MClientSeed {
		id, s := fmt.Sprintf("m2m-client-test-%04d", i), secret.Generate()
		f.clients = append(f.clients, id)
		f.first[id], f.vault.holds[id] = s, rotate.Delivery{ClientID: id, Secret: s}
		return emulator.M2MClientSeed{ClientID: id, Secret: s.Reveal()}
	}))
	var err error
	if f.api, err = stytch.New(f.local.ProjectID, f.local.Secret, stytch.WithBaseURL(f.local.URL)); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *system) engine(t *testing.T, j *postgres.Journal, options ...rotate.Option) *rotate.Rotator {
	t.Helper()
	r, err := rotate.New(f.api.M2M.Secrets, f.vault, j, options...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// completes counts the completed rotations of a client among the latest requests.
func (f *system) completes(clientID string) (n int) {
	for _, r := range f.local.Requests() {
		if r.Operation == "CompleteM2MClientSecretRotation" && r.Status == http.StatusOK && strings.Contains(r.Path, clientID) {
			n++
		}
	}
	return n
}

// check looks whether what the vault holds works and is new, and the first secret does not work any
// more.
func (f *system) check(t *testing.T, clientID string) {
	t.Helper()
	held, _ := f.vault.Read(t.Context(), clientID)
	first := f.first[clientID]
	for s, want := range map[*secret.String]bool{&held.Secret: true, &first: false} {
		works, err := f.api.M2M.Secrets.Probe(t.Context(), clientID, *s)
		if err != nil || works != want {
			t.Errorf("%s: a secret works: %t, %v; want %t", clientID, works, err, want)
		}
	}
	if !held.Previous.IsZero() {
		t.Errorf("%s: the former secret is still delivered", clientID)
	}
}

func TestEngine(t *testing.T) {
	t.Parallel()
	const clients, workers = 50, 8
	f := newSystem(t, clients)
	dsn := newSchema(t)
	count := &counter{}
	j := open(t, dsn, countWith(count))
	limiter := bucket(t, j, 2000, 200)
	if n, err := j.Plan(t.Context(), f.clients); n != clients || err != nil {
		t.Fatalf("Plan: %d, %v", n, err)
	}
	engine := f.engine(t, j, rotate.WithLimiter(limiter))
	before := count.n.Load()
	ids := make(chan string)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for id := range ids {
				if err := engine.Resume(t.Context(), id); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for id, err := range j.Unfinished(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		ids <- id
	}
	close(ids)
	all.Wait()
	statements := float64(count.n.Load()-before) / clients
	t.Logf("%.1f statements per rotation, the shared rate included", statements)
	if statements > 12 {
		t.Errorf("%.1f statements per rotation, want at most 12", statements)
	}
	for _, id := range f.clients {
		f.check(t, id)
		if n := f.completes(id); n != 1 {
			t.Errorf("%s: completed %d times", id, n)
		}
		r, err := j.Read(t.Context(), id)
		if err != nil || r.State != rotate.Completed || !r.Next.IsZero() || !r.Current.IsZero() {
			t.Errorf("%s: the journal has %q, %v, or still a secret", id, r.State, err)
		}
	}
	for id := range j.Unfinished(t.Context()) {
		t.Errorf("%s is unfinished", id)
	}
}

// Two processes work on one fleet, as fast as the rate that they share allows. Each client is
// rotated once.
func TestFleet(t *testing.T) {
	t.Parallel()
	const clients = 60
	f := newSystem(t, clients)
	dsn := newSchema(t)
	count := &counter{}
	var fleets []*fleet.Fleet
	for i := range 2 {
		j := open(t, dsn, countWith(count))
		if i == 0 {
			if n, err := j.Plan(t.Context(), f.clients); n != clients || err != nil {
				t.Fatalf("Plan: %d, %v", n, err)
			}
		}
		one, err := fleet.New(f.engine(t, j, rotate.WithLimiter(bucket(t, j, 1000, 50))))
		if err != nil {
			t.Fatal(err)
		}
		fleets = append(fleets, one)
	}
	before := count.n.Load()
	reports := make([]fleet.Report, len(fleets))
	var all sync.WaitGroup
	for i, one := range fleets {
		all.Go(func() {
			var err error
			if reports[i], err = one.Run(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	t.Logf("%.1f statements per rotation, the shared rate and looking for the end included", float64(count.n.Load()-before)/clients)
	for _, id := range f.clients {
		f.check(t, id)
		if n := f.completes(id); n != 1 {
			t.Errorf("%s: completed %d times", id, n)
		}
	}
	if done := reports[0].Done + reports[1].Done; done != clients || reports[0].Failed+reports[1].Failed != 0 {
		t.Errorf("the reports tell of %d completed and %d failed rotations", done, reports[0].Failed+reports[1].Failed)
	}
}

// Two rotators resume each planned rotation at once. One completes it, and the other gets ErrBusy
// or ErrNoRotation.
func TestTwoEngines(t *testing.T) {
	t.Parallel()
	runs := heavy.Count(20, 200)
	f := newSystem(t, runs)
	dsn := newSchema(t)
	a, b := open(t, dsn), open(t, dsn)
	engines := []*rotate.Rotator{f.engine(t, a), f.engine(t, b)}
	if _, err := a.Plan(t.Context(), f.clients); err != nil {
		t.Fatal(err)
	}
	busy := 0
	for _, id := range f.clients {
		var outcomes [2]error
		var both sync.WaitGroup
		for i, engine := range engines {
			both.Go(func() { outcomes[i] = engine.Resume(t.Context(), id) })
		}
		both.Wait()
		done := 0
		for _, err := range outcomes {
			switch {
			case err == nil:
				done++
			case errors.Is(err, rotate.ErrBusy):
				busy++
			case !errors.Is(err, rotate.ErrNoRotation): // it came when all was done
				t.Errorf("%s: %v", id, err)
			}
		}
		if n := f.completes(id); done != 1 || n != 1 {
			t.Errorf("%s: %d engines say that they did it, and the server completed %d", id, done, n)
		}
		f.check(t, id)
	}
	t.Logf("%d of %d times the other engine was told that the client is busy", busy, runs)
	if busy == 0 {
		t.Error("the engines never met")
	}
}
