package verify_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/verify"
)

func TestAllocations(t *testing.T) {
	k := newSigner(t)
	offline := []verify.Option{verify.WithKeys(k.jwks()), verify.WithOffline()}
	cached, fresh := newVerifier(t, offline...), newVerifier(t, append(offline, verify.WithCache(0))...)
	token := k.sign(t, benchClaims(time.Now()))
	check, ctx := verify.AllScopes("read:users"), context.Background()
	for _, test := range []struct {
		name  string
		v     *verify.Verifier
		token string
		most  float64
	}{
		{"fresh", fresh, token, 14},
		{"cached", cached, token, 0},
		{"no dots", cached, strings.Repeat("a", 900), 0},
		{"no dots, 1 MiB", cached, strings.Repeat("a", 1<<20), 0},
		{"dots, 1 MiB", cached, strings.Repeat(".", 1<<20), 0},
		{"dots, 16 KiB", cached, strings.Repeat(".", 16<<10), 0},
		{"garbage", cached, "YWFh.YWFh.YWFh", 0},
		{"algorithm", cached, part(`{"alg":"none","kid":"a"}`) + ".e30.e30", 0},
		{"nested", cached, part(strings.Repeat("[", 10_000)) + ".e30.e30", 0},
	} {
		test.v.Verify(ctx, test.token, check)
		if n := testing.AllocsPerRun(200, func() { test.v.Verify(ctx, test.token, check) }); n > test.most && !raceEnabled {
			t.Errorf("%s: %v allocations, want at most %v", test.name, n, test.most)
		}
	}
}

func TestCacheJudgesEveryCall(t *testing.T) {
	k := newSigner(t)
	now := start
	v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(func() time.Time { return now }), verify.WithMaxAge(50*time.Minute))
	token := k.sign(t, claimsAt(start))
	for _, step := range []struct {
		at     time.Duration
		checks []verify.Check
		want   error
	}{
		{0, nil, nil},
		{0, []verify.Check{verify.AllScopes("read:users", "write:users")}, nil},
		{0, []verify.Check{verify.AllScopes("read:users", "admin")}, verify.ErrScope},
		{0, []verify.Check{verify.AnyScope("admin", "read:users")}, nil},
		{0, []verify.Check{verify.AnyScope("admin")}, verify.ErrScope},
		{0, []verify.Check{verify.AnyScope()}, verify.ErrScope},
		{0, []verify.Check{verify.AllScopes()}, nil},
		{0, []verify.Check{verify.ScopeFunc(func(granted []string) bool { return len(granted) == 3 })}, verify.ErrScope},
		{0, []verify.Check{verify.ScopeFunc(nil)}, verify.ErrScope},
		{time.Minute, []verify.Check{verify.MaxAge(time.Minute)}, nil},
		{time.Minute + 1, []verify.Check{verify.MaxAge(time.Minute)}, verify.ErrTooOld},
		{50 * time.Minute, nil, nil},
		{51 * time.Minute, nil, verify.ErrTooOld},
		{-time.Minute, nil, verify.ErrNotYetValid},
		{0, nil, nil},
		{time.Hour + 30*time.Second, nil, verify.ErrExpired},
	} {
		now = start.Add(step.at)
		claims, err := v.Verify(context.Background(), token, step.checks...)
		if !errors.Is(err, step.want) || (err == nil) != (step.want == nil) || (claims.Subject == "") != (err != nil) {
			t.Errorf("at %v: %v, want %v", step.at, err, step.want)
		}
	}
	if n, bytes := v.Cached(); n != 0 || bytes != 0 {
		t.Errorf("%d entries of %d bytes after the token expired", n, bytes)
	}
}

// A token that is refused for its time takes no place from one that is not.
func TestRefusedIsNotRemembered(t *testing.T) {
	k := newSigner(t)
	v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart))
	if _, err := v.Verify(t.Context(), k.sign(t, claimsAt(start.Add(time.Hour)))); !errors.Is(err, verify.ErrNotYetValid) {
		t.Error(err)
	}
	if n, _ := v.Cached(); n != 0 {
		t.Errorf("%d tokens are remembered", n)
	}
}

func TestCacheBounds(t *testing.T) {
	k := newSigner(t)
	v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart), verify.WithCache(20))
	var tasks sync.WaitGroup
	for worker := range 4 {
		tasks.Go(func() {
			for i := range heavy.Count(15, 50) {
				pairs := []any{"n", fmt.Sprint(worker, i)}
				if i%10 == 0 {
					pairs = append(pairs, "big", strings.Repeat("x", 9000))
				}
				if _, err := v.Verify(context.Background(), k.sign(t, claimsAt(start, pairs...))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	tasks.Wait()
	n, bytes := v.Cached()
	if n > 20 || n == 0 || bytes > 20<<10 || bytes < n*100 {
		t.Errorf("%d entries of %d bytes", n, bytes)
	}
	off := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart), verify.WithCache(0))
	token := k.sign(t, claimsAt(start))
	for range 2 {
		if _, err := off.Verify(context.Background(), token); err != nil {
			t.Error(err)
		}
	}
	if n, _ := off.Cached(); n != 0 {
		t.Error("a token was remembered though the cache is off")
	}
}

// What one caller does to its claims, no other caller sees.
func TestClaimsAreNotShared(t *testing.T) {
	k := newSigner(t)
	for name, audience := range map[string]any{"one audience": project, "two audiences": []string{project, "b"}} {
		v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart))
		token := k.sign(t, claimsAt(start, "aud", audience))
		vandal := func(claims verify.Claims, _ time.Time) error {
			claims.Subject, claims.Scope = "x", "x"
			claims.Audience()[0], claims.Scopes()[0] = "x", "x"
			return nil
		}
		scopes := verify.ScopeFunc(func(granted []string) bool { granted[0] = "x"; return true })
		for range 2 {
			claims, err := v.Verify(context.Background(), token, vandal, scopes, verify.AllScopes("read:users", "write:users"))
			if err != nil || claims.Subject != client || claims.Scope != "read:users write:users" || claims.Audience()[0] != project {
				t.Errorf("%s: %v, %+v", name, err, claims)
			}
			vandal(claims, start)
		}
		other := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart))
		h := other.Require()(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			claims, _ := verify.ClaimsFromContext(r.Context())
			if claims.Subject != client || claims.Audience()[0] != project {
				t.Errorf("%s, by context: %+v", name, claims)
			}
			vandal(claims, start)
		}))
		for range 2 {
			if w := askGuard(h, http.MethodGet, "Bearer "+token); w.Code != http.StatusOK {
				t.Error(w.Code)
			}
		}
	}
}

// At most 600 bytes of heap for a plain token of about 900 characters.
func TestCacheMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector takes memory of its own")
	}
	k := newSigner(t)
	n := heavy.Count(300, 1000)
	v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithCache(n))
	now := time.Now()
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range n {
		claims := benchClaims(now)
		claims["https://example.com/tenant"] = fmt.Sprintf("tenant-%04d", i)
		if _, err := v.Verify(context.Background(), k.sign(t, claims)); err != nil {
			t.Fatal(err)
		}
	}
	each := (int64(heap()) - int64(before)) / int64(n)
	if held, _ := v.Cached(); held != int64(n) || each > 600 {
		t.Errorf("%d bytes for each of %d tokens", each, held)
	}
	t.Logf("%d bytes for each token", each)
	runtime.KeepAlive(v)
}

// What is remembered is one token, to the last letter.
func TestCacheDecidesByWholeToken(t *testing.T) {
	k := newSigner(t)
	v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart))
	token := k.sign(t, claimsAt(start))
	if _, err := v.Verify(context.Background(), token); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	for name, forged := range map[string]string{
		"other claims":   parts[0] + "." + part(strings.Replace(`{"sub":"x"}`, "x", client, 1)) + "." + parts[2],
		"other header":   part(`{"alg":"RS256","kid":"jwk-test-1"}`) + "." + parts[1] + "." + parts[2],
		"longer":         parts[0] + "." + parts[1] + ".AAAA" + parts[2],
		"start replaced": parts[0] + "." + parts[1] + "." + strings.Repeat("A", 100) + parts[2][100:],
	} {
		if _, err := v.Verify(context.Background(), forged); !errors.Is(err, verify.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestActiveCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSigner(t)
		active, failing, asked := true, false, 0
		v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithActiveCheck(func(ctx context.Context, id string) (bool, error) {
			asked++
			if id != client {
				t.Error("asked for another client")
			}
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return false, ctx.Err()
			}
			if failing {
				return true, errors.New("status 500")
			}
			return active, nil
		}))
		token := k.sign(t, claimsAt(time.Now()))
		var tasks sync.WaitGroup
		for range 50 {
			tasks.Go(func() {
				if _, err := v.Verify(t.Context(), token); err != nil {
					t.Error(err)
				}
			})
		}
		tasks.Wait()
		if _, err := v.Verify(t.Context(), token, verify.AllScopes("admin")); !errors.Is(err, verify.ErrScope) {
			t.Error(err)
		}
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
		if n := testing.AllocsPerRun(50, func() { v.Verify(t.Context(), token) }); n != 0 && !raceEnabled {
			t.Errorf("%v allocations", n)
		}
		active = false
		time.Sleep(time.Minute)
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, verify.ErrInactive) {
			t.Error(err)
		}
		failing = true
		time.Sleep(time.Minute)
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, verify.ErrCheckUnavailable) || errors.Is(err, verify.ErrInactive) {
			t.Error(err)
		}
		active, failing = true, false
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := v.Verify(ctx, token); !errors.Is(err, verify.ErrCheckUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		v.Close() // ends the look-up that the caller left
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, verify.ErrCheckUnavailable) {
			t.Error(err)
		}
	})
}
