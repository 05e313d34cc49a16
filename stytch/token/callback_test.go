package token_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

// hooks is one implementation of everything that a source can be given.
type hooks struct {
	credential, get, put, lease, release, roundTrip, read, observe, alarm func(context.Context)

	events events
}

func run(f func(context.Context), ctx context.Context) {
	if f != nil {
		f(ctx)
	}
}

func (h *hooks) Credential(ctx context.Context) (token.Credential, error) {
	run(h.credential, ctx)
	return token.Credential{ClientID: client, Secret: secret.New(canarySecret)}, nil
}
func (h *hooks) Get(ctx context.Context, _ string) ([]byte, error) { run(h.get, ctx); return nil, nil }
func (h *hooks) Put(ctx context.Context, _ string, _ []byte, _ time.Duration) error {
	run(h.put, ctx)
	return nil
}
func (h *hooks) Lease(ctx context.Context, _, _ string, _ time.Duration) (bool, error) {
	run(h.lease, ctx)
	return true, nil
}
func (h *hooks) Release(ctx context.Context, _, _ string) error { run(h.release, ctx); return nil }

func (h *hooks) RoundTrip(r *http.Request) (*http.Response, error) {
	run(h.roundTrip, r.Context())
	resp := issue(1, nil)
	if h.read != nil {
		resp.Body = io.NopCloser(readerFunc(func([]byte) (int, error) { h.read(r.Context()); return 0, io.EOF }))
	}
	return resp, nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func (h *hooks) source(t *testing.T) *token.Source {
	t.Helper()
	observe := func(ctx context.Context, e token.Event) {
		h.events.mu.Lock()
		h.events.all = append(h.events.all, e)
		h.events.mu.Unlock()
		run(h.observe, ctx)
	}
	s, err := token.New(project, token.Func(h.Credential), token.WithHTTPClient(&http.Client{Transport: h}), token.WithStore(h),
		token.WithObserver(observe), token.WithBudget(1, func(int, int) { run(h.alarm, context.Background()) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// places are where code of others runs, and what is left of the token if that code fails.
var places = []struct {
	name   string
	set    func(*hooks, func(context.Context))
	fails  error // of Token; nil: a token comes
	events int   // of the kind Panicked
}{
	{"Credentials", func(h *hooks, f func(context.Context)) { h.credential = f }, token.ErrCredentials, 1},
	{"Store.Get", func(h *hooks, f func(context.Context)) { h.get = f }, nil, 1},
	{"Store.Put", func(h *hooks, f func(context.Context)) { h.put = f }, nil, 1},
	{"Store.Lease", func(h *hooks, f func(context.Context)) { h.lease = f }, nil, 1},
	{"Store.Release", func(h *hooks, f func(context.Context)) { h.release = f }, nil, 1},
	{"RoundTripper", func(h *hooks, f func(context.Context)) { h.roundTrip = f }, token.ErrUnavailable, 1},
	{"RoundTripper", func(h *hooks, f func(context.Context)) { h.read = f }, token.ErrUnavailable, 1}, // its body
	{"WithObserver", func(h *hooks, f func(context.Context)) { h.observe = f }, nil, 0},
	{"WithBudget", func(h *hooks, f func(context.Context)) { h.alarm = f }, nil, 1},
}

// A panic in code of others ends neither the process nor the source: it is an error, an event with
// the stack, and a count.
func TestPanics(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, canary := &hooks{}, ""
				if p.name == "RoundTripper" { // which knows the secret
					canary = " with " + url.QueryEscape(canarySecret)
				}
				p.set(h, func(context.Context) { panic("no\nroute" + canary) })
				s := h.source(t)
				got, err := s.Token(t.Context())
				if p.fails != nil {
					if !errors.Is(err, p.fails) || !strings.Contains(err.Error(), p.name+" panicked: no route") || strings.Contains(fmt.Sprint(err), "canary") {
						t.Errorf("error %v", err)
					}
				} else if err != nil || got.Value.IsZero() {
					t.Errorf("error %v, and no token", err)
				}
				synctest.Wait()
				if s.Stats().Panics == 0 {
					t.Error("not counted")
				}
				seen := h.events.of(token.Panicked)
				if len(seen) != p.events {
					t.Fatalf("%d events", len(seen))
				}
				for _, e := range seen {
					if !strings.Contains(e.Err.Error(), p.name+" panicked: no route") || !strings.Contains(e.Stack, "TestPanics") ||
						strings.Contains(e.Err.Error()+e.Stack, "canary") {
						t.Errorf("event %v, stack %s", e.Err, e.Stack)
					}
				}
			})
		})
	}
}

// Code that ignores its context holds up neither Close nor the callers for longer than a moment.
func TestCloseLeavesBehind(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &hooks{}
				var running atomic.Int64
				p.set(h, func(context.Context) {
					running.Add(1)
					time.Sleep(time.Hour)
					running.Add(-1)
				})
				s := h.source(t)
				start := time.Now()
				waiting, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, _ = s.Token(waiting)
				synctest.Wait() // for the observer
				if running.Load() == 0 {
					t.Fatal("it does not run: this test proves nothing")
				}
				if err := s.Close(); err != nil || time.Since(start) > 6*time.Second {
					t.Errorf("%v after %v", err, time.Since(start))
				}
				if _, err := s.Token(t.Context()); !errors.Is(err, token.ErrClosed) {
					t.Error(err)
				}
				time.Sleep(2 * time.Hour) // the bubble would not end before
			})
		})
	}
}

// Credentials that never arrive do not block the source for ever.
func TestCredentialsThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, start := &hooks{credential: func(context.Context) { time.Sleep(time.Hour) }}, time.Now()
		if _, err := h.source(t).Token(t.Context()); !errors.Is(err, token.ErrCredentials) || time.Since(start) > 35*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		time.Sleep(2 * time.Hour)
	})
}

// A source that New did not make is an error, not a panic.
func TestZeroSource(t *testing.T) {
	for _, s := range []*token.Source{nil, {}} {
		if _, err := s.Token(t.Context()); !errors.Is(err, token.ErrInvalidArgument) {
			t.Error(err)
		}
		if _, err := s.TokenFor(t.Context(), token.Request{}); !errors.Is(err, token.ErrInvalidArgument) {
			t.Error(err)
		}
		if _, err := get(t, s.Transport(nil, "api.example.com"), "https://api.example.com/"); !errors.Is(err, token.ErrInvalidArgument) {
			t.Error(err)
		}
		s.Invalidate(token.Token{Value: secret.New("x")})
		if err := s.Close(); err != nil || s.Stats() != (token.Stats{}) || !strings.HasPrefix(fmt.Sprint(s), "token.Source(") {
			t.Errorf("%v, %v", err, s)
		}
	}
}

type pointer struct{ token.Store }

func (p *pointer) Credential(context.Context) (token.Credential, error) {
	return token.Credential{}, nil
}

// A nil pointer in an interface is found when the source is made, not when a token is needed.
func TestNilPointers(t *testing.T) {
	var none *pointer
	var transport *http.Transport
	credentials := token.Static(client, secret.New(canarySecret))
	for name, make := range map[string]func() (*token.Source, error){
		"credentials": func() (*token.Source, error) { return token.New(project, none) },
		"store":       func() (*token.Source, error) { return token.New(project, credentials, token.WithStore(none)) },
		"transport": func() (*token.Source, error) {
			return token.New(project, credentials, token.WithHTTPClient(&http.Client{Transport: transport}))
		},
	} {
		if _, err := make(); !errors.Is(err, token.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
