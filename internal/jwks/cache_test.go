package jwks_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/internal/jwks"
)

// A server serves key sets in memory, so that the time of a synctest bubble passes while a fetch is
// running.
type server struct {
	mu      sync.Mutex
	body    []byte // nil: status 503
	latency time.Duration
	times   []time.Time // of the fetches
}

func (s *server) serve(body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.body = body
}

func (s *server) fetches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.times)
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	body := s.body // when the request arrives
	s.times = append(s.times, time.Now())
	s.mu.Unlock()
	select {
	case <-time.After(s.latency):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	status := http.StatusOK
	if body == nil {
		status = http.StatusServiceUnavailable
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(string(body)))}, nil
}

// bubble runs a test in a synctest bubble, with a cache in front of a server of key "a" that takes
// a second to respond.
func bubble(t *testing.T, config jwks.Config, test func(t *testing.T, c *jwks.Cache, s *server)) {
	t.Helper()
	keys() // takes real time
	synctest.Test(t, func(t *testing.T) {
		s := &server{body: document(entry(0, "a")), latency: time.Second}
		config.URL, config.Transport = "https://keys.example.com/", s
		if config.Timeout == 0 {
			config.Timeout = 5 * time.Second
		}
		if config.MaxStale == 0 {
			config.MaxStale = 24 * time.Hour
		}
		c := jwks.New(config)
		test(t, c, s)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// find looks for a key and checks how it ends, and how long that takes.
func find(t *testing.T, c *jwks.Cache, kid string, want error, took time.Duration) {
	t.Helper()
	began := time.Now()
	set, err := c.Find(t.Context(), kid)
	if !errors.Is(err, want) || (err == nil) != (want == nil) || (err == nil) != (set.Key([]byte(kid)) != nil) {
		t.Errorf("%s: %v, want %v", kid, err, want)
	}
	if d := time.Since(began); d != took {
		t.Errorf("%s took %v, want %v", kid, d, took)
	}
}

// A fetch that a caller started itself is conclusive: it does not wait for a second one.
func TestFindStartsOneFetch(t *testing.T) {
	bubble(t, jwks.Config{}, func(t *testing.T, c *jwks.Cache, s *server) {
		find(t, c, "unknown", jwks.ErrUnknown, time.Second)
		if n := s.fetches(); n != 1 {
			t.Errorf("%d fetches, want 1", n)
		}
	})
}

// A fetch that was running already may be too old to have the key; the one after it is not.
func TestFindJoinsAndFetchesAgain(t *testing.T) {
	bubble(t, jwks.Config{}, func(t *testing.T, c *jwks.Cache, s *server) {
		find(t, c, "a", nil, time.Second)
		var tasks sync.WaitGroup
		tasks.Go(func() { find(t, c, "unknown", jwks.ErrUnknown, time.Second) })
		time.Sleep(500 * time.Millisecond)
		s.serve(document(entry(0, "a"), entry(1, "b")))
		for range 10 { // they join the running fetch, and share the next one
			tasks.Go(func() { find(t, c, "b", nil, 1500*time.Millisecond) })
		}
		tasks.Go(func() { find(t, c, "unknown-2", jwks.ErrUnknown, 1500*time.Millisecond) })
		tasks.Wait()
		if n := s.fetches(); n != 3 {
			t.Errorf("%d fetches, want 3", n)
		}
	})
}

// A caller that joins two fetches in a row starts no third one: the second began after the call.
func TestFindJoinsTwoAtMost(t *testing.T) {
	bubble(t, jwks.Config{}, func(t *testing.T, c *jwks.Cache, s *server) {
		find(t, c, "a", nil, time.Second)
		var tasks sync.WaitGroup
		tasks.Go(func() { find(t, c, "unknown", jwks.ErrUnknown, time.Second) })
		time.Sleep(500 * time.Millisecond)
		for _, kid := range []string{"x", "y", "z"} {
			tasks.Go(func() { find(t, c, kid, jwks.ErrUnknown, 1500*time.Millisecond) })
		}
		tasks.Wait()
		if n := s.fetches(); n != 3 {
			t.Errorf("%d fetches, want 3", n)
		}
	})
}

func TestFindEndsWithItsContext(t *testing.T) {
	bubble(t, jwks.Config{}, func(t *testing.T, c *jwks.Cache, s *server) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := c.Find(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		find(t, c, "a", nil, 900*time.Millisecond) // the fetch is still running
		if n := s.fetches(); n != 1 {
			t.Errorf("%d fetches, want 1", n)
		}
	})
}

// Unknown ids cause three fetches at once, and one more every ten seconds. What was not looked for
// is not called unknown.
func TestUnknownIDsAreLimited(t *testing.T) {
	bubble(t, jwks.Config{}, func(t *testing.T, c *jwks.Cache, s *server) {
		find(t, c, "a", nil, time.Second)
		find(t, c, "1", jwks.ErrUnknown, time.Second)
		find(t, c, "2", jwks.ErrUnknown, time.Second)
		notLooked(t, c, "3")
		find(t, c, "2", jwks.ErrUnknown, 0) // this one was
		time.Sleep(7 * time.Second)         // ten after New
		find(t, c, "4", jwks.ErrUnknown, time.Second)
		notLooked(t, c, "5")
		time.Sleep(time.Hour)
		for _, kid := range []string{"6", "7", "8"} {
			find(t, c, kid, jwks.ErrUnknown, time.Second)
		}
		notLooked(t, c, "9")
		if n := s.fetches(); n != 7 {
			t.Errorf("%d fetches, want 7", n)
		}
	})
}

// notLooked finds no key, and not that there is none.
func notLooked(t *testing.T, c *jwks.Cache, kid string) {
	t.Helper()
	began := time.Now()
	if set, err := c.Find(t.Context(), kid); set != nil || err == nil || errors.Is(err, jwks.ErrUnknown) || time.Since(began) > 0 {
		t.Errorf("%s: %v after %v", kid, err, time.Since(began))
	}
}

// A new key that is looked for after too many made-up ones is found as soon as a fetch is allowed.
func TestNewKeyAfterUnknownIDs(t *testing.T) {
	bubble(t, jwks.Config{}, func(t *testing.T, c *jwks.Cache, s *server) {
		find(t, c, "a", nil, time.Second)
		find(t, c, "1", jwks.ErrUnknown, time.Second)
		find(t, c, "2", jwks.ErrUnknown, time.Second)
		s.serve(document(entry(0, "a"), entry(1, "b")))
		notLooked(t, c, "b")
		time.Sleep(7 * time.Second)
		find(t, c, "b", nil, time.Second)
	})
}

// An id that was not in the key set is not looked for again for ten seconds, unless other keys come
// in. One that is too long is never looked for.
func TestAbsentIDs(t *testing.T) {
	bubble(t, jwks.Config{}, func(t *testing.T, c *jwks.Cache, s *server) {
		find(t, c, "a", nil, time.Second)
		find(t, c, strings.Repeat("x", 257), jwks.ErrUnknown, 0)
		find(t, c, "b", jwks.ErrUnknown, time.Second)
		find(t, c, "b", jwks.ErrUnknown, 0)
		time.Sleep(10 * time.Second)
		find(t, c, "b", jwks.ErrUnknown, time.Second)
		find(t, c, "b", jwks.ErrUnknown, 0)
		s.serve(document(entry(0, "a"), entry(1, "c")))
		find(t, c, "c", nil, time.Second)
		s.serve(document(entry(0, "a"), entry(1, "b")))
		time.Sleep(7 * time.Second)
		find(t, c, "b", nil, time.Second)
	})
}

// After a failure, the pause before the next fetch grows from about 1 s to about 30 s, and ends
// with a success.
func TestFailures(t *testing.T) {
	var mu sync.Mutex
	var seen []jwks.Fetch
	observe := func(ctx context.Context, f jwks.Fetch) {
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() != nil {
			t.Error("the context of the observer has ended")
		}
		seen = append(seen, f)
	}
	bubble(t, jwks.Config{Observe: observe}, func(t *testing.T, c *jwks.Cache, s *server) {
		s.serve(nil)
		for range 600 {
			if set, err := c.Find(t.Context(), "a"); err == nil || errors.Is(err, jwks.ErrUnknown) || set != nil {
				t.Fatal(set, err)
			}
			time.Sleep(200 * time.Millisecond)
		}
		s.mu.Lock()
		times := s.times
		s.mu.Unlock()
		for i := 1; i < len(times); i++ {
			pause := times[i].Sub(times[i-1]) - time.Second
			least := min(time.Second<<(i-1), 30*time.Second) * 4 / 5
			if most := least*3/2 + 200*time.Millisecond; pause < least || pause > most {
				t.Errorf("pause %d was %v, want %v to %v", i, pause, least, most)
			}
		}
		s.serve(document(entry(0, "a")))
		time.Sleep(time.Minute)
		find(t, c, "a", nil, time.Second)
		find(t, c, "b", jwks.ErrUnknown, time.Second) // failures cost nothing of what unknown ids are allowed
		synctest.Wait()
		last := seen[len(seen)-2]
		if n := len(times); n < 6 || seen[n-1].Failures != n || seen[n-1].Err == nil || seen[n-1].Duration != time.Second {
			t.Errorf("%d failures, the last reported as %+v", n, seen[n-1])
		}
		if last.Err != nil || last.Failures != 0 || last.Keys != 1 || !last.Changed || last.Age != 0 {
			t.Errorf("the success is reported as %+v", last)
		}
		if again := seen[len(seen)-1]; again.Changed || again.Age != time.Second || again.Keys != 1 {
			t.Errorf("the same keys are reported as %+v", again)
		}
	})
}

// Keys are refreshed in the background after about ten minutes, and their version changes only with
// the keys.
func TestCurrent(t *testing.T) {
	changes := 0
	var c *jwks.Cache
	changed := func() {
		changes++
		if c.Current(time.Now()) == nil {
			t.Error("the keys are not in place when Changed is called")
		}
	}
	bubble(t, jwks.Config{Changed: changed}, func(t *testing.T, cache *jwks.Cache, s *server) {
		c = cache
		if c.Current(time.Now()) != nil || s.fetches() != 0 {
			t.Error("keys, or a fetch, before any was needed")
		}
		find(t, c, "a", nil, time.Second)
		first := c.Current(time.Now())
		time.Sleep(7 * time.Minute)
		c.Current(time.Now())
		synctest.Wait()
		if n := s.fetches(); n != 1 {
			t.Errorf("%d fetches after 7 min, want 1", n)
		}
		time.Sleep(6 * time.Minute)
		for range 3 {
			if c.Current(time.Now()) != first {
				t.Error("the old keys are not used while new ones are fetched")
			}
		}
		time.Sleep(2 * time.Second)
		if n := s.fetches(); n != 2 || c.Current(time.Now()) != first {
			t.Errorf("%d fetches after 13 min, want 2 and the same set", n)
		}
		s.serve(document(entry(1, "a")))
		time.Sleep(13 * time.Minute)
		c.Current(time.Now())
		time.Sleep(2 * time.Second)
		synctest.Wait() // for changes
		if second := c.Current(time.Now()); second == first || second.Version == first.Version || changes != 2 {
			t.Errorf("another key under the same id: version %d after %d, %d changes", second.Version, first.Version, changes)
		}
	})
}

// Keys are too old after MaxStale; those of an offline cache never are.
func TestStale(t *testing.T) {
	bubble(t, jwks.Config{MaxStale: time.Hour}, func(t *testing.T, c *jwks.Cache, s *server) {
		find(t, c, "a", nil, time.Second)
		s.serve(nil)
		time.Sleep(time.Hour)
		if c.Current(time.Now()) == nil {
			t.Error("too old too early")
		}
		time.Sleep(2 * time.Second)
		if c.Current(time.Now()) != nil {
			t.Error("too old, and still used")
		}
		if _, err := c.Find(t.Context(), "a"); err == nil || errors.Is(err, jwks.ErrUnknown) {
			t.Errorf("keys that are too old: %v", err)
		}
	})
	seed, err := jwks.Parse(document(entry(0, "a")))
	if err != nil {
		t.Fatal(err)
	}
	bubble(t, jwks.Config{Seed: seed, Offline: true, MaxStale: time.Hour}, func(t *testing.T, c *jwks.Cache, s *server) {
		time.Sleep(1000 * time.Hour)
		find(t, c, "a", nil, 0)
		find(t, c, "b", jwks.ErrUnknown, 0)
		if c.Current(time.Now()) == nil || s.fetches() != 0 {
			t.Errorf("an offline cache lost its keys, or made %d fetches", s.fetches())
		}
	})
}

// Close ends a running fetch and prevents others.
func TestClose(t *testing.T) {
	bubble(t, jwks.Config{}, func(t *testing.T, c *jwks.Cache, s *server) {
		var tasks sync.WaitGroup
		tasks.Go(func() {
			if _, err := c.Find(t.Context(), "a"); err == nil || errors.Is(err, jwks.ErrUnknown) {
				t.Errorf("closed meanwhile: %v", err)
			}
		})
		time.Sleep(500 * time.Millisecond)
		began := time.Now()
		c.Close()
		if d := time.Since(began); d != 0 {
			t.Errorf("Close took %v", d)
		}
		tasks.Wait()
		time.Sleep(time.Hour)
		if _, err := c.Find(t.Context(), "a"); err == nil || errors.Is(err, jwks.ErrUnknown) {
			t.Errorf("after Close: %v", err)
		}
		c.Current(time.Now())
		synctest.Wait()
		if n := s.fetches(); n != 1 {
			t.Errorf("%d fetches, want 1", n)
		}
	})
}

// A closed cache does not refresh its keys, and they stay usable.
func TestCurrentAfterClose(t *testing.T) {
	bubble(t, jwks.Config{}, func(t *testing.T, c *jwks.Cache, s *server) {
		find(t, c, "a", nil, time.Second)
		c.Close()
		time.Sleep(time.Hour)
		if c.Current(time.Now()) == nil {
			t.Error("the keys are gone")
		}
		synctest.Wait()
		if n := s.fetches(); n != 1 {
			t.Errorf("%d fetches, want 1", n)
		}
	})
}

// Fetches that fail cost nothing of what unknown ids are allowed.
func TestFailuresAreNotCounted(t *testing.T) {
	bubble(t, jwks.Config{}, func(t *testing.T, c *jwks.Cache, s *server) {
		find(t, c, "a", nil, time.Second)
		s.serve(nil)
		for range 2 {
			if _, err := c.Find(t.Context(), "b"); err == nil || errors.Is(err, jwks.ErrUnknown) {
				t.Error(err)
			}
			time.Sleep(2500 * time.Millisecond) // the pause after a failure, and the bucket gets no token in all that
		}
		s.serve(document(entry(0, "a")))
		find(t, c, "c", jwks.ErrUnknown, time.Second)
		find(t, c, "d", jwks.ErrUnknown, time.Second)
	})
}

// The text of a failure is one short line, whatever the transport says.
func TestDownloadError(t *testing.T) {
	keys()
	synctest.Test(t, func(t *testing.T) {
		c := jwks.New(jwks.Config{URL: "https://keys.example.com/", Timeout: time.Second, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("Accept") != "application/json" || !strings.HasPrefix(r.Header.Get("User-Agent"), "stytch-m2m-go/") {
				t.Errorf("the request has the header %v", r.Header)
			}
			return nil, errors.New("line 1\r\nline 2 " + strings.Repeat("x", 1000))
		})})
		_, err := c.Find(t.Context(), "a")
		if err == nil || strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 250 || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%v", err)
		}
		c.Close()
	})
}

// A transport that breaks its contract, panics or ends its goroutine costs one fetch, and nothing
// else.
func TestBadTransport(t *testing.T) {
	keys()
	for name, test := range map[string]struct {
		transport roundTrip
		want      string
	}{
		"panic":     {func(*http.Request) (*http.Response, error) { panic("why\nit broke") }, "http.RoundTripper panicked: why it broke"},
		"nil panic": {func(*http.Request) (*http.Response, error) { var r *http.Response; return r, r.Body.Close() }, "http.RoundTripper panicked: "},
		"nothing":   {func(*http.Request) (*http.Response, error) { return nil, nil }, "returned no response and no error"},
		"no body":   {func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 200}, nil }, "returned no response and no error"},
		"bad body": {func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: badBody{}}, nil
		}, "panicked: "},
		"bad error":      {func(*http.Request) (*http.Response, error) { return nil, badError{} }, "panicked: "},
		"goroutine over": {func(*http.Request) (*http.Response, error) { runtime.Goexit(); return nil, nil }, "ended its goroutine"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var seen []jwks.Fetch
			c := jwks.New(jwks.Config{URL: "https://keys.example.com/", Timeout: time.Second, Transport: test.transport,
				Observe: func(_ context.Context, f jwks.Fetch) {
					mu.Lock()
					defer mu.Unlock()
					seen = append(seen, f)
				}})
			for range 2 {
				if _, err := c.Find(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s: %v", name, err)
				}
				time.Sleep(5 * time.Second)
			}
			c.Close()
			if len(seen) != 2 || seen[1].Failures != 2 {
				t.Errorf("%s: %+v", name, seen)
			}
		})
	}
}

// A transport that ignores its context holds up neither a caller nor Close.
func TestTransportIgnoresContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		c := jwks.New(jwks.Config{URL: "https://keys.example.com/", Timeout: 5 * time.Second,
			Transport: roundTrip(func(*http.Request) (*http.Response, error) { <-release; return nil, io.EOF })})
		began := time.Now()
		if _, err := c.Find(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), "ignores the end of its context") || time.Since(began) != 6*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		time.Sleep(time.Minute)
		go c.Find(t.Context(), "a")
		synctest.Wait()
		began = time.Now()
		if c.Close(); time.Since(began) > time.Second {
			t.Errorf("Close took %v", time.Since(began))
		}
	})
}

type badBody struct{}

func (badBody) Read([]byte) (int, error) { panic("read") }
func (badBody) Close() error             { panic("close") }

type badError struct{}

func (badError) Error() string { panic("an error that panics") }

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
