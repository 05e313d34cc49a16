package verify_test

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

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/verify"
)

// A keyServer answers in memory, so that the time of a synctest bubble can pass while a fetch is
// in progress.
type keyServer struct {
	mu      sync.Mutex
	body    []byte
	status  int // 0: the connection is refused
	header  http.Header
	latency time.Duration
	fetches atomic.Int64
	last    *http.Request
}

func newKeyServer(body []byte) *keyServer {
	return &keyServer{body: body, status: 200, latency: 5 * time.Millisecond}
}

func (s *keyServer) set(body []byte, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.body, s.status = body, status
}

func (s *keyServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.fetches.Add(1)
	s.mu.Lock()
	body, status, header := s.body, s.status, s.header // as they are when the request arrives
	s.last = r
	s.mu.Unlock()
	select {
	case <-time.After(s.latency):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(string(body))), Request: r}, nil
}

func (s *keyServer) client() *http.Client { return &http.Client{Transport: s} }

// named is a signer whose key goes by another id.
func (k signer) named(kid string) signer { return signer{kid, k.private} }

func TestLazy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSigner(t)
		s := newKeyServer(k.jwks())
		v := newVerifier(t, verify.WithHTTPClient(s.client()))
		for _, token := range []string{"", "a.b.c", k.named("").sign(t, claimsAt(time.Now()))} {
			if _, err := v.Verify(t.Context(), token); !errors.Is(err, verify.ErrMalformed) {
				t.Error(err)
			}
		}
		if n := s.fetches.Load(); n != 0 {
			t.Errorf("%d fetches before a token needed a key", n)
		}
		token := k.sign(t, claimsAt(time.Now()))
		var tasks sync.WaitGroup
		for range 100 {
			tasks.Go(func() {
				if _, err := v.Verify(t.Context(), token); err != nil {
					t.Error(err)
				}
			})
		}
		tasks.Wait()
		if n := s.fetches.Load(); n != 1 || s.last.URL.String() != "https://test.stytch.com/v1/sessions/jwks/"+project || s.last.Header.Get("Authorization") != "" {
			t.Errorf("%d fetches for 100 cold callers, the last from %v", n, s.last.URL)
		}
	})
}

// A token that expires while its key is fetched has expired.
func TestExpiresWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSigner(t)
		next := k.named("jwk-test-2")
		s := newKeyServer(next.jwks())
		s.latency = 3 * time.Second
		for name, options := range map[string][]verify.Option{"no keys": nil, "other keys": {verify.WithKeys(k.jwks())}} {
			v := newVerifier(t, append(options, verify.WithHTTPClient(s.client()), verify.WithLeeway(0))...)
			token := next.sign(t, claimsAt(time.Now(), "exp", time.Now().Unix()+2))
			if _, err := v.Verify(t.Context(), token); !errors.Is(err, verify.ErrExpired) {
				t.Errorf("%s: %v", name, err)
			}
			v.Close()
		}
	})
}

func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSigner(t)
		s := newKeyServer(k.jwks())
		v := newVerifier(t, verify.WithHTTPClient(s.client()))
		old := k.sign(t, claimsAt(time.Now()))
		if _, err := v.Verify(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		// A made-up key id right before the real rotation.
		if _, err := v.Verify(t.Context(), k.named("bogus").sign(t, claimsAt(time.Now()))); !errors.Is(err, verify.ErrUnknownKey) {
			t.Fatal(err)
		}
		before := s.fetches.Load()
		s.set(k.jwks("jwk-test-2"), 200)
		began := time.Now()
		token := k.named("jwk-test-2").sign(t, claimsAt(time.Now()))
		var tasks sync.WaitGroup
		for range 64 {
			tasks.Go(func() {
				if _, err := v.Verify(t.Context(), token); err != nil {
					t.Error(err)
				}
			})
		}
		tasks.Wait()
		if n, took := s.fetches.Load()-before, time.Since(began); n != 1 || took > 2*time.Second {
			t.Errorf("%d fetches in %v for 64 callers with a new key, want 1 and no wait", n, took)
		}
		// The old key is taken out. 15 min after the last download that had it, its tokens are
		// refused, also those that were remembered.
		if _, err := v.Verify(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		s.set(k.named("jwk-test-2").jwks(), 200)
		time.Sleep(12 * time.Minute)
		v.Verify(t.Context(), token)
		synctest.Wait()
		time.Sleep(time.Second)
		if _, err := v.Verify(t.Context(), old); err != nil {
			t.Errorf("token of a key that one download lacks: %v", err)
		}
		time.Sleep(3 * time.Minute)
		if _, err := v.Verify(t.Context(), old); !errors.Is(err, verify.ErrUnknownKey) {
			t.Errorf("token of a removed key: %v", err)
		}
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Error(err)
		}
	})
}

// A fetch that began before the rotation cannot bring the new key: a caller that joined it gets
// another one.
func TestRotationDuringFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSigner(t)
		s := newKeyServer(k.jwks())
		v := newVerifier(t, verify.WithHTTPClient(s.client()))
		v.Verify(t.Context(), k.sign(t, claimsAt(time.Now())))
		s.latency = time.Second
		go v.Verify(t.Context(), k.named("bogus").sign(t, claimsAt(time.Now())))
		time.Sleep(500 * time.Millisecond)
		s.set(k.jwks("jwk-test-2"), 200)
		if _, err := v.Verify(t.Context(), k.named("jwk-test-2").sign(t, claimsAt(time.Now()))); err != nil {
			t.Error(err)
		}
		if n := s.fetches.Load(); n != 3 {
			t.Errorf("%d fetches, want 3", n)
		}
	})
}

func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSigner(t)
		s := newKeyServer(k.jwks())
		var failures atomic.Int64
		v := newVerifier(t, verify.WithHTTPClient(s.client()), verify.WithObserver(func(_ context.Context, r verify.Event) {
			if r.Kind == verify.TokenRefused {
				return
			}
			if r.Kind != verify.KeySetFetched || r.Keys != 1 {
				t.Errorf("%+v", r)
			}
			if r.Err != nil {
				failures.Add(1)
			}
		}))
		fresh := func() string { return k.sign(t, claimsAt(time.Now())) }
		v.Verify(t.Context(), fresh())
		s.set(nil, 503)
		for range 23 * 12 {
			time.Sleep(5 * time.Minute)
			began := time.Now()
			if _, err := v.Verify(t.Context(), fresh()); err != nil || time.Since(began) > 0 {
				t.Fatalf("a good token in an outage: %v after %v", err, time.Since(began))
			}
		}
		_, err := v.Verify(t.Context(), k.named("new").sign(t, claimsAt(time.Now())))
		if !errors.Is(err, verify.ErrKeysUnavailable) || errors.Is(err, verify.ErrUnknownKey) {
			t.Errorf("an unknown key in an outage: %v", err)
		}
		if n := failures.Load(); n < 200 || n != s.fetches.Load()-1 {
			t.Errorf("%d failures observed of %d fetches", n, s.fetches.Load())
		}
		time.Sleep(65 * time.Minute)
		if _, err := v.Verify(t.Context(), fresh()); !errors.Is(err, verify.ErrKeysUnavailable) {
			t.Errorf("after more than 24 h: %v", err)
		}
		s.set(k.jwks(), 200)
		time.Sleep(time.Minute)
		if _, err := v.Verify(t.Context(), fresh()); err != nil {
			t.Errorf("after the outage: %v", err)
		}
	})
}

func TestUnusableAnswers(t *testing.T) {
	for name, answer := range map[string]struct {
		body   string
		status int
	}{
		"connection refused": {"", 0}, "empty": {"", 200}, "html": {"<html>" + canary, 200}, "no keys": {`{"keys":[]}`, 200},
		"redirect": {"", 302}, "created": {"", 201}, "too large": {strings.Repeat(" ", 300<<10), 200},
	} {
		synctest.Test(t, func(t *testing.T) {
			k := newSigner(t)
			s := newKeyServer([]byte(answer.body))
			s.status, s.header = answer.status, http.Header{"Location": {"https://" + canary + "/"}}
			v := newVerifier(t, verify.WithHTTPClient(s.client()))
			token := k.sign(t, claimsAt(time.Now()))
			_, err := v.Verify(t.Context(), token)
			if !errors.Is(err, verify.ErrKeysUnavailable) || strings.Contains(err.Error(), canary) {
				t.Errorf("%s: %v", name, err)
			}
			for range 1000 { // within the pause after a failure
				if _, err := v.Verify(t.Context(), token); !errors.Is(err, verify.ErrKeysUnavailable) {
					t.Fatalf("%s: %v", name, err)
				}
			}
			if n := s.fetches.Load(); n != 1 {
				t.Errorf("%s: %d fetches", name, n)
			}
			s.set(k.jwks(), 200)
			time.Sleep(1300 * time.Millisecond)
			if _, err := v.Verify(t.Context(), token); err != nil {
				t.Errorf("%s: after the pause: %v", name, err)
			}
		})
	}
}

func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSigner(t)
		s := newKeyServer(k.jwks())
		v := newVerifier(t, verify.WithHTTPClient(s.client()))
		good := k.sign(t, claimsAt(time.Now()))
		v.Verify(t.Context(), good)
		rest := good[strings.Index(good, "."):]
		var bogus atomic.Int64
		seconds := heavy.Count(31, 60)
		each := heavy.Count(1600, 10_000)
		for range seconds {
			second := time.Now()
			var tasks sync.WaitGroup
			for range 16 {
				tasks.Go(func() {
					for range each / 16 { // the signature is never looked at
						header := fmt.Sprintf(`{"alg":"RS256","kid":"bogus-%d"}`, bogus.Add(1))
						if _, err := v.Verify(t.Context(), part(header)+rest); !isAny(err, []error{verify.ErrUnknownKey, verify.ErrKeysUnavailable}) {
							t.Error(err)
						}
					}
				})
			}
			began := time.Now()
			if _, err := v.Verify(t.Context(), good); err != nil || time.Since(began) > 0 {
				t.Errorf("a good token in the flood: %v after %v", err, time.Since(began))
			}
			tasks.Wait()
			time.Sleep(time.Second - time.Since(second))
		}
		if n := int(s.fetches.Load()); n > 3+seconds/10 {
			t.Errorf("%d fetches in %d s, want at most the burst of 3 and one more every 10 s", n, seconds)
		}
	})
}

// A new key after a flood of made-up ids: as long as its id was not looked for, that is not the
// token's fault.
func TestNewKeyAfterFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSigner(t)
		s := newKeyServer(k.jwks())
		v := newVerifier(t, verify.WithHTTPClient(s.client()))
		h := v.Require()(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		good := k.sign(t, claimsAt(time.Now()))
		v.Verify(t.Context(), good)
		for i := range 100 {
			v.Verify(t.Context(), part(fmt.Sprintf(`{"alg":"RS256","kid":"bogus-%d"}`, i))+good[strings.Index(good, "."):])
		}
		s.set(k.jwks("jwk-test-2"), 200)
		token := "Bearer " + k.named("jwk-test-2").sign(t, claimsAt(time.Now()))
		w := askGuard(h, http.MethodGet, token)
		if w.Code != 503 || w.Header().Get("Retry-After") == "" || w.Header().Get("WWW-Authenticate") != "" {
			t.Errorf("%d %v", w.Code, w.Header())
		}
		time.Sleep(10 * time.Second)
		if w := askGuard(h, http.MethodGet, token); w.Code != 200 {
			t.Errorf("%d %v after 10 s", w.Code, w.Header())
		}
	})
}

// One made-up id that is sent again and again uses up no more than what is refilled.
func TestStubbornKeyID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSigner(t)
		s := newKeyServer(k.jwks())
		v := newVerifier(t, verify.WithHTTPClient(s.client()))
		v.Verify(t.Context(), k.sign(t, claimsAt(time.Now())))
		bogus := k.named("bogus").sign(t, claimsAt(time.Now()))
		for range 300 {
			v.Verify(t.Context(), bogus)
			time.Sleep(100 * time.Millisecond)
		}
		if n := s.fetches.Load(); n > 5 {
			t.Errorf("%d fetches in half a minute", n)
		}
		s.set(k.jwks("jwk-test-2"), 200)
		if _, err := v.Verify(t.Context(), k.named("jwk-test-2").sign(t, claimsAt(time.Now()))); err != nil {
			t.Errorf("a new key meanwhile: %v", err)
		}
	})
}

func TestWaitEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSigner(t)
		s := newKeyServer(k.jwks())
		s.latency = 3 * time.Second
		v := newVerifier(t, verify.WithHTTPClient(s.client()))
		token := k.sign(t, claimsAt(time.Now()))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := v.Verify(ctx, token)
		if !errors.Is(err, verify.ErrKeysUnavailable) || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 20*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		// The fetch goes on for those who come later, and none of them starts another.
		if _, err := v.Verify(t.Context(), token); err != nil || s.fetches.Load() != 1 {
			t.Errorf("%v after %d fetches", err, s.fetches.Load())
		}
	})
}

// A token is judged by the time at which its key is there, not by that at which the call began.
func TestTimeAfterWaitingForKeys(t *testing.T) {
	for name, test := range map[string]struct {
		claims []any // seconds from the start of the call; the key is there after 3 s
		checks []verify.Check
		want   error
	}{
		"expires meanwhile":       {[]any{"exp", 2}, nil, verify.ErrExpired},
		"becomes valid meanwhile": {[]any{"nbf", 2}, nil, nil},
		"too old meanwhile":       {nil, []verify.Check{verify.MaxAge(2 * time.Second)}, verify.ErrTooOld},
	} {
		synctest.Test(t, func(t *testing.T) {
			k := newSigner(t)
			s := newKeyServer(k.jwks())
			s.latency = 3 * time.Second
			v := newVerifier(t, verify.WithHTTPClient(s.client()), verify.WithLeeway(0))
			claims := claimsAt(time.Now())
			for i := 0; i < len(test.claims); i += 2 {
				claims[test.claims[i].(string)] = time.Now().Unix() + int64(test.claims[i+1].(int))
			}
			if _, err := v.Verify(t.Context(), k.sign(t, claims), test.checks...); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("%s: %v, want %v", name, err, test.want)
			}
		})
	}
}

func TestSlowServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSigner(t)
		s := newKeyServer(k.jwks())
		s.latency = time.Hour
		v := newVerifier(t, verify.WithHTTPClient(s.client()))
		began := time.Now()
		_, err := v.Verify(t.Context(), k.sign(t, claimsAt(began)))
		if !errors.Is(err, verify.ErrKeysUnavailable) || time.Since(began) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSigner(t)
		s := newKeyServer(k.jwks())
		v := newVerifier(t, verify.WithHTTPClient(s.client()))
		token := k.sign(t, claimsAt(time.Now()))
		s.latency = time.Hour
		done := make(chan error)
		go func() {
			_, err := v.Verify(t.Context(), token)
			done <- err
		}()
		synctest.Wait()
		began := time.Now()
		if err := v.Close(); err != nil || time.Since(began) > 0 {
			t.Errorf("Close: %v after %v", err, time.Since(began))
		}
		if err := <-done; !errors.Is(err, verify.ErrKeysUnavailable) {
			t.Error(err)
		}
		if err := v.Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, verify.ErrKeysUnavailable) || s.fetches.Load() != 1 {
			t.Errorf("after Close: %v, %d fetches", err, s.fetches.Load())
		}
	})
}

func TestSeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSigner(t)
		s := newKeyServer(k.named("jwk-test-2").jwks())
		v := newVerifier(t, verify.WithHTTPClient(s.client()), verify.WithKeys(k.jwks()), verify.WithJWKSURL("https://keys.example.com/jwks"))
		began := time.Now()
		if _, err := v.Verify(t.Context(), k.sign(t, claimsAt(began))); err != nil || time.Since(began) > 0 {
			t.Errorf("with keys to start with: %v after %v", err, time.Since(began))
		}
		time.Sleep(time.Second)
		if _, err := v.Verify(t.Context(), k.sign(t, claimsAt(began))); !errors.Is(err, verify.ErrUnknownKey) {
			t.Errorf("after the refresh: %v", err)
		}
		if s.last.URL.String() != "https://keys.example.com/jwks" {
			t.Error(s.last.URL)
		}
	})
}
