package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/proxy"
)

const invalidToken = `Bearer realm="x", error="invalid_token", error_description="revoked"`

// A rejected token is replaced and the request repeated once, if its body is still there.
func TestRepeat(t *testing.T) {
	const limit = 64 << 10
	for _, test := range []struct {
		name      string
		challenge string
		size      int
		chunked   bool
		limit     int // 0 for the default
		reject    int // how many requests
		early     bool
		requests  int // at the upstream
		status    int
	}{
		{name: "no body", challenge: invalidToken, reject: 1, requests: 2, status: 200},
		{name: "a body", challenge: invalidToken, size: 10, reject: 1, requests: 2, status: 200},
		{name: "exactly the limit", challenge: invalidToken, size: limit, reject: 1, requests: 2, status: 200},
		{name: "one byte more", challenge: invalidToken, size: limit + 1, reject: 1, requests: 1, status: 401},
		{name: "chunked", challenge: invalidToken, size: 10, chunked: true, reject: 1, requests: 2, status: 200},
		{name: "chunked, exactly the limit", challenge: invalidToken, size: limit, chunked: true, reject: 1, requests: 2, status: 200},
		{name: "chunked, one byte more", challenge: invalidToken, size: limit + 1, chunked: true, reject: 1, requests: 1, status: 401},
		{name: "another limit", challenge: invalidToken, size: 10, limit: 10, reject: 1, requests: 2, status: 200},
		{name: "over another limit", challenge: invalidToken, size: 11, limit: 10, reject: 1, requests: 1, status: 401},
		{name: "no repetition of bodies", challenge: invalidToken, size: 1, limit: -1, reject: 1, requests: 1, status: 401},
		{name: "chunked, no repetition of bodies", challenge: invalidToken, size: 1, chunked: true, limit: -1, reject: 1, requests: 1, status: 401},
		{name: "no repetition of bodies, none", challenge: invalidToken, limit: -1, reject: 1, requests: 2, status: 200},
		{name: "rejected before the body was read", challenge: invalidToken, size: limit, reject: 1, early: true, requests: 2, status: 200},
		{name: "rejected twice", challenge: invalidToken, reject: 2, requests: 2, status: 401},
		{name: "another error", challenge: `Bearer error="insufficient_scope"`, reject: 1, requests: 1, status: 401},
		{name: "another scheme", challenge: `Basic realm="x"`, reject: 1, requests: 1, status: 401},
		{name: "no challenge", reject: 1, requests: 1, status: 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			var n atomic.Int64
			f := start(t, func(w http.ResponseWriter, r *http.Request) {
				if !test.early {
					if body, err := io.ReadAll(r.Body); len(body) != test.size || err != nil {
						t.Errorf("a body of %d bytes, %v", len(body), err)
					}
				}
				if n.Add(1) <= int64(test.reject) {
					if test.challenge != "" {
						w.Header().Set("WWW-Authenticate", test.challenge)
					}
					w.WriteHeader(http.StatusUnauthorized)
				}
			}, func(c *proxy.Config) { c.MaxBodyReplay = test.limit })
			var body io.Reader = strings.NewReader(strings.Repeat("x", test.size))
			if test.chunked {
				body = io.NopCloser(body)
			}
			r, err := f.try("POST", "/", body)
			if err != nil {
				t.Fatal(err)
			}
			seen := f.upstream.requests()
			if r.StatusCode != test.status || len(seen) != test.requests {
				t.Errorf("status %d after %d requests, want %d after %d", r.StatusCode, len(seen), test.status, test.requests)
			}
			if r.StatusCode == 401 && r.Header.Get("WWW-Authenticate") != test.challenge {
				t.Errorf("the challenge was not passed on: %q", r.Header.Get("WWW-Authenticate"))
			}
			if len(seen) == 2 && seen[0].Header.Get("Authorization") == seen[1].Header.Get("Authorization") {
				t.Error("the same token was sent again")
			}
		})
	}
}

// An API that rejects every token must not run up a bill.
func TestRejectsEveryToken(t *testing.T) {
	f := start(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", invalidToken)
		w.WriteHeader(http.StatusUnauthorized)
	}, nil)
	for range 50 {
		if r := f.do("GET", "/", ""); r.StatusCode != http.StatusUnauthorized {
			t.Fatal(r.StatusCode)
		}
	}
	if n := f.stytch.TokensMinted(clientID); n > 5 {
		t.Errorf("%d tokens for 50 rejected requests", n)
	}
}
