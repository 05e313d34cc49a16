package token

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/internal/sleep"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token/storetest"
)

// memStore is a Store as another program would write it. Its errors and its slowness are set by
// tests.
type memStore struct {
	mu      sync.Mutex
	entries map[string]memEntry
	calls   map[string]int // of each method, and "" for all

	fail    func(method string) error // nil: all is well
	latency time.Duration             // of every call
	skew    time.Duration             // how far its clock is ahead
}

type memEntry struct {
	value []byte
	ends  time.Time
}

func newMemStore() *memStore {
	return &memStore{entries: map[string]memEntry{}, calls: map[string]int{}}
}

func (m *memStore) enter(ctx context.Context, method string) error {
	if m.latency > 0 && sleep.For(ctx, m.latency) != nil {
		return ctx.Err()
	}
	m.mu.Lock()
	m.calls[method]++
	m.calls[""]++
	fail := m.fail
	m.mu.Unlock()
	if fail != nil {
		if err := fail(method); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (m *memStore) setFail(fail func(string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = fail
}

func (m *memStore) count(method string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls[method]
}

func (m *memStore) now() time.Time { return time.Now().Add(m.skew) }

func (m *memStore) Get(ctx context.Context, key string) ([]byte, error) {
	if err := m.enter(ctx, "Get"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.entries[key]; ok && m.now().Before(e.ends) {
		return bytes.Clone(e.value), nil
	}
	return nil, nil
}

func (m *memStore) Put(ctx context.Context, key string, value []byte, life time.Duration) error {
	if err := m.enter(ctx, "Put"); err != nil {
		return err
	}
	if life <= 0 {
		return errors.New("no life")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries[key] = memEntry{bytes.Clone(value), m.now().Add(life)}
	return nil
}

func (m *memStore) Lease(ctx context.Context, key, owner string, life time.Duration) (bool, error) {
	if err := m.enter(ctx, "Lease"); err != nil {
		return false, err
	}
	if life <= 0 {
		return false, errors.New("no life")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.entries[key]; ok && m.now().Before(e.ends) {
		return string(e.value) == owner, nil
	}
	m.entries[key] = memEntry{[]byte(owner), m.now().Add(life)}
	return true, nil
}

func (m *memStore) Release(ctx context.Context, key, owner string) error {
	if err := m.enter(ctx, "Release"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if string(m.entries[key].value) == owner {
		delete(m.entries, key)
	}
	return nil
}

func TestMemStore(t *testing.T) {
	m := newMemStore() // the fake of the tests below keeps the rules, too
	storetest.Run(t, m, func(d time.Duration) { m.skew += d })
}

// fleet is a number of processes with one store and one endpoint.
type fleet struct {
	store     *memStore
	processes []*sharedStore

	mu       sync.Mutex
	minted   int
	reported []error
	mintTime time.Duration // how long the endpoint takes
	mintErr  error
}

const mintLife = time.Hour

func newFleet(t *testing.T, processes int) *fleet {
	t.Helper()
	f := &fleet{store: newMemStore(), mintTime: 200 * time.Millisecond}
	for range processes {
		s, err := newSharedStore(f.store, nil, f.report)
		if err != nil {
			t.Fatal(err)
		}
		f.processes = append(f.processes, s)
	}
	return f
}

func (f *fleet) report(_ context.Context, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reported = append(f.reported, err)
}

// mint obtains a token as the login of want.
func (f *fleet) mint(ctx context.Context, _ storedFunc) (minted, error) {
	if sleep.For(ctx, f.mintTime) != nil {
		return minted{}, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mintErr != nil {
		return minted{}, f.mintErr
	}
	f.minted++
	return minted{issuedToken: newToken(fmt.Sprint("token-", f.minted)), by: testLogin}, nil
}

func newToken(value string) issuedToken {
	now := time.Now()
	return issuedToken{Token{secret.New(value), now.Add(mintLife), []string{"read:users"}}, now}
}

func (f *fleet) mints() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.minted
}

func (f *fleet) reports(target error) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, err := range f.reported {
		if errors.Is(err, target) {
			n++
		}
	}
	return n
}

var (
	clientSecret = secret.Generate()
	testLogin    = login{"m2m-client-test-1", clientSecret}
)

func want() wanted {
	return wanted{
		baseURL: "https://test.stytch.com", project: "project-test-1", request: request{scopes: []string{"read:users"}},
		logins: []login{testLogin}, minLife: time.Minute,
	}
}

// testEntry is where a token is stored that the first login of w obtained, or that a given key
// encrypts.
func testEntry(tb testing.TB, w wanted, given ...secret.String) *entry {
	tb.Helper()
	source := w.logins[0].secret
	if len(given) > 0 {
		source = given[0]
	}
	e, err := newEntry(w.cacheKey(w.logins[0].id), w.project, w.logins[0].id, source)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// all lets every process ask at the same time and returns what they got.
func (f *fleet) all(t *testing.T, w wanted) (tokens []issuedToken, fromStoreCount int) {
	t.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	for _, p := range f.processes {
		group.Go(func() {
			got, stored, err := p.token(t.Context(), w, f.mint)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			tokens = append(tokens, got)
			if stored {
				fromStoreCount++
			}
		})
	}
	group.Wait()
	return tokens, fromStoreCount
}

func TestSharedMintsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 100)
		start := time.Now()
		tokens, stored := f.all(t, want())
		if f.mints() != 1 || stored != 99 {
			t.Errorf("%d tokens minted, %d callers served by the store, want 1 and 99", f.mints(), stored)
		}
		for _, got := range tokens {
			if got.Value.Reveal() != "token-1" || !slices.Equal(got.Scopes, []string{"read:users"}) {
				t.Fatal("a process got another token")
			}
			if got.Expiry.Sub(start) > mintLife+f.mintTime {
				t.Fatal("the token's life grew on its way through the store")
			}
		}
		if late := time.Since(start); late > f.mintTime+pollMax {
			t.Errorf("the last process was served after %v, want the time of the mint and one poll at most", late)
		}
		if len(f.reported) != 0 {
			t.Errorf("reported: %v", f.reported)
		}

		// The next lifetime: all of them hold the token that is to be replaced.
		time.Sleep(50 * time.Minute)
		next := want()
		next.replaced = tokens[0]
		if _, stored := f.all(t, next); f.mints() != 2 || stored != 99 {
			t.Errorf("after the refresh %d tokens minted, %d callers served by the store, want 2 and 99", f.mints(), stored)
		}
	})
}

func TestSharedTakesWhatIsOfUse(t *testing.T) {
	for name, test := range map[string]struct {
		age      time.Duration // of the stored token, whose life is an hour
		replaced func(stored issuedToken) issuedToken
		stored   bool // the stored token is taken
	}{
		"fresh":                 {0, nil, true},
		"past its refresh":      {55 * time.Minute, nil, true}, // no caller waits while a token lives
		"one minute left":       {59 * time.Minute, nil, true},
		"under a minute left":   {59*time.Minute + time.Second, nil, false},
		"dead":                  {61 * time.Minute, nil, false},
		"cached already":        {50 * time.Minute, func(s issuedToken) issuedToken { return s }, false},
		"newer than the cached": {0, func(issuedToken) issuedToken { return older("held") }, true},
		"older than the cached": {50 * time.Minute, func(issuedToken) issuedToken { return newToken("held") }, false},
		"dropped":               {0, func(s issuedToken) issuedToken { return issuedToken{Token: Token{Value: s.Value}} }, false},
		"another was dropped":   {0, func(issuedToken) issuedToken { return issuedToken{Token: Token{Value: secret.New("dropped")}} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, 1)
				stored, _, err := f.processes[0].token(t.Context(), want(), f.mint)
				if err != nil {
					t.Fatal(err)
				}
				// The entry itself must not be what decides.
				for key, e := range f.store.entries {
					f.store.entries[key] = memEntry{e.value, e.ends.Add(time.Hour)}
				}
				time.Sleep(test.age)
				w := want()
				if test.replaced != nil {
					w.replaced = test.replaced(stored)
				}
				got, from, err := f.processes[0].token(t.Context(), w, f.mint)
				if err != nil {
					t.Fatal(err)
				}
				if from != test.stored || got.Value.Equal(stored.Value) != test.stored {
					t.Errorf("stored token taken: %t, want %t", from, test.stored)
				}
			})
		})
	}
}

func older(value string) issuedToken {
	t := newToken(value)
	t.issuedAt, t.Expiry = t.issuedAt.Add(-mintLife), t.Expiry.Add(-mintLife)
	return t
}

func TestSharedStoresNoLongerThanOfUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1)
		if _, _, err := f.processes[0].token(t.Context(), want(), f.mint); err != nil {
			t.Fatal(err)
		}
		for key, e := range f.store.entries {
			if left := time.Until(e.ends); left > mintLife-time.Minute || left < mintLife-2*time.Minute {
				t.Errorf("%s is stored for %v, want the life of the token but its last minute", key, left)
			}
		}
		if len(f.store.entries) != 1 {
			t.Errorf("%d entries are left, want the token alone", len(f.store.entries))
		}
	})
}

// TestSharedStoresNothingUseless has tokens that live for less than anybody may have left.
func TestSharedStoresNothingUseless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 2)
		w := want()
		w.minLife = mintLife
		tokens, stored := f.all(t, w)
		if f.mints() != 2 || stored != 0 || tokens[0].Value.IsZero() || tokens[1].Value.IsZero() {
			t.Errorf("%d tokens minted, %d callers served by the store, want one for each", f.mints(), stored)
		}
		if len(f.store.entries) != 0 {
			t.Errorf("%d entries left, want none", len(f.store.entries))
		}
	})
}

func TestSharedWinnerDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 20)
		dead := testEntry(t, want()).name + leaseSuffix
		if won, err := f.store.Lease(t.Context(), dead, "crashed", leaseLife); !won || err != nil {
			t.Fatal(won, err)
		}
		start := time.Now()
		f.all(t, want())
		if f.mints() != 1 {
			t.Errorf("%d tokens minted, want 1", f.mints())
		}
		if took := time.Since(start); took < leaseLife || took > leaseLife+f.mintTime+2*pollMax {
			t.Errorf("served after %v, want the rest of the lease and the time of a mint", took)
		}
		if len(f.reported) != 0 {
			t.Errorf("reported %v for a lease that ended in time", f.reported)
		}
	})
}

// A lease that is held without end delays the processes for as long as a lease lives, once: one of
// them mints, and stores what it got for the others and for those that come later.
func TestSharedLeaseThatNeverEnds(t *testing.T) {
	for _, suffixes := range [][]string{{leaseSuffix}, {leaseSuffix, takeOverSuffix}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t, 8)
			for _, suffix := range suffixes {
				if won, err := f.store.Lease(t.Context(), testEntry(t, want()).name+suffix, "another owner", 24*time.Hour); !won || err != nil {
					t.Fatal(won, err)
				}
			}
			start, longest, mints := time.Now(), leaseLife+mintTime+f.mintTime+pollMax, 1
			if len(suffixes) == 2 { // as if the store gave a lease to no one
				longest, mints = longest+takeOverLife+mintTime, 8
			}
			f.all(t, want())
			if took := time.Since(start); f.mints() != mints || took > longest {
				t.Errorf("%d tokens minted in %v, want %d in %v at most", f.mints(), took, mints, longest)
			}
			if n := f.reports(ErrStoreLease); n != 8 {
				t.Errorf("reported %d times, want once by each process", n)
			}
			start = time.Now()
			if _, stored := f.all(t, want()); stored != 8 || time.Since(start) != 0 {
				t.Errorf("%d later processes were served by the store, after %v", stored, time.Since(start))
			}
		})
	}
}

// TestSharedLooksAgain has another process mint and store between the look and the lease of this
// one.
func TestSharedLooksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 2)
		var between sync.Once
		f.store.fail = func(method string) error {
			if method == "Lease" {
				between.Do(func() {
					f.store.setFail(nil)
					if _, _, err := f.processes[1].token(t.Context(), want(), f.mint); err != nil {
						t.Error(err)
					}
				})
			}
			return nil
		}
		if _, from, err := f.processes[0].token(t.Context(), want(), f.mint); err != nil || !from {
			t.Errorf("error %v, token from the store: %t, want it from there", err, from)
		}
		if f.mints() != 1 || len(f.store.entries) != 1 {
			t.Errorf("%d tokens minted, %d entries left, want 1 and the token alone", f.mints(), len(f.store.entries))
		}
	})
}

func TestSharedMintFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 2)
		f.mintErr = errors.New("endpoint down")
		if _, _, err := f.processes[0].token(t.Context(), want(), f.mint); !errors.Is(err, f.mintErr) {
			t.Errorf("error %v, want that of mint", err)
		}
		start := time.Now()
		f.mintErr = nil
		if _, _, err := f.processes[1].token(t.Context(), want(), f.mint); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != f.mintTime {
			t.Errorf("the next process waited %v for a lease without a holder", took-f.mintTime)
		}
	})
}

func TestSharedContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1)
		name := testEntry(t, want()).name + leaseSuffix
		if won, err := f.store.Lease(t.Context(), name, "another owner", leaseLife); !won || err != nil {
			t.Fatal(won, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, _, err := f.processes[0].token(ctx, want(), f.mint); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want that of the context", err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("left after %v, want 1s", took)
		}
		if f.mints() != 0 || len(f.reported) != 0 {
			t.Errorf("%d tokens minted and %v reported without a caller", f.mints(), f.reported)
		}
	})
}
