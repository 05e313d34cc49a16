package stytch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
)

// rotation is what differs between the two families that rotate secrets.
type rotation struct {
	name    string // in operation ids
	payload string // where a response holds the client
	secrets func(*stytch.Client) *stytch.Secrets
	create  func(*testing.T, *stytch.Client) (id string, first secret.String)
	tokens  bool // a token request can prove that a secret works
}

func rotations() []rotation {
	return []rotation{
		{"M2MClient", "m2m_client", func(c *stytch.Client) *stytch.Secrets { return c.M2M.Secrets },
			func(t *testing.T, c *stytch.Client) (string, secret.String) {
				created, err := c.M2M.Create(t.Context(), stytch.M2MCreate{Scopes: []string{"read:users"}})
				if err != nil {
					t.Fatal(err)
				}
				return created.ClientID, created.ClientSecret
			}, true},
		{"ConnectedApp", "connected_app", func(c *stytch.Client) *stytch.Secrets { return c.ConnectedApps.Secrets },
			func(t *testing.T, c *stytch.Client) (string, secret.String) {
				created, err := c.ConnectedApps.Create(t.Context(), stytch.ConnectedAppCreate{ClientType: stytch.ThirdParty})
				if err != nil {
					t.Fatal(err)
				}
				return created.ClientID, created.ClientSecret
			}, false},
	}
}

func eachRotation(t *testing.T, test func(t *testing.T, r rotation)) {
	for _, r := range rotations() {
		t.Run(r.name, func(t *testing.T) { test(t, r) })
	}
}

func lastFourOf(s secret.String) string {
	text := s.Reveal()
	return text[max(0, len(text)-4):]
}

// state checks which secrets a client has and, where tokens can show it, that these and no others
// work.
func (r rotation) state(t *testing.T, l local, id string, current, next secret.String, dead ...secret.String) {
	t.Helper()
	got, err := r.secrets(l.client).LastFour(t.Context(), id)
	if want := (secret.LastFour{Current: lastFourOf(current), Next: lastFourOf(next)}); err != nil || got != want || got.Rotating() == next.IsZero() {
		t.Errorf("Pending: %+v, %v; want %+v", got, err, want)
	}
	if !r.tokens {
		return
	}
	for _, s := range []secret.String{current, next} {
		if !s.IsZero() && tokenStatus(l, id, s) != 200 {
			t.Error("a secret that should work does not")
		}
	}
	for _, s := range dead {
		if tokenStatus(l, id, s) == 200 {
			t.Error("a secret that should be refused works")
		}
	}
}

func TestRotation(t *testing.T) {
	eachRotation(t, func(t *testing.T, r rotation) {
		l := newLocal(t)
		secrets, none := r.secrets(l.client), secret.String{}
		id, first := r.create(t, l.client)
		r.state(t, l, id, first, none)

		if err := secrets.Complete(t.Context(), id); !errors.Is(err, stytch.ErrNotRotating) {
			t.Errorf("Complete while idle: %v", err)
		}
		if err := secrets.Cancel(t.Context(), id); !errors.Is(err, stytch.ErrNotRotating) {
			t.Errorf("Cancel while idle: %v", err)
		}
		r.state(t, l, id, first, none)

		second, err := secrets.Start(t.Context(), id)
		if err != nil || second.IsZero() || second.Equal(first) {
			t.Fatalf("Start: %v", err)
		}
		r.state(t, l, id, first, second)
		if again, err := secrets.Start(t.Context(), id); !errors.Is(err, stytch.ErrRotating) || !again.IsZero() {
			t.Errorf("Start while rotating: %v", err)
		}
		r.state(t, l, id, first, second)

		if err := secrets.Cancel(t.Context(), id); err != nil {
			t.Errorf("Cancel: %v", err)
		}
		r.state(t, l, id, first, none, second)

		third, err := secrets.Start(t.Context(), id)
		if err != nil {
			t.Fatalf("Start after Cancel: %v", err)
		}
		r.state(t, l, id, first, third, second)
		if err := secrets.Complete(t.Context(), id); err != nil {
			t.Errorf("Complete: %v", err)
		}
		r.state(t, l, id, third, none, first, second)
	})
}

// steps calls each step of a rotation and names its operation.
func (r rotation) steps() map[string]func(context.Context, *stytch.Client, string) error {
	return map[string]func(context.Context, *stytch.Client, string) error{
		"Start" + r.name + "SecretRotation": func(ctx context.Context, c *stytch.Client, id string) error {
			next, err := r.secrets(c).Start(ctx, id)
			if err != nil && !next.IsZero() {
				return errors.New("a secret came with an error")
			}
			return err
		},
		"Complete" + r.name + "SecretRotation": func(ctx context.Context, c *stytch.Client, id string) error { return r.secrets(c).Complete(ctx, id) },
		"Cancel" + r.name + "SecretRotation":   func(ctx context.Context, c *stytch.Client, id string) error { return r.secrets(c).Cancel(ctx, id) },
	}
}

func TestRotationErrors(t *testing.T) {
	eachRotation(t, func(t *testing.T, r rotation) {
		l := newLocal(t)
		for operation, step := range r.steps() {
			var e *stytch.Error
			if err := step(t.Context(), l.client, "nobody"); !errors.Is(err, stytch.ErrNotFound) || !errors.As(err, &e) || e.Operation != operation {
				t.Errorf("%s of nobody: %v", operation, err)
			}
			before := len(l.Requests())
			if err := step(t.Context(), l.client, "../search"); !errors.Is(err, stytch.ErrInvalidArgument) || !strings.Contains(err.Error(), operation) || len(l.Requests()) != before {
				t.Errorf("%s of a bad id: %v, %d requests", operation, err, len(l.Requests())-before)
			}
		}
		if last, err := r.secrets(l.client).LastFour(t.Context(), "nobody"); !errors.Is(err, stytch.ErrNotFound) || last != (secret.LastFour{}) {
			t.Errorf("LastFour of nobody: %+v, %v", last, err)
		}
		if _, err := r.secrets(l.client).LastFour(t.Context(), ""); !errors.Is(err, stytch.ErrInvalidArgument) {
			t.Errorf("Pending of no id: %v", err)
		}
	})

	l := newLocal(t)
	for _, kind := range []stytch.ConnectedAppType{stytch.FirstPartyPublic, stytch.ThirdPartyPublic} {
		app, err := l.client.ConnectedApps.Create(t.Context(), stytch.ConnectedAppCreate{ClientType: kind})
		if err != nil || !app.ClientSecret.IsZero() {
			t.Fatalf("%s: %v", kind, err)
		}
		for operation, step := range rotations()[1].steps() {
			if err := step(t.Context(), l.client, app.ClientID); !errors.Is(err, stytch.ErrNoSecret) {
				t.Errorf("%s of a %s app: %v", operation, kind, err)
			}
		}
		if last, err := l.client.ConnectedApps.Secrets.LastFour(t.Context(), app.ClientID); !errors.Is(err, stytch.ErrNoSecret) || last != (secret.LastFour{}) {
			t.Errorf("LastFour of a %s app: %+v, %v", kind, last, err)
		}
	}
}

// No step is ever sent twice when its response is lost, whatever lost it; the error says so, and
// Pending what became of it.
func TestRotationStepsAreSentOnce(t *testing.T) {
	eachRotation(t, func(t *testing.T, r rotation) {
		for operation, step := range r.steps() {
			t.Run(operation, func(t *testing.T) {
				inBubbles(t, func(t *testing.T, f someFault) {
					l := newLocal(t)
					id, _ := r.create(t, l.client)
					if !strings.HasPrefix(operation, "Start") {
						if _, err := r.secrets(l.client).Start(t.Context(), id); err != nil {
							t.Fatal(err)
						}
					}
					remove := l.Inject(f.fault(operation).Times(1))
					err := step(t.Context(), l.client, id)
					remove()
					sent := l.count(operation)
					switch {
					case f.unknown:
						if !errors.Is(err, stytch.ErrOutcomeUnknown) || !strings.Contains(err.Error(), "Secrets.LastFour") || sent != 1 {
							t.Errorf("got %v after %d requests; want ErrOutcomeUnknown after 1", err, sent)
						}
					case f.refused:
						if err == nil || errors.Is(err, stytch.ErrOutcomeUnknown) || sent != 1 {
							t.Errorf("got %v after %d requests; want a refusal after 1", err, sent)
						}
					case err != nil || sent != 2:
						t.Errorf("got %v after %d requests; want a success after 2", err, sent)
					}
					// Whatever happened, the advice leads back to a rotation that works.
					if last, err := r.secrets(l.client).LastFour(t.Context(), id); err != nil {
						t.Error(err)
					} else if last.Rotating() {
						if err := r.secrets(l.client).Cancel(t.Context(), id); err != nil {
							t.Error(err)
						}
					}
					if _, err := r.secrets(l.client).Start(t.Context(), id); err != nil {
						t.Error(err)
					}
					if err := r.secrets(l.client).Complete(t.Context(), id); err != nil {
						t.Error(err)
					}
				})
			})
		}
	})
}

// The SDK is right however Stytch treats the steps that its documentation is silent about.
func TestRotationUnderOtherBehavior(t *testing.T) {
	eachRotation(t, func(t *testing.T, r rotation) {
		e, err := emulator.New(emulator.WithProject(canaryProject, canarySecret), emulator.WithBehavior(emulator.Behavior{
			StartWhileRotating: emulator.Replace, FinishWhileIdle: emulator.Ignore, NextSecretAbsent: true, CreateStatus: 201,
		}))
		if err != nil {
			t.Fatal(err)
		}
		l := local{e, clientInMemory(t, e.ServeHTTP)}
		secrets, none := r.secrets(l.client), secret.String{}
		id, first := r.create(t, l.client)
		r.state(t, l, id, first, none)
		if err := errors.Join(secrets.Complete(t.Context(), id), secrets.Cancel(t.Context(), id)); err != nil {
			t.Error(err)
		}
		second, err := secrets.Start(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		third, err := secrets.Start(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		r.state(t, l, id, first, third, second)
	})
}

// A server that lies about the one response with a secret is not believed.
func TestRotationRefusesBadSecrets(t *testing.T) {
	eachRotation(t, func(t *testing.T, r rotation) {
		for name, member := range map[string]string{
			"no secret":     ``,
			"null":          `,"next_client_secret":null`,
			"empty":         `,"next_client_secret":""`,
			"number":        `,"next_client_secret":12345678`,
			"redacted":      `,"next_client_secret":"[REDACTED]"`,
			"twice":         `,"next_client_secret":"canary-one","next_client_secret":"canary-two"`,
			"invalid UTF-8": ",\"next_client_secret\":\"canary\xff\"",
		} {
			t.Run(name, func(t *testing.T) {
				sent := 0
				client := clientInMemory(t, func(w http.ResponseWriter, _ *http.Request) {
					sent++
					writeJSON(w, 200, fmt.Sprintf(`{%q:{"client_id":"a"%s},"request_id":"request-id-test-start","status_code":200}`, r.payload, member))
				})
				next, err := r.secrets(client).Start(t.Context(), "a")
				var e *stytch.Error
				if !next.IsZero() || !errors.Is(err, stytch.ErrInvalidResponse) || !errors.Is(err, stytch.ErrOutcomeUnknown) || !errors.As(err, &e) {
					t.Fatalf("got a secret: %t, and %v", !next.IsZero(), err)
				}
				if e.RequestID != "request-id-test-start" || e.StatusCode != 200 || e.Operation != "Start"+r.name+"SecretRotation" || sent != 1 {
					t.Errorf("%d requests, and lost in the error: %+v", sent, e)
				}
				if strings.Contains(err.Error(), "canary") {
					t.Error("the error holds the secret")
				}
			})
		}
	})
}

// The response to a creation is held to the same: without its secret it is worth nothing.
func TestCreateRefusesResponsesWithoutSecret(t *testing.T) {
	client := clientInMemory(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		writeJSON(w, 200, `{"m2m_client":{"client_id":"a"},"connected_app":{"client_id":"a"},"request_id":"request-id-test-create","status_code":200}`)
	})
	_, fromM2M := client.M2M.Create(t.Context(), stytch.M2MCreate{Scopes: []string{"a"}})
	_, fromFirst := client.ConnectedApps.Create(t.Context(), stytch.ConnectedAppCreate{ClientType: stytch.FirstParty})
	_, fromThird := client.ConnectedApps.Create(t.Context(), stytch.ConnectedAppCreate{ClientType: stytch.ThirdParty})
	for _, err := range []error{fromM2M, fromFirst, fromThird} {
		var e *stytch.Error
		if !errors.Is(err, stytch.ErrInvalidResponse) || !errors.Is(err, stytch.ErrOutcomeUnknown) || !errors.As(err, &e) || e.RequestID != "request-id-test-create" {
			t.Errorf("got %v", err)
		}
	}
	for _, kind := range []stytch.ConnectedAppType{stytch.FirstPartyPublic, stytch.ThirdPartyPublic, "a_type_of_tomorrow"} {
		if _, err := client.ConnectedApps.Create(t.Context(), stytch.ConnectedAppCreate{ClientType: kind}); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
