package token

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// mintingEndpoint issues numbered tokens for an hour.
type mintingEndpoint struct{ n atomic.Int64 }

func (e *mintingEndpoint) RoundTrip(*http.Request) (*http.Response, error) {
	body := fmt.Sprintf(`{"access_token":"token-%d","expires_in":3600,"token_type":"bearer"}`, e.n.Add(1))
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func sharing(t *testing.T, e *mintingEndpoint, store Store, options ...Option) *Source {
	t.Helper()
	s, err := New("project-test-1", Static("m2m-client-test-1", clientSecret), append(options, WithHTTPClient(&http.Client{Transport: e}), WithStore(store))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// A fleet mints one token a lifetime, and what one process knows to be refused another one does not
// hand back to it.
func TestSourcesShareTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, store := &mintingEndpoint{}, newMemStore()
		var fleet []*Source
		for range 8 {
			fleet = append(fleet, sharing(t, e, store))
		}
		ask := func() (texts map[string]int) {
			texts = map[string]int{}
			var mu sync.Mutex
			var group sync.WaitGroup
			for _, s := range fleet {
				for range 16 {
					group.Go(func() {
						got, err := s.Token(t.Context())
						if err != nil {
							t.Error(err)
						}
						mu.Lock()
						defer mu.Unlock()
						texts[got.Value.Reveal()]++
					})
				}
			}
			group.Wait()
			return texts
		}
		if got := ask(); got["token-1"] != 128 || e.n.Load() != 1 {
			t.Errorf("%v, %d minted", got, e.n.Load())
		}
		var minted, taken uint64
		for _, s := range fleet {
			minted, taken = minted+s.Stats().Minted, taken+s.Stats().FromStore
		}
		if minted != 1 || taken != 7 {
			t.Errorf("the meters say %d minted and %d taken", minted, taken)
		}
		refused, _ := fleet[0].Token(t.Context())
		for _, s := range fleet {
			s.Invalidate(refused)
		}
		if got := ask(); got["token-2"] != 128 || e.n.Load() != 2 {
			t.Errorf("%v, %d minted", got, e.n.Load())
		}
		for range 10 {
			time.Sleep(55 * time.Minute)
			ask() // refreshes in the background
			time.Sleep(time.Second)
			ask()
		}
		if e.n.Load() != 12 {
			t.Errorf("%d minted in 11 lifetimes", e.n.Load())
		}
	})
}

// Another scope or another parameter is another token in the store too.
func TestSharedKeysDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, store := &mintingEndpoint{}, newMemStore()
		seen := map[string]bool{}
		for _, options := range [][]Option{
			nil, {WithScopes("a")}, {WithScopes("a", "b")}, {WithParameters(map[string]string{"a": "b"})}, {WithBaseURL("https://login.example.com")},
		} {
			got, err := sharing(t, e, store, options...).Token(t.Context())
			if err != nil || seen[got.Value.Reveal()] {
				t.Errorf("%v, or a token of another key", err)
			}
			seen[got.Value.Reveal()] = true
		}
		if _, err := sharing(t, e, store, WithScopes("b", "a", "b")).Token(t.Context()); err != nil || e.n.Load() != 5 {
			t.Errorf("%v, %d minted", err, e.n.Load())
		}
	})
}

// A store that fails costs no call its token, and the observer sees it.
func TestSourceOutlivesItsStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, store := &mintingEndpoint{}, newMemStore()
		store.setFail(func(string) error { return errStoreDown })
		var seen atomic.Int64
		s := sharing(t, e, store, WithObserver(func(_ context.Context, event Event) {
			if event.Kind == StoreFailed && errors.Is(event.Err, ErrStore) {
				seen.Add(1)
			}
		}))
		if _, err := s.Token(t.Context()); err != nil || seen.Load() == 0 || s.Stats().Failures != 0 {
			t.Errorf("%v, %d reports", err, seen.Load())
		}
	})
}
