package verify_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/verify"
)

// events collects what an observer is called with.
type events struct {
	mu  sync.Mutex
	all []verify.Event
}

func (e *events) observe(_ context.Context, event verify.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, event)
}

// next returns the only event since the last call.
func (e *events) next(t *testing.T) verify.Event {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.all) != 1 {
		t.Fatalf("%d events, want 1: %+v", len(e.all), e.all)
	}
	event := e.all[0]
	e.all = nil
	return event
}

// Every refusal is reported once, with all that is known and nothing that is not verified, and
// counted.
func TestRefusals(t *testing.T) {
	k := newSigner(t)
	own := errors.New("not today")
	var seen events
	offline := []verify.Option{verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart), verify.WithObserver(seen.observe)}
	m2m := newVerifier(t, append(offline, verify.WithClientIDs("billing"))...)
	apps := newVerifier(t, append(offline, verify.WithConnectedApps("connected-app-test-1"))...)
	sign := func(pairs ...any) string { return k.sign(t, claimsAt(start, append(pairs, "canary", canary)...)) }
	good := sign()
	header := func(n int) string { // of n bytes
		const start, end = `{"alg":"none","kid":"x","pad":"`, `"}`
		return start + strings.Repeat("p", n-len(start)-len(end)) + end
	}
	check := func(err error) []verify.Check {
		return []verify.Check{func(verify.Claims, time.Time) error { return err }}
	}
	kid := k.kid
	want := map[string]uint64{}
	for _, test := range []struct {
		name   string
		v      *verify.Verifier
		token  string
		checks []verify.Check
		want   verify.Refusal
	}{
		{"expired", m2m, sign("iat", 1_000_000_000, "exp", 1_000_003_600), nil, verify.Refusal{Reason: "expired", KeyID: kid, Kind: verify.M2M, ClientID: client, Subject: client}},
		{"from the future", m2m, sign("nbf", start.Unix()+3000), nil, verify.Refusal{Reason: "not_yet_valid", KeyID: kid, Kind: verify.M2M, ClientID: client, Subject: client}},
		{"client", m2m, sign("sub", "shipping"), nil, verify.Refusal{Reason: "kind", KeyID: kid, Kind: verify.M2M, ClientID: "shipping", Subject: "shipping"}},
		{"session", m2m, sign("sub", "user-test-1", "https://stytch.com/session", 1), nil, verify.Refusal{Reason: "kind", KeyID: kid, Kind: verify.Session, ClientID: "user-test-1", Subject: "user-test-1"}},
		{"application", m2m, sign("sub", "user-test-1", "client_id", "connected-app-test-1"), nil, verify.Refusal{Reason: "kind", KeyID: kid, Kind: verify.ConnectedApp, ClientID: "connected-app-test-1", Subject: "user-test-1"}},
		{"user", m2m, sign("sub", "user-test-1"), nil, verify.Refusal{Reason: "kind", KeyID: kid, ClientID: "user-test-1", Subject: "user-test-1"}},
		{"audience", m2m, sign("aud", "other"), nil, verify.Refusal{Reason: "audience", KeyID: kid, Kind: verify.M2M, ClientID: client, Subject: client}},
		{"issuer", m2m, sign("iss", "other"), nil, verify.Refusal{Reason: "issuer", KeyID: kid, Kind: verify.M2M, ClientID: client, Subject: client}},
		{"lifetime", m2m, sign("exp", start.Unix()+9000), nil, verify.Refusal{Reason: "lifetime", KeyID: kid, Kind: verify.M2M, ClientID: client, Subject: client}},
		{"no scope claim", m2m, sign("scope", nil), nil, verify.Refusal{Reason: "malformed", KeyID: kid, Kind: verify.M2M, ClientID: client, Subject: client}},
		{"scope", m2m, good, []verify.Check{verify.AllScopes("admin")}, verify.Refusal{Reason: "scope", KeyID: kid, Kind: verify.M2M, ClientID: client, Subject: client}},
		{"too old", m2m, good, []verify.Check{verify.MaxAge(-1)}, verify.Refusal{Reason: "too_old", KeyID: kid, Kind: verify.M2M, ClientID: client, Subject: client}},
		{"own check", m2m, good, check(own), verify.Refusal{Reason: "check", KeyID: kid, Kind: verify.M2M, ClientID: client, Subject: client}},
		{"canceled check", m2m, good, check(context.Canceled), verify.Refusal{Reason: "canceled", KeyID: kid, Kind: verify.M2M, ClientID: client, Subject: client}},
		{"nil check", m2m, good, []verify.Check{nil}, verify.Refusal{Reason: "misuse", KeyID: kid, Kind: verify.M2M, ClientID: client, Subject: client}},
		{"M2M as application", apps, good, nil, verify.Refusal{Reason: "kind", KeyID: kid, Kind: verify.M2M, ClientID: client, Subject: client}},
		{"bad signature", m2m, good[:len(good)-8] + "AAAAAAAA", nil, verify.Refusal{Reason: "signature", KeyID: kid}},
		{"unknown key", m2m, k.named("other\nkey "+strings.Repeat("k", 200)).signText(t, `{"alg":"RS256","kid":"other\nkey `+strings.Repeat("k", 200)+`"}`, "{}"), nil,
			verify.Refusal{Reason: "unknown_key", KeyID: "other key " + strings.Repeat("k", 51) + "…"}},
		{"algorithm", m2m, k.signText(t, `{"alg":"none","kid":"x"}`, "{}"), nil, verify.Refusal{Reason: "algorithm", KeyID: "x"}},
		{"longest header that is read", m2m, k.signText(t, header(3072), "{}"), nil, verify.Refusal{Reason: "algorithm", KeyID: "x"}},
		{"longer header", m2m, k.signText(t, header(3073), "{}"), nil, verify.Refusal{Reason: "algorithm"}},
		{"header alone", m2m, part(header(100)), nil, verify.Refusal{Reason: "malformed"}},
		{"no token", m2m, canary, nil, verify.Refusal{Reason: "malformed"}},
		{"garbage", m2m, canary + "." + canary + "." + canary, nil, verify.Refusal{Reason: "malformed"}},
		{"huge", m2m, strings.Repeat("A", 1<<20) + ".e30.e30", nil, verify.Refusal{Reason: "malformed"}},
	} {
		for range 2 { // the second time, a good token is remembered
			_, err := test.v.Verify(t.Context(), test.token, test.checks...)
			e := seen.next(t)
			if err == nil || e.Kind != verify.TokenRefused || e.Err != err || !reflect.DeepEqual(e.Refusal, test.want) {
				t.Errorf("%s: %+v\nwant %+v", test.name, e, test.want)
			}
			if strings.Contains(fmt.Sprintf("%+v", e), canary) {
				t.Errorf("%s: the event shows the token: %+v", test.name, e)
			}
			if test.v == m2m {
				want[test.want.Reason]++
			}
		}
	}
	if _, err := m2m.Verify(t.Context(), good); err != nil || len(seen.all) != 0 {
		t.Errorf("a good token: %v, %+v", err, seen.all)
	}
	if s := m2m.Stats(); !reflect.DeepEqual(s.Refused, want) || s.ObserverPanics != 0 {
		t.Errorf("%+v\nwant %v", s, want)
	}
}

// Middleware and VerifyHeader report requests without a token, with the context of the request.
func TestRefusedRequests(t *testing.T) {
	type key struct{}
	k := newSigner(t)
	var seen events
	v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithObserver(func(ctx context.Context, e verify.Event) {
		if ctx.Value(key{}) != "request" {
			t.Error("the observer did not get the context of the request")
		}
		seen.observe(ctx, e)
	}))
	token := "Bearer " + k.sign(t, claimsAt(time.Now()))
	h := v.Require("admin")(http.NotFoundHandler())
	ctx := context.WithValue(t.Context(), key{}, "request")
	for _, test := range []struct {
		values []string
		want   string
	}{
		{nil, "no_token"}, {[]string{"Basic " + canary}, "no_token"}, {[]string{"Bearer"}, "invalid_request"}, {[]string{token, token}, "invalid_request"},
		{[]string{"Bearer " + canary}, "malformed"}, {[]string{token}, "scope"},
	} {
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
		r.Header["Authorization"] = test.values
		h.ServeHTTP(httptest.NewRecorder(), r)
		if e := seen.next(t); e.Refusal.Reason != test.want || e.Err == nil {
			t.Errorf("%v: %+v", test.want, e)
		}
		if _, err := v.VerifyHeader(ctx, test.values, verify.AllScopes("admin")); err == nil {
			t.Error("accepted")
		}
		if e := seen.next(t); e.Refusal.Reason != test.want || strings.Contains(fmt.Sprintf("%+v", e), canary) {
			t.Errorf("%v: %+v", test.want, e)
		}
	}
	if claims, err := v.VerifyHeader(ctx, []string{token}); err != nil || claims.ClientID != client {
		t.Error(err)
	}
	if n := v.Stats().Refused["no_token"]; n != 4 {
		t.Errorf("%d requests without a token were counted", n)
	}
}

// A panic of an observer ends neither the request nor the process.
func TestObserverPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newSigner(t)
		s := newKeyServer(k.jwks())
		v := newVerifier(t, verify.WithHTTPClient(s.client()), verify.WithObserver(func(context.Context, verify.Event) { panic(canary) }))
		for range 2 {
			if _, err := v.Verify(t.Context(), k.sign(t, claimsAt(time.Now()))); err != nil {
				t.Error(err)
			}
			if _, err := v.Verify(t.Context(), "x"); !errors.Is(err, verify.ErrMalformed) {
				t.Error(err)
			}
		}
		v.Close()
		if n := v.Stats().ObserverPanics; n != 3 { // one fetch and two refusals
			t.Errorf("%d panics were counted, want 3", n)
		}
	})
}

type panics struct{}

func (panics) Error() string { panic("an error that panics") }

// Whatever the function does, a client counts as active only if it says so, and no caller waits for
// ever.
func TestActiveCheckPanics(t *testing.T) {
	for name, test := range map[string]struct {
		check func(context.Context, string) (bool, error)
		want  string
		stack bool
	}{
		"panic":          {func(context.Context, string) (bool, error) { panic("no\nroute") }, "WithActiveCheck panicked: no route", true},
		"nil panic":      {func(context.Context, string) (bool, error) { return *(*bool)(nil), nil }, "WithActiveCheck panicked: runtime error", true},
		"error panics":   {func(context.Context, string) (bool, error) { return true, panics{} }, "WithActiveCheck panicked: an error", true},
		"goroutine over": {func(context.Context, string) (bool, error) { runtime.Goexit(); return true, nil }, "ended its goroutine", false},
	} {
		synctest.Test(t, func(t *testing.T) {
			var seen events
			k := newSigner(t)
			v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithActiveCheck(test.check), verify.WithObserver(seen.observe))
			for range 2 {
				began := time.Now()
				_, err := v.Verify(t.Context(), k.sign(t, claimsAt(time.Now())))
				if !errors.Is(err, verify.ErrCheckUnavailable) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") || time.Since(began) > 0 {
					t.Errorf("%s: %v", name, err)
				}
				time.Sleep(2 * time.Second)
			}
			v.Close()
			stacks := 0
			for _, e := range seen.all {
				if e.Kind == verify.Panicked && strings.Contains(e.Stack, "observe_test.go") && errors.Is(e.Err, verify.ErrCheckUnavailable) {
					stacks++
				}
			}
			if (stacks == 2) != test.stack || v.Stats().Refused["check_unavailable"] != 2 {
				t.Errorf("%s: %d stacks, %+v", name, stacks, v.Stats())
			}
		})
	}
}

// A function that ignores its context holds up neither a caller nor Close.
func TestActiveCheckIgnoresContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		k := newSigner(t)
		v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(),
			verify.WithActiveCheck(func(context.Context, string) (bool, error) { <-release; return true, nil }))
		began := time.Now()
		for range 2 { // the second caller does not wait, and asks no second time
			if _, err := v.Verify(t.Context(), k.sign(t, claimsAt(began))); !errors.Is(err, verify.ErrCheckUnavailable) || time.Since(began) != 6*time.Second {
				t.Errorf("%v after %v", err, time.Since(began))
			}
		}
		began = time.Now()
		if v.Close(); time.Since(began) != 2*time.Second {
			t.Errorf("Close took %v", time.Since(began))
		}
		close(release)
	})
}

// What a transport does wrong is a failed fetch, whose event has the stack of a panic.
func TestTransportPanics(t *testing.T) {
	for name, transport := range map[string]roundTrip{
		"panic":   func(*http.Request) (*http.Response, error) { panic("no\nroute") },
		"nothing": func(*http.Request) (*http.Response, error) { return nil, nil },
	} {
		var seen events
		v := newVerifier(t, verify.WithHTTPClient(&http.Client{Transport: transport}), verify.WithObserver(seen.observe))
		h := v.Require()(http.NotFoundHandler())
		if w := askGuard(h, http.MethodGet, "Bearer "+newSigner(t).sign(t, claimsAt(time.Now()))); w.Code != 503 {
			t.Errorf("%s: %d", name, w.Code)
		}
		v.Close()
		found := false
		for _, e := range seen.all {
			found = found || e.Kind == verify.KeySetFetched && e.Err != nil && strings.Contains(e.Stack, "observe_test.go") == (name == "panic")
		}
		if !found {
			t.Errorf("%s: %+v", name, seen.all)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
