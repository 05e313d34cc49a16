package token

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A caller that missed a fresh token by a moment finds it under the lock, and requests no other
// one.
func TestFreshTokenUnderTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &mintingEndpoint{}
		s := sharing(t, e, newMemStore())
		for range 2 {
			if _, err := s.main.refreshed(t.Context()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if n := e.n.Load(); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	})
}

// A caller whose context has ended needs no token.
func TestEndedCallerRequestsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &mintingEndpoint{}
		s := sharing(t, e, newMemStore())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Token(ctx); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		synctest.Wait()
		if n := e.n.Load(); n != 0 {
			t.Errorf("%d requests, want none", n)
		}
	})
}

// failingOnce fails the first request, and gives every later one a token after a while.
type failingOnce struct {
	mintingEndpoint
	latency time.Duration

	mu       sync.Mutex
	requests int
}

func (e *failingOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	e.mu.Lock()
	e.requests++
	first := e.requests == 1
	e.mu.Unlock()
	if first {
		return nil, errStoreDown
	}
	time.Sleep(e.latency)
	return e.mintingEndpoint.RoundTrip(r)
}

// A caller may come at the very moment of an automatic retry. One of them makes the request.
func TestCallerMeetsRetry(t *testing.T) {
	for _, latency := range []time.Duration{0, time.Second} { // the caller's request is over, or in progress
		synctest.Test(t, func(t *testing.T) {
			for range 50 {
				e := &failingOnce{latency: latency}
				var s *Source
				var callers sync.WaitGroup
				callers.Add(1)
				s, err := New("project-test-1", Static("m2m-client-test-1", clientSecret), WithHTTPClient(&http.Client{Transport: e}),
					WithObserver(func(_ context.Context, event Event) {
						if event.Kind == RefreshFailed {
							time.AfterFunc(time.Until(event.RetryAt), func() {
								defer callers.Done()
								if _, err := s.Token(context.Background()); err != nil {
									t.Error(err)
								}
							})
						}
					}))
				if err != nil {
					t.Fatal(err)
				}
				_, _ = s.Token(t.Context())
				callers.Wait()
				time.Sleep(time.Minute)
				if e.requests != 2 {
					t.Fatalf("%d requests, want 2", e.requests)
				}
				_ = s.Close()
			}
		})
	}
}
