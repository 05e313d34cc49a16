package token_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/token"
)

// resource is a resource server in memory.
type resource struct {
	accepts func(authorization string) bool
	refusal string // the WWW-Authenticate header of a 401

	seen   []string // Authorization headers
	bodies []string
}

func (s *resource) RoundTrip(r *http.Request) (*http.Response, error) {
	s.seen = append(s.seen, r.Header.Get("Authorization"))
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body.Close()
		s.bodies = append(s.bodies, string(body))
	}
	if s.accepts == nil || s.accepts(r.Header.Get("Authorization")) {
		return reply(200, "{}"), nil
	}
	resp := reply(401, `{"from":"the resource server"}`)
	resp.Header.Set("WWW-Authenticate", s.refusal)
	return resp, nil
}

func get(t *testing.T, rt http.RoundTripper, address string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if len(req.Header) != 0 {
		t.Error("the caller's request was changed")
	}
	return resp, err
}

func TestTransportHosts(t *testing.T) {
	server := &resource{}
	s := newSource(t, &endpoint{})
	rt := s.Transport(server, "api.example.com", "Other.Example.com:8443", "127.0.0.1:8080", "[::1]", "plain.example.com:80", "[0:0:0:0:0:0:0:1]:8443")
	for address, want := range map[string]string{
		"https://api.example.com/x":          "Bearer token-1",
		"https://API.Example.com:443/x":      "Bearer token-1",
		"https://other.example.com:8443/":    "Bearer token-1",
		"http://127.0.0.1:8080/":             "Bearer token-1",
		"http://[::1]/":                      "Bearer token-1",
		"https://[::1]:8443/":                "Bearer token-1",
		"https://[::0001]:8443/":             "Bearer token-1",
		"https://[::2]:8443/":                "",
		"https://api.example.com:8443/":      "",
		"https://other.example.com/":         "",
		"https://example.com/":               "",
		"https://api.example.com.evil.com":   "",
		"https://evil-api.example.com/":      "",
		"https://api.example.com./":          "",
		"https://evil.com/api.example.com":   "",
		"http://127.0.0.1:8081/":             "",
		"https://evil.com/?@api.example.com": "",
	} {
		server.seen = nil
		if _, err := get(t, rt, address); err != nil || len(server.seen) != 1 || server.seen[0] != want {
			t.Errorf("%s: %q, %v", address, server.seen, err)
		}
	}
	server.seen = nil
	for _, address := range []string{"http://api.example.com/", "http://plain.example.com/"} {
		if _, err := get(t, rt, address); err == nil || len(server.seen) != 0 {
			t.Errorf("%s: %q, %v", address, server.seen, err)
		}
	}
}

// A header of the caller's own is neither replaced nor doubled, however it is spelled.
func TestTransportKeepsAuthorization(t *testing.T) {
	for _, name := range []string{"Authorization", "authorization", "AUTHORIZATION"} {
		var seen http.Header
		rt := newSource(t, &endpoint{}).Transport(roundTripper(func(r *http.Request) (*http.Response, error) {
			seen = r.Header
			return reply(200, ""), nil
		}), "api.example.com")
		req := httptest.NewRequest(http.MethodGet, "https://api.example.com/", nil)
		req.Header = http.Header{name: {"Basic own"}}
		if _, err := rt.RoundTrip(req); err != nil || len(seen) != 1 || seen[name][0] != "Basic own" {
			t.Errorf("%s: %v, %d headers", name, err, len(seen))
		}
	}
}

// A response refers to the request of the caller, who never sees the token: not by printing the
// response, and not by following redirects back.
func TestTransportResponseHoldsNoToken(t *testing.T) {
	var hops int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			t.Error("a request without a token")
		}
		switch hops++; {
		case hops == 1:
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path != "/end":
			http.Redirect(w, r, "/end", http.StatusFound)
		}
	}))
	defer server.Close()
	rt := newSource(t, &endpoint{}).Transport(nil, strings.TrimPrefix(server.URL, "http://"))
	followed := &http.Client{Transport: rt}
	var last *http.Request
	followed.CheckRedirect = func(req *http.Request, _ []*http.Request) error { last = req; return nil }
	resp, err := followed.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Request != last || hops != 3 {
		t.Errorf("the response is not for the caller's own request; %d requests", hops)
	}
	chain := 0
	for r := resp; r != nil; r = r.Request.Response {
		chain++
		dumped, err := httputil.DumpRequestOut(r.Request, false)
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, format := range []string{"%s", "%v", "%+v", "%#v"} {
			text += fmt.Sprintf(format, r) + fmt.Sprintf(format, r.Request)
		}
		if bytes.Contains(dumped, []byte("token-")) || strings.Contains(text, "token-") {
			t.Errorf("request %d from the end shows the token", chain)
		}
	}
	if chain != 2 {
		t.Errorf("%d responses in the chain, want 2", chain)
	}
}

// A RoundTripper that returns nothing at all is an error, also the second time.
func TestTransportWithoutResponse(t *testing.T) {
	for silentFrom := range 2 {
		requests := 0
		rt := newSource(t, &endpoint{}).Transport(roundTripper(func(*http.Request) (*http.Response, error) {
			if requests++; requests > silentFrom {
				return nil, nil
			}
			r := reply(401, "")
			r.Header.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			return r, nil
		}), "api.example.com")
		if resp, err := get(t, rt, "https://api.example.com/"); err == nil || resp != nil || requests != silentFrom+1 {
			t.Errorf("%v, %v after %d requests", resp, err, requests)
		}
	}
	var none *http.Transport
	if _, err := get(t, newSource(t, &endpoint{}).Transport(none, "api.example.com"), "https://api.example.com/"); !errors.Is(err, token.ErrInvalidArgument) {
		t.Error(err)
	}
}

func TestTransportRefusesBadHosts(t *testing.T) {
	s := newSource(t, &endpoint{})
	for _, hosts := range [][]string{
		nil, {""}, {"https://api.example.com"}, {"api.example.com/x"}, {"*.example.com"}, {"user@api.example.com"}, {"api.example.com?x"}, {":443"}, {"a b"},
		{"::1"}, {"[::1"}, {"::1]:80"}, {"[example.com]"}, {"x:80:80"}, {"x:0"}, {"x:080"}, {"x:65536"}, {"x:https"}, {"fe80::1"},
		{"api.example.com", ""},
	} {
		body := &closable{Reader: strings.NewReader("x")}
		req := httptest.NewRequest(http.MethodPost, "https://api.example.com/", body)
		req.Body = body
		server := &resource{}
		if _, err := s.Transport(server, hosts...).RoundTrip(req); !errors.Is(err, token.ErrInvalidArgument) || len(server.seen) != 0 || !body.closed {
			t.Errorf("%q: %v, body closed: %t", hosts, err, body.closed)
		}
	}
}

type closable struct {
	io.Reader
	closed bool
}

func (c *closable) Close() error { c.closed = true; return nil }

// A redirect to another host does not take the token along.
func TestTransportRedirect(t *testing.T) {
	seen := map[string]string{}
	rt := newSource(t, &endpoint{}).Transport(roundTripper(func(r *http.Request) (*http.Response, error) {
		seen[r.URL.Host] = r.Header.Get("Authorization")
		if r.URL.Host == "api.example.com" {
			resp := reply(307, "")
			resp.Header.Set("Location", "https://evil.example.com/")
			return resp, nil
		}
		return reply(200, ""), nil
	}), "api.example.com")
	resp, err := (&http.Client{Transport: rt}).Get("https://api.example.com/")
	if err != nil || resp.StatusCode != 200 || seen["api.example.com"] != "Bearer token-1" || seen["evil.example.com"] != "" {
		t.Errorf("%v, %q", err, seen)
	}
}

func TestTransportRefusedToken(t *testing.T) {
	const invalid = `Bearer realm="x", error="invalid_token"`
	onlySecond := func(authorization string) bool { return authorization == "Bearer token-2" }
	for _, c := range []struct {
		name, refusal string
		body          func() io.Reader
		accepts       func(string) bool
		status        int
		seen          string
		mints         int
	}{
		{"another token is good", invalid, nil, onlySecond, 200, "token-1 token-2", 2},
		{"with a body that can be read again", invalid, func() io.Reader { return strings.NewReader("body") }, onlySecond, 200, "token-1 token-2", 2},
		{"with a body that is gone", invalid, func() io.Reader { return io.MultiReader(strings.NewReader("body")) }, onlySecond, 401, "token-1", 1},
		{"none is good", invalid, nil, func(string) bool { return false }, 401, "token-1 token-2", 2},
		{"it is not the token's fault", `Bearer error="insufficient_scope"`, nil, onlySecond, 401, "token-1", 1},
		{"nothing is said", "", nil, onlySecond, 401, "token-1", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, server := &endpoint{}, &resource{accepts: c.accepts, refusal: c.refusal}
				s := newSource(t, e)
				var body io.Reader
				if c.body != nil {
					body = c.body()
				}
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://api.example.com/", body)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := s.Transport(server, "api.example.com").RoundTrip(req)
				if err != nil || resp.StatusCode != c.status {
					t.Fatal(err, resp)
				}
				if seen := strings.ReplaceAll(strings.Join(server.seen, " "), "Bearer ", ""); seen != c.seen || e.count() != c.mints {
					t.Errorf("the server saw %q, the endpoint %d requests", seen, e.count())
				}
				if text, err := io.ReadAll(resp.Body); err != nil || len(text) == 0 {
					t.Errorf("the response has no body: %v", err)
				}
				for _, body := range server.bodies {
					if body != "body" {
						t.Errorf("body %q", body)
					}
				}
			})
		})
	}
}

// A resource server that expects the tokens of another project must not make every request buy a
// token.
func TestTransportThatIsAlwaysRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, server := &endpoint{}, &resource{accepts: func(string) bool { return false }, refusal: `Bearer error="invalid_token"`}
		rt := newSource(t, e).Transport(server, "api.example.com")
		for range 3600 {
			if resp, err := get(t, rt, "https://api.example.com/"); err != nil || resp.StatusCode != 401 {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if e.count() > 20 {
			t.Errorf("%d tokens in an hour of refusals", e.count())
		}
		if repeated := len(server.seen) - 3600; repeated != e.count()-1 {
			t.Errorf("%d requests were repeated, with %d other tokens", repeated, e.count()-1)
		}
	})
}

func TestTransportWithoutToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &resource{}
		s := newSource(t, &endpoint{respond: status(503, "")})
		body := &closable{Reader: strings.NewReader("x")}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.example.com/", body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Transport(server, "api.example.com").RoundTrip(req); !errors.Is(err, token.ErrUnavailable) || len(server.seen) != 0 || !body.closed {
			t.Errorf("%v, %d requests", err, len(server.seen))
		}
		if got, err := get(t, s.Transport(server, "api.example.com"), "https://other.example.com/"); err != nil || got.StatusCode != 200 {
			t.Error(fmt.Sprint("other hosts need no token: ", err))
		}
	})
}
