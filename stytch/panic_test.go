package stytch_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
)

// nilError is an error that is a nil pointer.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

// panicking is a body that does not even fail properly.
type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("in Read, with " + canarySecret) }
func (panicking) Close() error             { panic("in Close") }

// A panic of code that the caller provided is an error of the call: what may have had its effect
// says so, and nothing of the secret is shown.
func TestPanicsOfTransports(t *testing.T) {
	for name, respond := range map[string]func(int, *http.Request) (*http.Response, error){
		"RoundTripper": func(int, *http.Request) (*http.Response, error) { panic("no route, " + canarySecret) },
		"runtime error": func(int, *http.Request) (*http.Response, error) {
			var m map[string]int
			m["a"] = 1 //nolint:staticcheck // it panics
			return nil, nil
		},
		"nil error": func(int, *http.Request) (*http.Response, error) { return nil, (*nilError)(nil) },
		"body": func(int, *http.Request) (*http.Response, error) {
			resp := replyJSON(200, "")
			resp.Body, resp.ContentLength = panicking{}, -1
			return resp, nil
		},
		"body of an error": func(int, *http.Request) (*http.Response, error) {
			resp := replyJSON(500, "")
			resp.Body, resp.ContentLength = panicking{}, -1
			return resp, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, e := range endpoints {
				for _, way := range e.ways() {
					w := &wire{respond: respond}
					err := way.call(t.Context(), t, clientOn(t, w, once()), "a")
					if err == nil || !strings.Contains(err.Error(), "panicked") && name != "body of an error" || quotes(err.Error()) {
						t.Errorf("%s, %s: %v", e.op.ID, way.name, err)
					}
					if unknown := e.op.Safety == operation.ShownOnce; errors.Is(err, stytch.ErrOutcomeUnknown) != unknown {
						t.Errorf("%s, %s: outcome unknown should be %t: %v", e.op.ID, way.name, unknown, err)
					}
				}
			}
		})
	}
	w := &wire{respond: func(int, *http.Request) (*http.Response, error) { panic("again") }}
	if _, err := clientOn(t, w).M2M.Get(t.Context(), "a"); err == nil || len(w.requests()) != 1 {
		t.Errorf("%d attempts, want 1: it would panic again: %v", len(w.requests()), err)
	}
	if _, err := rawOn(t, clientOn(t, w)).UpdateM2MClientWithBody(t.Context(), "a", "application/json", io.MultiReader(panicking{})); err == nil || quotes(err.Error()) {
		t.Errorf("a request body: %v", err)
	}
}

// An observer that panics takes nothing from the call.
func TestPanicOfAnObserver(t *testing.T) {
	c := clientOn(t, always(200, "application/json", success(operation.CreateM2MClient)), stytch.WithObserver(func(context.Context, stytch.Attempt) { panic("observer") }))
	if created, err := c.M2M.Create(t.Context(), stytch.M2MCreate{Scopes: []string{"s"}}); err != nil || created.ClientSecret.IsZero() {
		t.Errorf("%v", err)
	}
}
