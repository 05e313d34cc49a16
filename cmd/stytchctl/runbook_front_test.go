//go:build unix

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
)

// A front stands between the command and the emulator, and lies about rotations.
type front struct {
	pretends atomic.Bool // it confirms a completion, and completes nothing
	undead   atomic.Bool // it accepts the previous secret although the rotation was completed
	previous string      // a token request with it becomes one with the secret in the place

	completed atomic.Bool
}

func (s *situation) putInFront() *front {
	s.Helper()
	behind, err := url.Parse(s.server.URL)
	s.check(err)
	f := &front{}
	forward := httputil.NewSingleHostReverseProxy(behind)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			s.Error(err)
		}
		text := string(body)
		out := r.Clone(r.Context())
		out.Host = behind.Host
		switch path := r.URL.Path; {
		case strings.HasSuffix(path, "/secrets/rotate") && f.pretends.Load(): // the client as it is
			out.Method, out.URL.Path, text = http.MethodGet, strings.TrimSuffix(path, "/secrets/rotate"), ""
		case strings.HasSuffix(path, "/secrets/rotate"):
			f.completed.Store(true)
		case strings.HasSuffix(path, "/oauth2/token") && f.undead.Load() && f.completed.Load():
			text = strings.ReplaceAll(text, url.QueryEscape(f.previous), url.QueryEscape(s.held().Reveal()))
		}
		out.Body, out.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		forward.ServeHTTP(w, out)
	}))
	s.Cleanup(server.Close)
	s.env["STYTCH_BASE_URL"] = server.URL
	return f
}
