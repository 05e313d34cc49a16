package token_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

func TestMemoryAllocatesNothing(t *testing.T) {
	s := newSource(t, &endpoint{})
	mustToken(t, s)
	ctx := context.Background()
	if n := testing.AllocsPerRun(1000, func() {
		if got, err := s.Token(ctx); err != nil || len(got.Value.Reveal()) != len("token-1") {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a token from memory", n)
	}
}

// For the race detector: everything at once, on a clock that is real.
func TestConcurrency(t *testing.T) {
	e := &endpoint{}
	e.set(0, func(n int, form url.Values) *http.Response {
		switch n % 4 {
		case 0:
			return reply(503, "")
		case 1:
			return issueFor(61*time.Second)(n, form) // refreshed at once
		case 2:
			return issueFor(time.Second)(n, form) // not kept
		}
		return issue(n, form)
	})
	seen := &events{}
	s := newSource(t, e, seen.observer(), token.WithBudget(100_000, func(int, int) {}))
	rt := s.Transport(roundTripper(func(*http.Request) (*http.Response, error) {
		r := reply(401, "")
		r.Header.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		return r, nil
	}), "api.example.com")
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			for n := range 300 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(n)*time.Microsecond)
				got, err := s.Token(ctx)
				if err == nil && n%7 == 0 {
					s.Invalidate(got)
				}
				_, _ = s.TokenFor(ctx, token.Request{Scopes: []string{fmt.Sprint((i + n) % 50)}})
				if req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example.com/", nil); err == nil {
					_, _ = rt.RoundTrip(req)
				}
				_ = s.Stats()
				cancel()
				runtime.Gosched()
			}
		})
	}
	group.Wait()
	s.Close()
	stats := s.Stats()
	if stats.Requests != uint64(e.count()) || stats.Minted > stats.Requests || stats.Minted == 0 || stats.Failures != uint64(len(seen.of(token.RefreshFailed))) {
		t.Errorf("%+v", stats)
	}
}

func BenchmarkTokenFromMemory(b *testing.B) {
	s := newSource(b, &endpoint{})
	mustToken(b, s)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Token(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

// With -cpu 1,2: the time of one call, over all threads.
func BenchmarkTokenFromMemoryParallel(b *testing.B) {
	s := newSource(b, &endpoint{})
	mustToken(b, s)
	ctx := context.Background()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Token(ctx); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkNew(b *testing.B) {
	credentials := token.Static(client, secret.New(canarySecret))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := token.New(project, credentials, token.WithScopes("read:users", "write:users")); err != nil {
			b.Fatal(err)
		}
	}
}
