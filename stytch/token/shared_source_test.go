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

	"github.com/stytchkit/m2m/stytch/secret"
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

// clientEndpoint issues tokens to the logins that it accepts, and refuses all others.
type clientEndpoint struct {
	mintingEndpoint
	accepts func(id, secret string) bool
}

func (e *clientEndpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	if !e.accepts(r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")) {
		return &http.Response{StatusCode: 401, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"error":"invalid_client"}`))}, nil
	}
	return e.mintingEndpoint.RoundTrip(r)
}

func sourceOf(t *testing.T, e http.RoundTripper, store Store, c Credentials) *Source {
	t.Helper()
	s, err := New("project-test-1", c, WithHTTPClient(&http.Client{Transport: e}), WithStore(store))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Credentials that change while a token is requested: the token belongs to the credential that
// obtained it, so the store keeps it there, and a secret that Stytch has refused does not read it.
func TestStoredUnderTheLoginThatObtainedIt(t *testing.T) {
	refused := Credential{ClientID: "m2m-client-test-1", Secret: secret.Generate()}
	for name, good := range map[string]Credential{
		"another client":      {ClientID: "m2m-client-test-2", Secret: secret.Generate()},
		"another secret":      {ClientID: refused.ClientID, Secret: secret.Generate()},
		"next secret":         {ClientID: refused.ClientID, Secret: refused.Secret, Next: secret.Generate()},
		"both are other ones": {ClientID: "m2m-client-test-2", Secret: secret.Generate(), Next: secret.Generate()},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				right := good.Secret
				if !good.Next.IsZero() {
					right = good.Next
				}
				store := newMemStore()
				e := &clientEndpoint{accepts: func(id, secret string) bool { return id == good.ClientID && secret == right.Reveal() }}
				changing := func() Credentials {
					var reads atomic.Int64
					return Func(func(context.Context) (Credential, error) {
						if reads.Add(1) == 1 {
							return refused, nil
						}
						return good, nil
					})
				}
				// Every process of a fleet learns of the change in the same way; one mints.
				var group sync.WaitGroup
				for range 8 {
					group.Go(func() {
						if got, err := sourceOf(t, e, store, changing()).Token(t.Context()); err != nil || got.Value.Reveal() != "token-1" {
							t.Errorf("%v, or another token", err)
						}
					})
				}
				group.Wait()
				if n := e.n.Load(); n != 1 {
					t.Errorf("%d tokens minted, want 1", n)
				}
				if got, err := sourceOf(t, e, store, Static(good.ClientID, right)).Token(t.Context()); err != nil || got.Value.Reveal() != "token-1" {
					t.Errorf("%v, or another token: it is not where its own login looks", err)
				}
				leaked := sourceOf(t, e, store, Static(refused.ClientID, refused.Secret))
				if got, err := leaked.Token(t.Context()); !errors.Is(err, ErrInvalidClient) || !got.Value.IsZero() {
					t.Errorf("a refused secret reads a token: error %v", err)
				}
				thief := wanted{baseURL: "https://test.stytch.com", project: "project-test-1", logins: []login{{refused.ClientID, refused.Secret}}}
				for _, id := range []string{refused.ClientID, good.ClientID} {
					thief.logins[0].id = id
					for _, stored := range store.entries {
						e := testEntry(t, thief)
						if _, err := e.open(stored.value, time.Now()); err == nil {
							t.Errorf("a refused secret decrypts the token of %s", good.ClientID)
						}
					}
				}
			})
		})
	}
}

// A secret that no key can be derived from makes sharing impossible. That is found when the source
// is made, if the secret is known by then, and otherwise reported once and counted.
func TestWeakSecretWithStore(t *testing.T) {
	const weak = "Correct-Horse-9"
	strong := secret.Generate()
	id := "m2m-client-test-1"
	t.Setenv("STYTCH_CLIENT_ID", id)
	t.Setenv("STYTCH_CLIENT_SECRET", weak)
	for name, c := range map[string]Credentials{
		"static": Static(id, secret.New(weak)), "static, next": Static(id, strong, secret.New(weak)), "environment": Env(),
	} {
		if _, err := New("project-test-1", c, WithStore(newMemStore())); !errors.Is(err, ErrInvalidArgument) || !strings.Contains(err.Error(), "WithStore") || strings.Contains(err.Error(), weak) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := New("project-test-1", c, WithStore(newMemStore(), secret.Generate())); err != nil {
			t.Errorf("%s, with a key: %v", name, err)
		}
		if _, err := New("project-test-1", c); err != nil {
			t.Errorf("%s, without a store: %v", name, err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		var seen []error
		e, store := &mintingEndpoint{}, newMemStore()
		s, err := New("project-test-1", Func(func(context.Context) (Credential, error) {
			return Credential{ClientID: id, Secret: secret.New(weak)}, nil
		}),
			WithHTTPClient(&http.Client{Transport: e}), WithStore(store),
			WithObserver(func(_ context.Context, event Event) {
				if event.Kind == StoreFailed {
					seen = append(seen, event.Err)
				}
			}))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for i := range 5 {
			if _, err := s.TokenFor(t.Context(), Request{Scopes: []string{fmt.Sprint(i)}}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if len(seen) != 1 || !errors.Is(seen[0], ErrStoreKey) || s.Stats().StoreFailures < 5 || store.count("") != 0 {
			t.Errorf("%d events: %v; %+v", len(seen), seen, s.Stats())
		}
	})
}

// A store that refuses is no outage: the observer learns of it once, as what it is, and again only
// after the store has worked.
func TestStoreThatRefuses(t *testing.T) {
	for name, refusal := range map[string]error{"refused": fmt.Errorf("redis: NOPERM: %w", ErrStoreRefused), "misused": invalid("Put", "life")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var seen []error
				e, store := &mintingEndpoint{}, newMemStore()
				s := sharing(t, e, store, WithObserver(func(_ context.Context, event Event) {
					if event.Kind == StoreFailed {
						seen = append(seen, event.Err)
					}
				}))
				ask := func(n int) {
					for range n {
						if _, err := s.TokenFor(t.Context(), Request{Scopes: []string{fmt.Sprint(e.n.Load())}}); err != nil {
							t.Fatal(err)
						}
						time.Sleep(time.Minute)
					}
				}
				store.setFail(func(string) error { return refusal })
				ask(10)
				if len(seen) != 1 || !errors.Is(seen[0], ErrStoreRefused) || errors.Is(seen[0], ErrStore) || s.Stats().StoreFailures != 10 {
					t.Errorf("%v, %+v", seen, s.Stats())
				}
				store.setFail(nil)
				ask(1)
				store.setFail(func(string) error { return refusal })
				ask(3)
				if len(seen) != 2 {
					t.Errorf("reported %d times, want again after the store had worked", len(seen))
				}
			})
		})
	}
}
