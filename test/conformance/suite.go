package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/stytch"
)

// A suite is one run.
type suite struct {
	api      *stytch.Client
	raw      *gen.ClientWithResponses // for tokens and keys, which the wrapper does not cover
	live     bool
	patience time.Duration
	prefix   string
	keys     []gen.JWK // that verify tokens
	domain   string    // the issuer that the metadata name, if there are any
	named    atomic.Int64
	tokens   atomic.Int64
}

func (s *suite) name() string { return fmt.Sprintf("%s-%d", s.prefix, s.named.Add(1)) }

func (s *suite) owns(name string) bool { return strings.HasPrefix(name, s.prefix+"-") }

// unknownID returns an id in the format of Stytch that no client has.
func (s *suite) unknownID(family string) string {
	env := "test"
	if strings.HasPrefix(s.api.ProjectID(), "project-live-") {
		env = "live"
	}
	return family + "-" + env + "-00000000-0000-4000-8000-000000000000"
}

// assumed asserts a fact that the contract marks as assumed. In a live run it only logs the fact.
func (s *suite) assumed(t reporter, fact string, holds bool, seen any) {
	t.Helper()
	switch {
	case s.live:
		t.Logf("observed: %s: %t (%v)", fact, holds, seen)
	case !holds:
		t.Errorf("assumed: %s; seen: %v", fact, seen)
	}
}

// newM2M creates a client under a name of this run, which is removed when the test ends.
func (s *suite) newM2M(t reporter, r stytch.M2MCreate) *stytch.M2MClientWithSecret {
	t.Helper()
	created, err := s.tryM2M(t, t.Context(), r)
	must(t, err, "create an M2M client")
	return created
}

func (s *suite) tryM2M(t reporter, ctx context.Context, r stytch.M2MCreate) (created *stytch.M2MClientWithSecret, err error) {
	r.ClientName = s.name()
	if r.Scopes == nil {
		r.Scopes = []string{"read:conformance", "write:conformance"}
	}
	s.atEnd(t, func(ctx context.Context) error {
		switch {
		case err == nil:
			return s.removeM2M(ctx, created.ClientID)
		case errors.Is(err, stytch.ErrInvalidArgument):
			return nil // nothing was sent
		}
		return s.sweepM2M(ctx, r.ClientName)
	})
	created, err = s.api.M2M.Create(ctx, r)
	return created, err
}

// sweepM2M removes a client whose id this run never received.
func (s *suite) sweepM2M(ctx context.Context, name string) error {
	for found, err := range s.api.M2M.Search(ctx, stytch.M2MSearch{Filter: stytch.All(stytch.ClientNameIn(name))}) {
		if err != nil {
			return err
		}
		if !s.owns(found.ClientName) { // a server may ignore the filter; never remove clients of others
			continue
		}
		if err := s.removeM2M(ctx, found.ClientID); err != nil {
			return err
		}
	}
	return nil
}

func (s *suite) removeM2M(ctx context.Context, id string) error {
	if err := s.api.M2M.Delete(ctx, id); !errors.Is(err, stytch.ErrNotFound) {
		return err
	}
	return nil
}

// newApp is newM2M for Connected Apps.
func (s *suite) newApp(t reporter, r stytch.ConnectedAppCreate) *stytch.ConnectedAppWithSecret {
	t.Helper()
	created, err := s.tryApp(t, r)
	must(t, err, "create a Connected App")
	return created
}

func (s *suite) tryApp(t reporter, r stytch.ConnectedAppCreate) (created *stytch.ConnectedAppWithSecret, err error) {
	r.ClientName = s.name()
	s.atEnd(t, func(ctx context.Context) error {
		if err == nil {
			return s.removeApp(ctx, created.ClientID)
		}
		return s.sweepApps(ctx, r.ClientName)
	})
	created, err = s.api.ConnectedApps.Create(t.Context(), r)
	return created, err
}

func (s *suite) sweepApps(ctx context.Context, name string) error {
	for found, err := range s.api.ConnectedApps.Search(ctx, stytch.ConnectedAppSearch{}) {
		if err != nil {
			return err
		}
		if found.ClientName != name {
			continue
		}
		if err := s.removeApp(ctx, found.ClientID); err != nil {
			return err
		}
	}
	return nil
}

func (s *suite) removeApp(ctx context.Context, id string) error {
	if err := s.api.ConnectedApps.Delete(ctx, id); !errors.Is(err, stytch.ErrNotFound) {
		return err
	}
	return nil
}

// atEnd cleans up with a new context, because the context of the test has ended by then.
func (s *suite) atEnd(t reporter, clean func(context.Context) error) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if err := clean(ctx); err != nil {
			t.Errorf("clean up: %v; remove what is named %s-… by hand", err, s.prefix)
		}
	})
}

func must(t reporter, err error, doing string) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", doing, err)
	}
}

// refused reports whether Stytch itself refused the request.
func refused(err error) bool {
	var e *stytch.Error
	return errors.As(err, &e) && e.StatusCode >= 400 && e.StatusCode < 500 && e.StatusCode != http.StatusTooManyRequests && e.Type != ""
}

// show encodes a response. Its secrets encode as a placeholder.
func show(response any) string {
	data, err := json.Marshal(response)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// as returns a response without the fields that type T does not have.
func as[T any](t reporter, response any) (out T) {
	t.Helper()
	data, err := json.Marshal(response)
	must(t, err, "encode a response")
	must(t, json.Unmarshal(data, &out), "decode a response")
	return out
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
