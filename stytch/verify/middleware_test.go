package verify_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/verify"
)

const guardClient = "m2m-client-test-0b7a4c1e-0000-4000-8000-000000000001"

// guardClaims are those of a good token of the emulator's project.
func guardClaims(s *emulator.Server, scope string) map[string]any {
	now := time.Now().Unix()
	return map[string]any{
		"aud": []string{s.ProjectID}, "iss": "stytch.com/" + s.ProjectID, "sub": guardClient,
		"iat": now, "nbf": now, "exp": now + 3600, "scope": scope,
	}
}

func guardToken(tb testing.TB, s *emulator.Server, claims map[string]any) string {
	tb.Helper()
	token, err := s.Sign(claims)
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

func guardVerifier(tb testing.TB, s *emulator.Server, opts ...verify.Option) *verify.Verifier {
	tb.Helper()
	v, err := verify.New(s.ProjectID, append([]verify.Option{verify.WithBaseURL(s.URL)}, opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { v.Close() })
	return v
}

// whoami writes the client of the token that a request came with.
var whoami = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	claims, ok := verify.ClaimsFromContext(r.Context())
	if !ok {
		http.Error(w, "no claims", http.StatusTeapot)
		return
	}
	io.WriteString(w, claims.ClientID)
})

func askGuard(h http.Handler, method string, authorization ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://api.example.com/users", nil)
	for _, value := range authorization {
		r.Header.Add("Authorization", value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func inactive(context.Context, string) (bool, error) { return false, nil }

func refuseAll(verify.Claims, time.Time) error { return errors.New("canary") }

func TestRequire(t *testing.T) {
	s := emulatortest.NewServer(t)
	v := guardVerifier(t, s)
	good := guardToken(t, s, guardClaims(s, "read:users"))
	past := guardClaims(s, "read:users")
	past["iat"], past["nbf"], past["exp"] = int64(1_000_000_000), int64(1_000_000_000), int64(1_000_003_600)
	expired := guardToken(t, s, past)

	const metadata = "https://api.example.com/.well-known/oauth-protected-resource"
	for _, test := range []struct {
		name          string
		middleware    func(http.Handler) http.Handler
		authorization []string
		status        int
		challenge     string
		code          string
	}{
		{"good", v.Require("read:users"), []string{"Bearer " + good}, 200, "", ""},
		{"good, no scopes asked", v.Require(), []string{"bearer " + good}, 200, "", ""},
		{"no token", v.Require(), nil, 401, `Bearer realm="api"`, "unauthorized"},
		{"no token, scopes asked", v.Require("a", "b"), nil, 401, `Bearer realm="api", scope="a b"`, "unauthorized"},
		{"other scheme", v.Require(), []string{"Basic abc"}, 401, `Bearer realm="api"`, "unauthorized"},
		{"malformed header", v.Require(), []string{"Bearer " + good + " x"}, 400,
			`Bearer realm="api", error="invalid_request", error_description="The authorization of the request is malformed."`, "invalid_request"},
		{"two headers", v.Require(), []string{"Bearer " + good, "Bearer " + good}, 400,
			`Bearer realm="api", error="invalid_request", error_description="The authorization of the request is malformed."`, "invalid_request"},
		{"not a JWT", v.Require(), []string{"Bearer canary"}, 401,
			`Bearer realm="api", error="invalid_token", error_description="The access token is malformed."`, "invalid_token"},
		{"bad signature", v.Require(), []string{"Bearer " + good[:len(good)-8] + "AAAAAAAA"}, 401,
			`Bearer realm="api", error="invalid_token", error_description="The access token is not valid."`, "invalid_token"},
		{"expired", v.Require(), []string{"Bearer " + expired}, 401,
			`Bearer realm="api", error="invalid_token", error_description="The access token has expired."`, "invalid_token"},
		{"scope missing", v.Require("read:users", "write:users"), []string{"Bearer " + good}, 403,
			`Bearer realm="api", error="insufficient_scope", error_description="The access token lacks a scope.", scope="read:users write:users"`, "insufficient_scope"},
		{"any scope", v.RequireAny("write:users", "read:users"), []string{"Bearer " + good}, 200, "", ""},
		{"no scope of any", v.RequireAny("write:users", "write:all"), []string{"Bearer " + good}, 403,
			`Bearer realm="api", error="insufficient_scope", error_description="The access token lacks a scope.", scope="write:users"`, "insufficient_scope"},
		{"all and any", v.Protect(verify.Protection{Scopes: []string{"read:users"}, AnyScope: []string{"a", "b"}}), []string{"Bearer " + good}, 403,
			`Bearer realm="api", error="insufficient_scope", error_description="The access token lacks a scope.", scope="read:users a"`, "insufficient_scope"},
		{"check of one's own", v.Protect(verify.Protection{Scopes: []string{"read:users"}, Checks: []verify.Check{refuseAll}}), []string{"Bearer " + good}, 403,
			`Bearer realm="api", error="insufficient_scope", error_description="The access token does not permit this."`, "insufficient_scope"},
		{"realm and metadata", v.Protect(verify.Protection{Realm: `~the "users"!`, ResourceMetadata: metadata}), nil, 401,
			`Bearer realm="~the \"users\"!", resource_metadata="` + metadata + `"`, "unauthorized"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodHead, http.MethodOptions} {
				w := askGuard(test.middleware(whoami), method, test.authorization...)
				if w.Code != test.status || strings.Join(w.Header().Values("WWW-Authenticate"), "|") != test.challenge {
					t.Fatalf("%s: %d %q\nwant %d %q", method, w.Code, w.Header().Values("WWW-Authenticate"), test.status, test.challenge)
				}
				if test.status == 200 {
					if w.Body.String() != guardClient || w.Header().Get("Cache-Control") != "" {
						t.Fatalf("%s: %v %s", method, w.Header(), w.Body)
					}
					continue
				}
				checkRefusal(t, w, test.code)
			}
		})
	}
}

func checkRefusal(t *testing.T, w *httptest.ResponseRecorder, code string) {
	t.Helper()
	var body map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || len(body) != 2 || body["error"] != code || body["error_description"] == "" {
		t.Errorf("the body is %s, want the error %s", w.Body, code)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("the header is %v", w.Header())
	}
	if strings.Contains(w.Body.String()+w.Header().Get("WWW-Authenticate"), "canary") {
		t.Error("the answer quotes the token")
	}
}

// A token in the query or in a form is no token: RFC 6750 allows them, and logs keep them.
func TestRequireLooksAtTheHeaderOnly(t *testing.T) {
	s := emulatortest.NewServer(t)
	h := guardVerifier(t, s).Require()(whoami)
	token := guardToken(t, s, guardClaims(s, ""))
	form := httptest.NewRequest(http.MethodPost, "/users?access_token="+token, strings.NewReader("access_token="+token))
	form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	form.AddCookie(&http.Cookie{Name: "access_token", Value: token})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, form)
	if w.Code != 401 || w.Header().Get("WWW-Authenticate") != `Bearer realm="api"` {
		t.Errorf("%d %s", w.Code, w.Header().Get("WWW-Authenticate"))
	}
}

// brokenKeys answers no request for keys.
type brokenKeys struct{}

func (brokenKeys) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no route to host")
}

func TestRequireWithoutKeys(t *testing.T) {
	s := emulatortest.NewServer(t)
	v := guardVerifier(t, s, verify.WithHTTPClient(&http.Client{Transport: brokenKeys{}}))
	w := askGuard(v.Require("read:users")(whoami), http.MethodGet, "Bearer "+guardToken(t, s, guardClaims(s, "read:users")))
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || w.Header().Values("WWW-Authenticate") != nil {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	checkRefusal(t, w, "temporarily_unavailable")
}

func TestProtect(t *testing.T) {
	s := emulatortest.NewServer(t)
	v := guardVerifier(t, s)
	old := guardClaims(s, "read:users")
	old["iat"], old["nbf"], old["exp"] = time.Now().Unix()-1800, time.Now().Unix()-1800, time.Now().Unix()+1800
	token := "Bearer " + guardToken(t, s, old)
	byKey := func(r *http.Request) (string, error) {
		return strings.TrimPrefix(r.Header.Get("Authorization"), "Key "), nil
	}
	unreached := func(verify.Claims, time.Time) error { panic("the scope is missing") }
	checks := func(c verify.Check) []verify.Check { return []verify.Check{c} }
	for _, test := range []struct {
		name          string
		p             verify.Protection
		authorization string
		status        int
	}{
		{"young enough", verify.Protection{Checks: checks(verify.MaxAge(time.Hour))}, token, 200},
		{"too old", verify.Protection{Checks: checks(verify.MaxAge(10 * time.Minute))}, token, 401},
		{"allowed", verify.Protection{Checks: checks(func(c verify.Claims, _ time.Time) error {
			if c.ClientID != guardClient {
				return errors.New("no")
			}
			return nil
		})}, token, 200},
		{"not allowed", verify.Protection{Checks: checks(refuseAll)}, token, 403},
		{"scopes judged enough", verify.Protection{Checks: checks(verify.ScopeFunc(func(granted []string) bool { return len(granted) == 1 }))}, token, 200},
		{"scopes judged not enough", verify.Protection{Checks: checks(verify.ScopeFunc(func([]string) bool { return false }))}, token, 403},
		{"nobody knows", verify.Protection{Checks: checks(func(verify.Claims, time.Time) error { return verify.ErrCheckUnavailable })}, token, 503},
		{"scope before checks", verify.Protection{Scopes: []string{"x"}, Checks: checks(unreached)}, token, 403},
		{"token from elsewhere", verify.Protection{Token: byKey}, strings.Replace(token, "Bearer", "Key", 1), 200},
		{"no token there", verify.Protection{Token: byKey}, "", 401},
		{"refused there", verify.Protection{Token: func(*http.Request) (string, error) { return "x", errors.New("canary") }}, "", 400},
		{"by BearerToken", verify.Protection{Token: func(r *http.Request) (string, error) {
			return verify.BearerToken(r.Header.Values("X-Forwarded-Authorization"))
		}}, "", 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := askGuard(v.Protect(test.p)(whoami), http.MethodGet, test.authorization)
			if w.Code != test.status {
				t.Errorf("%d %s, want %d", w.Code, w.Body, test.status)
			}
			challenge := w.Header().Get("WWW-Authenticate")
			if strings.Contains(w.Body.String()+challenge, "canary") {
				t.Error("the answer quotes an error")
			}
			if test.status == 401 && test.authorization == "" && challenge != `Bearer realm="api"` {
				t.Errorf("no token, and the challenge %s", challenge)
			}
		})
	}
}

// A handler for refusals writes the body; the headers are there already, and the error says more
// than the status.
func TestProtectRefuse(t *testing.T) {
	s := emulatortest.NewServer(t)
	var seen error
	h := guardVerifier(t, s).Protect(verify.Protection{Refuse: func(w http.ResponseWriter, _ *http.Request, status int, err error) {
		seen = err
		w.WriteHeader(status)
		io.WriteString(w, "go away")
	}})(whoami)
	for _, test := range []struct {
		authorization string
		status        int
		err           error
	}{
		{"", 401, verify.ErrNoToken},
		{"Bearer", 400, verify.ErrInvalidRequest},
		{"Bearer x", 401, verify.ErrMalformed},
	} {
		w := askGuard(h, http.MethodGet, test.authorization)
		if w.Code != test.status || !errors.Is(seen, test.err) || w.Body.String() != "go away" || w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%q: %d %q %v, want %d %v", test.authorization, w.Code, w.Body, seen, test.status, test.err)
		}
	}
}

func TestProtectPanics(t *testing.T) {
	s := emulatortest.NewServer(t)
	v := guardVerifier(t, s)
	for _, test := range []struct {
		name string
		make func()
	}{
		{"two scopes in one", func() { v.Require("read write") }},
		{"an empty scope", func() { v.Require("") }},
		{"a quote in a scope", func() { v.RequireAny(`a"b`) }},
		{"any of none", func() { v.RequireAny() }},
		{"line break in the realm", func() { v.Protect(verify.Protection{Realm: "a\r\nb"}) }},
		{"metadata that is no URL", func() { v.Protect(verify.Protection{ResourceMetadata: "/.well-known/oauth-protected-resource"}) }},
		{"a check that is nil", func() { v.Protect(verify.Protection{Checks: []verify.Check{nil}}) }},
		{"no verifier", func() { (*verify.Verifier)(nil).Require() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "verify: ") {
					t.Errorf("panics with %q", text)
				}
			}()
			test.make()
		})
	}
}

// The handler gets the very ResponseWriter of the server: it can flush, and take the connection
// over for a WebSocket.
func TestRequireLeavesTheConnectionAlone(t *testing.T) {
	s := emulatortest.NewServer(t)
	protect := guardVerifier(t, s).Require()
	server := httptest.NewServer(protect(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, ok := w.(http.Flusher); !ok {
			t.Error("cannot flush")
		}
		hijacker, ok := w.(http.Hijacker)
		if !ok {
			t.Error("cannot be hijacked")
			return
		}
		conn, buffered, err := hijacker.Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello")
		buffered.Flush()
	})))
	defer server.Close()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\nAuthorization: Bearer "+guardToken(t, s, guardClaims(s, ""))+"\r\n\r\n")
	reader := bufio.NewReader(conn)
	answer, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(reader)
	if answer.StatusCode != 101 || string(rest) != "hello" {
		t.Errorf("%d %q", answer.StatusCode, rest)
	}
}

func TestClaimsFromContext(t *testing.T) {
	if c, ok := verify.ClaimsFromContext(t.Context()); ok || c.Subject != "" {
		t.Error("claims in an empty context")
	}
	ctx, cancel := context.WithCancel(verify.ContextWithClaims(t.Context(), verify.Claims{ClientID: guardClient}))
	defer cancel()
	if c, ok := verify.ClaimsFromContext(ctx); !ok || c.ClientID != guardClient {
		t.Errorf("%v, %t", c, ok)
	}
}

// What the middleware costs beside the verification, of a token that was seen before.
func BenchmarkRequire(b *testing.B) {
	s := emulatortest.NewServer(b)
	h := guardVerifier(b, s).Require("read:users")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := httptest.NewRequest(http.MethodGet, "/users", nil)
	r.Header.Set("Authorization", "Bearer "+guardToken(b, s, guardClaims(s, "read:users")))
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
	if w.Code != http.StatusOK {
		b.Fatal(w.Code)
	}
}
