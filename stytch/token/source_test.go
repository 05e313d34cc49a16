package token_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

func TestColdCallersMakeOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{latency: 200 * time.Millisecond}
		s := newSource(t, e)
		var group sync.WaitGroup
		for range 1000 {
			group.Go(func() {
				if got := mustToken(t, s); got != "token-1" {
					t.Errorf("token %s", got)
				}
			})
		}
		group.Wait()
		if e.count() != 1 {
			t.Errorf("%d requests, want 1", e.count())
		}
		mustToken(t, s)
		if got := s.Stats(); got.Minted != 1 || got.Requests != 1 || got.Waits != 1000 || got.Failures != 0 {
			t.Errorf("%+v", got)
		}
	})
}

// Each caller leaves at its own deadline; the request continues, and serves later callers.
func TestCallersKeepTheirDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{latency: time.Second}
		s := newSource(t, e)
		start := time.Now()
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				deadline := time.Duration(i+1) * 20 * time.Millisecond
				ctx, cancel := context.WithTimeout(t.Context(), deadline)
				defer cancel()
				if _, err := s.Token(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, token.ErrUnavailable) {
					t.Errorf("%v", err)
				}
				if took := time.Since(start); took != deadline {
					t.Errorf("left after %v, want %v", took, deadline)
				}
			})
		}
		group.Wait()
		if mustToken(t, s) != "token-1" || time.Since(start) != time.Second || e.count() != 1 {
			t.Errorf("%d requests, %v", e.count(), time.Since(start))
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Token(ended); err != nil { // it need not wait
			t.Error(err)
		}
		fresh := newSource(t, e)
		if _, err := fresh.Token(ended); !errors.Is(err, context.Canceled) || e.count() != 1 {
			t.Errorf("%v, %d requests: a caller that is gone needs no token", err, e.count())
		}
	})
}

// While the endpoint is down, a token is handed out until a minute before its end, then the error.
func TestEndpointDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, seen := &endpoint{}, &events{}
		s := newSource(t, e, seen.observer())
		start := time.Now()
		mustToken(t, s)
		e.set(50*time.Millisecond, status(503, ""))
		for time.Since(start) < 59*time.Minute-time.Second {
			time.Sleep(time.Second)
			if mustToken(t, s) != "token-1" {
				t.Fatal("another token")
			}
		}
		failures := len(seen.of(token.RefreshFailed))
		// Twelve minutes from 48 min on, and half of 30 s between two requests on average.
		if failures < 25 || failures > 100 {
			t.Errorf("%d requests failed while the endpoint was down", failures)
		}
		time.Sleep(2 * time.Second)
		err := noToken(t, s)
		var detail *token.Error
		if !errors.Is(err, token.ErrUnavailable) || !errors.As(err, &detail) || detail.StatusCode != 503 {
			t.Error(err)
		}
		if got := s.Stats(); int(got.Failures) < failures || got.LastError == nil || got.LastErrorAt.IsZero() || got.Minted != 1 {
			t.Errorf("%+v", got)
		}
		for _, f := range seen.of(token.RefreshFailed) {
			if !errors.Is(f.Err, token.ErrUnavailable) || f.RetryAt.IsZero() || f.Duration != 50*time.Millisecond {
				t.Errorf("%+v", f)
			}
		}
		e.set(0, issue)
		time.Sleep(31 * time.Second)
		if got := mustToken(t, s); got == "token-1" {
			t.Error("the token of an hour ago")
		}
	})
}

// Callers never wait for a refresh, and there is one per lifetime.
func TestCrossingExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{latency: 200 * time.Millisecond}
		s := newSource(t, e)
		mustToken(t, s)
		begin := time.Now()
		var stalled atomic.Int64
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() {
				for time.Since(begin) < 10*time.Hour {
					start := time.Now()
					got, err := s.Token(t.Context())
					if err != nil || time.Until(got.Expiry) < time.Minute {
						t.Errorf("%v, or a token that ends in %v", err, time.Until(got.Expiry))
						return
					}
					if time.Since(start) > 0 { // not even a millisecond: this clock stands still unless a caller waits
						stalled.Add(1)
					}
					time.Sleep(5 * time.Second)
				}
			})
		}
		group.Wait()
		if stalled.Load() != 0 {
			t.Errorf("%d calls stalled", stalled.Load())
		}
		// One each 43 to 48 minutes.
		if n := e.count(); n < 13 || n > 15 {
			t.Errorf("%d requests in 10 h", n)
		}
		if got := s.Stats(); got.Waits != 1 {
			t.Errorf("%d calls waited, want the first", got.Waits)
		}
	})
}

func TestFailingEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{latency: 50 * time.Millisecond, respond: status(503, "")}
		s := newSource(t, e)
		start := time.Now()
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() {
				if err := noToken(t, s); !errors.Is(err, token.ErrUnavailable) {
					t.Error(err)
				}
				if took := time.Since(start); took != 50*time.Millisecond {
					t.Errorf("failed after %v", took)
				}
			})
		}
		group.Wait()
		if e.count() != 1 {
			t.Errorf("%d requests, want 1", e.count())
		}
		noToken(t, s) // at once, while it backs off
		if time.Since(start) != 50*time.Millisecond || e.count() != 1 {
			t.Errorf("after %v, %d requests", time.Since(start), e.count())
		}
		// Without any caller it tries twice more, and leaves it at that.
		time.Sleep(time.Hour)
		if e.count() != 3 {
			t.Errorf("%d requests in an hour without callers, want 3", e.count())
		}
		e.set(0, issue)
		mustToken(t, s)
	})
}

// A fault that passes costs the callers after it nothing.
func TestSelfRetry(t *testing.T) {
	for _, code := range []int{408, 425, 429, 500, 502, 503, 504} {
		synctest.Test(t, func(t *testing.T) {
			e := &endpoint{respond: func(n int, form url.Values) *http.Response {
				if n == 1 {
					return reply(code, "")
				}
				return issue(n, form)
			}}
			s := newSource(t, e)
			noToken(t, s)
			time.Sleep(time.Second)
			start := time.Now()
			if mustToken(t, s) != "token-2" || time.Since(start) != 0 || s.Stats().Waits != 1 {
				t.Errorf("%d: waited for %v, %d callers in all", code, time.Since(start), s.Stats().Waits)
			}
		})
	}
	for _, code := range []int{400, 401, 403, 404, 409, 501} {
		synctest.Test(t, func(t *testing.T) {
			e := &endpoint{respond: status(code, refused("invalid_request"))}
			s := newSource(t, e)
			noToken(t, s)
			time.Sleep(time.Hour)
			if e.count() != 1 {
				t.Errorf("%d: %d requests, want 1", code, e.count())
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{respond: status(500, "")}
		s := newSource(t, e)
		start := time.Now()
		for time.Since(start) < time.Hour {
			noToken(t, s)
			time.Sleep(100 * time.Millisecond)
		}
		if n := e.count(); n < 150 || n > 500 { // 240, were it not for chance
			t.Errorf("%d requests in an hour of constant need", n)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	for header, within := range map[string][2]time.Duration{
		"20":                  {20 * time.Second, 20 * time.Second},
		"7200":                {time.Minute, time.Minute}, // the cap
		"9223372036854775807": {time.Minute, time.Minute},
		"-1":                  {0, time.Second},
		"":                    {0, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			e := &endpoint{respond: func(n int, form url.Values) *http.Response {
				if n > 1 {
					return issue(n, form)
				}
				r := reply(429, refused("too_many_requests"))
				r.Header.Set("Retry-After", header)
				return r
			}}
			s := newSource(t, e)
			if err := noToken(t, s); !errors.Is(err, token.ErrRateLimited) {
				t.Error(err)
			}
			start := time.Now()
			for e.count() < 2 {
				time.Sleep(10 * time.Millisecond)
			}
			if took := time.Since(start); took < within[0] || took > within[1]+10*time.Millisecond {
				t.Errorf("Retry-After %q: again after %v", header, took)
			}
		})
	}
}

// Refreshes of a fleet spread out, and never come later than they were set.
func TestRefreshJitter(t *testing.T) {
	for _, c := range []struct {
		life        time.Duration
		options     []token.Option
		first, last time.Duration
	}{
		{time.Hour, nil, 2592 * time.Second, 2880 * time.Second},
		{time.Hour, []token.Option{token.WithRefreshAt(0.5)}, 1620 * time.Second, 1800 * time.Second},
		{100 * time.Second, nil, 32 * time.Second, 36 * time.Second}, // well before the minimum life is reached
		{48 * time.Hour, nil, 17 * time.Hour, 20 * time.Hour},        // taken for 24 h
	} {
		synctest.Test(t, func(t *testing.T) {
			refreshed := map[time.Duration]bool{}
			for range 30 {
				e := &endpoint{respond: issueFor(c.life)}
				s := newSource(t, e, c.options...)
				start := time.Now()
				mustToken(t, s)
				time.Sleep(c.first - time.Second)
				mustToken(t, s)
				synctest.Wait()
				if e.count() != 1 {
					t.Fatalf("life %v: refreshed before %v", c.life, c.first)
				}
				for e.count() == 1 && time.Since(start) <= c.last {
					time.Sleep(time.Second)
					mustToken(t, s)
					synctest.Wait()
				}
				if e.count() != 2 {
					t.Fatalf("life %v: %d requests after %v", c.life, e.count(), time.Since(start))
				}
				refreshed[time.Since(start)] = true
				s.Close()
			}
			if len(refreshed) < 3 {
				t.Errorf("life %v: refreshes come at %v only", c.life, refreshed)
			}
		})
	}
}

// A token without a caller is not replaced: that would cost money.
func TestIdleSourceAsksForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{}
		s := newSource(t, e)
		mustToken(t, s)
		time.Sleep(24 * time.Hour)
		if e.count() != 1 {
			t.Errorf("%d requests", e.count())
		}
		if mustToken(t, s) != "token-2" {
			t.Error("the token of yesterday")
		}
	})
}

func TestInvalidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{}
		s := newSource(t, e)
		first, err := s.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.Invalidate(token.Token{Value: secret.New("another")})
		s.Invalidate(token.Token{})
		if mustToken(t, s) != "token-1" {
			t.Error("another token's end ended this one")
		}
		s.Invalidate(first)
		if mustToken(t, s) != "token-2" {
			t.Error("the token is still there")
		}
		s.Invalidate(first)
		if mustToken(t, s) != "token-2" || e.count() != 2 {
			t.Error("dropped a second time")
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{latency: time.Hour}
		s := newSource(t, e, token.WithTimeouts(2*time.Hour, 2*time.Hour))
		var group sync.WaitGroup
		for range 10 {
			group.Go(func() {
				if err := noToken(t, s); !errors.Is(err, token.ErrClosed) || errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		start := time.Now()
		s.Close()
		group.Wait()
		if time.Since(start) != 0 {
			t.Errorf("Close took %v", time.Since(start))
		}
		s.Close()
		if err := noToken(t, s); !errors.Is(err, token.ErrClosed) {
			t.Error(err)
		}
		if _, err := s.TokenFor(t.Context(), token.Request{Scopes: []string{"a"}}); !errors.Is(err, token.ErrClosed) {
			t.Error(err)
		}
		held := newSource(t, &endpoint{})
		mustToken(t, held)
		held.Close()
		if err := noToken(t, held); !errors.Is(err, token.ErrClosed) {
			t.Error(err)
		}
		waiting := newSource(t, &endpoint{respond: status(503, "")})
		noToken(t, waiting) // and tries again before long
		waiting.Close()     // the bubble would not end if a goroutine were left
		if err := noToken(t, waiting); !errors.Is(err, token.ErrClosed) {
			t.Error(err)
		}
	})
}

// After Close nothing runs any more, not even what is slow to end.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended atomic.Bool
		s := newSource(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			time.Sleep(time.Second)
			ended.Store(true)
			return nil, r.Context().Err()
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, _ = s.Token(ctx)
		if s.Close(); !ended.Load() {
			t.Error("Close returned before the request had ended")
		}
	})
}

func TestUnusedSourceStartsNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	e := &endpoint{}
	for range 100 {
		if _, err := token.New(project, token.Static(client, secret.New(canarySecret)), token.WithHTTPClient(&http.Client{Transport: e})); err != nil {
			t.Fatal(err)
		}
	}
	if after := runtime.NumGoroutine(); after > before || e.count() != 0 {
		t.Errorf("%d goroutines more, %d requests", after-before, e.count())
	}
}

// A RoundTripper that ends its goroutine, as a failing test does, must not leave callers waiting
// for ever.
func TestAbandonedRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, roundTripper(func(*http.Request) (*http.Response, error) { runtime.Goexit(); return nil, nil }))
		if err := noToken(t, s); err == nil || s.Stats().Failures != 1 {
			t.Errorf("%v, %d failures", err, s.Stats().Failures)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The request keeps the values of its first caller's context, such as a trace, but not its end.
func TestContextValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		e := &endpoint{latency: time.Second}
		s := newSource(t, e)
		ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "trace"), time.Millisecond)
		defer cancel()
		_, _ = s.Token(ctx)
		if mustToken(t, s) != "token-1" || e.sent[0].Context().Value(key{}) != "trace" {
			t.Error("the request does not know its caller")
		}
	})
}

func TestTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{latency: time.Hour}
		s := newSource(t, e, token.WithTimeouts(3*time.Second, time.Minute))
		start := time.Now()
		err := noToken(t, s)
		if !errors.Is(err, token.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
