package token_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

const operation = "IssueM2MToken"

// seeded is a local Stytch with one client.
func seeded(t *testing.T, options ...emulator.Option) *emulator.Server {
	t.Helper()
	return emulatortest.NewServer(t, append(options, emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: client, Secret: canarySecret, Scopes: []string{"read:users"}}))...)
}

func sourceOn(t *testing.T, e *emulator.Server, credentials token.Credentials, options ...token.Option) *token.Source {
	t.Helper()
	s, err := token.New(e.ProjectID, credentials, append([]token.Option{token.WithBaseURL(e.URL), token.WithHTTPClient(e.Client())}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestErrorsOfTheEmulator(t *testing.T) {
	good := token.Static(client, secret.New(canarySecret))
	for _, c := range []struct {
		name        string
		option      emulator.Option
		credentials token.Credentials
		source      token.Option
		want        error
		status      int
	}{
		{"wrong secret", nil, token.Static(client, secret.New("wrong-secret")), nil, token.ErrInvalidClient, 400},
		{"wrong secret, 401", emulator.WithBehavior(emulator.Behavior{InvalidClientStatus: 401}), token.Static(client, secret.New("wrong-secret")), nil, token.ErrInvalidClient, 401},
		{"unknown client", nil, token.Static("unknown", secret.New(canarySecret)), nil, token.ErrInvalidClient, 400},
		{"unknown scope", nil, good, token.WithScopes("write:users"), token.ErrInvalidScope, 400},
		{"503", emulator.WithFaults(emulator.Status(operation, 503)), good, nil, token.ErrUnavailable, 503},
		{"429", emulator.WithFaults(emulator.RateLimited(operation, "7")), good, nil, token.ErrRateLimited, 429},
		{"page of a proxy", emulator.WithFaults(emulator.HTML(operation, 502)), good, nil, token.ErrUnavailable, 502},
		{"captive portal", emulator.WithFaults(emulator.HTML(operation, 200)), good, nil, token.ErrInvalidResponse, 200},
		{"half an object", emulator.WithFaults(emulator.Garbage(operation, 200)), good, nil, token.ErrInvalidResponse, 200},
		{"cut off", emulator.WithFaults(emulator.CutBody(operation)), good, nil, token.ErrInvalidResponse, 200},
		{"nothing", emulator.WithFaults(emulator.EmptyBody(operation, 200)), good, nil, token.ErrInvalidResponse, 200},
		{"no response", emulator.WithFaults(emulator.DropResponse(operation)), good, nil, token.ErrUnavailable, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var options []emulator.Option
			if c.option != nil {
				options = append(options, c.option)
			}
			var own []token.Option
			if c.source != nil {
				own = append(own, c.source)
			}
			err := noToken(t, sourceOn(t, seeded(t, options...), c.credentials, own...))
			var detail *token.Error
			if !errors.Is(err, c.want) || !errors.As(err, &detail) || detail.StatusCode != c.status {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if detail.Type != "" && detail.RequestID == "" {
				t.Errorf("%v: the request id is lost", err)
			}
			if c.status == 429 && detail.RetryAfter != 7*time.Second {
				t.Errorf("retry after %v", detail.RetryAfter)
			}
		})
	}
}
