package jwks_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/internal/jwks"
)

const overlap = 15 * time.Minute

// uses reports whether a key is in place, as a token with that key finds out at any time.
func uses(c *jwks.Cache, kid string) bool { return c.Current(time.Now()).Key([]byte(kid)) != nil }

// pass lets time pass with a token every few seconds, and returns how many of them found the key.
func pass(c *jwks.Cache, d time.Duration, kid string) (found, all int) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Second) {
		if all++; uses(c, kid) {
			found++
		}
	}
	return found, all
}

// Servers that answer with different key sets take turns: no key that one of them has is lost, and
// the set stays the same one.
func TestReplicas(t *testing.T) {
	keys()
	full, part := document(entry(0, "a"), entry(1, "b")), document(entry(0, "a"))
	synctest.Test(t, func(t *testing.T) {
		var fetches, changes atomic.Int64
		replicas := roundTrip(func(*http.Request) (*http.Response, error) {
			body := part
			if fetches.Add(1)%3 == 1 {
				body = full
			}
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(body))}, nil
		})
		c := jwks.New(jwks.Config{URL: "https://keys.example.com/", Transport: replicas, Timeout: 5 * time.Second, MaxStale: 24 * time.Hour,
			Overlap: overlap, Changed: func() { changes.Add(1) }})
		defer c.Close()
		find(t, c, "b", nil, 0)
		first := c.Current(time.Now())
		if found, all := pass(c, 5*time.Hour, "b"); found != all {
			t.Errorf("%d of %d tokens found their key", found, all)
		}
		synctest.Wait()
		if c.Current(time.Now()) != first || changes.Load() != 1 {
			t.Errorf("the set changed %d times: remembered tokens are verified again and again", changes.Load())
		}
		if n := fetches.Load(); n > 5*6*4 {
			t.Errorf("%d fetches in 5 h", n)
		}
	})
}

// A key that is gone from all downloads is used until the end of the overlap and no longer, whether
// or not tokens come in and downloads succeed.
func TestRemovedKey(t *testing.T) {
	var last atomic.Pointer[jwks.Fetch]
	config := jwks.Config{Overlap: overlap, Observe: func(_ context.Context, f jwks.Fetch) { last.Store(&f) }}
	for name, after := range map[string]func(s *server){
		"downloads": func(*server) {}, "outage": func(s *server) { s.serve(nil) },
	} {
		bubble(t, config, func(t *testing.T, c *jwks.Cache, s *server) {
			s.serve(document(entry(0, "a"), entry(1, "b")))
			find(t, c, "b", nil, time.Second)
			had := time.Now()
			s.serve(document(entry(0, "a")))
			pass(c, 13*time.Minute, "b")
			if f := last.Load(); f.Kept != 1 || f.Keys != 2 || !uses(c, "b") {
				t.Fatalf("%s: after a download without the key: %+v", name, f)
			}
			after(s)
			version := c.Current(time.Now()).Version
			pass(c, time.Until(had.Add(overlap-10*time.Second)), "b")
			if !uses(c, "b") {
				t.Errorf("%s: the key is gone too early", name)
			}
			time.Sleep(time.Until(had.Add(overlap)))
			if uses(c, "b") || !uses(c, "a") || c.Current(time.Now()).Version == version {
				t.Errorf("%s: the key is used after the overlap, or the set has the same version", name)
			}
			n := s.fetches()
			if name == "downloads" && (n < 4 || n > 20) {
				t.Errorf("%d fetches", n)
			}
			synctest.Wait()
			if name == "downloads" {
				pass(c, 7*time.Minute, "a")
				if d := s.fetches() - n; d > 1 || last.Load().Kept != 0 {
					t.Errorf("%d fetches in the 7 min after the overlap: %+v", d, last.Load())
				}
			}
		})
	}
	// After a long pause, the first download that lacks the key ends its use.
	bubble(t, jwks.Config{Overlap: overlap}, func(t *testing.T, c *jwks.Cache, s *server) {
		s.serve(document(entry(0, "a"), entry(1, "b")))
		find(t, c, "b", nil, time.Second)
		s.serve(document(entry(0, "a")))
		time.Sleep(5 * time.Hour)
		uses(c, "a")
		time.Sleep(2 * time.Second)
		if uses(c, "b") {
			t.Error("a key that no download had for hours is kept")
		}
	})
}

// What a download says about a key counts at once: that it is unusable, or that it is another one.
// Keys that did not come from a download are not kept, and without an overlap no key is.
func TestKeysThatAreNotKept(t *testing.T) {
	for name, test := range map[string]struct {
		overlap time.Duration
		seed    bool
		next    []byte
	}{
		"marked unusable": {overlap, false, document(entry(0, "a"), entry(1, "b", "use", "enc"))},
		"two of one id":   {overlap, false, document(entry(0, "a"), entry(1, "b"), entry(0, "b"))},
		"seed":            {overlap, true, document(entry(0, "a"))},
		"no overlap":      {0, false, document(entry(0, "a"))},
	} {
		config := jwks.Config{Overlap: test.overlap}
		before := document(entry(0, "a"), entry(1, "b"))
		if test.seed {
			config.Seed, _ = jwks.Parse(before)
		}
		bubble(t, config, func(t *testing.T, c *jwks.Cache, s *server) {
			if !test.seed {
				s.serve(before)
				find(t, c, "b", nil, time.Second)
			}
			s.serve(test.next)
			time.Sleep(13 * time.Minute)
			if !uses(c, "b") {
				t.Errorf("%s: the key is not in place at first", name)
			}
			time.Sleep(2 * time.Second)
			if uses(c, "b") || !uses(c, "a") {
				t.Errorf("%s: the key is still used", name)
			}
		})
	}
	bubble(t, jwks.Config{Overlap: overlap}, func(t *testing.T, c *jwks.Cache, s *server) {
		s.serve(document(entry(0, "a"), entry(0, "b")))
		find(t, c, "b", nil, time.Second)
		old := c.Current(time.Now()).Key([]byte("b"))
		s.serve(document(entry(0, "a"), entry(1, "b")))
		time.Sleep(13 * time.Minute)
		uses(c, "b")
		time.Sleep(2 * time.Second)
		if c.Current(time.Now()).Key([]byte("b")) == old {
			t.Error("another key of the same id did not replace it")
		}
	})
}
