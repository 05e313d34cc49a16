// Package try calls the example servers as their clients would, with one table for all of them.
package try

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
	"github.com/stytchkit/m2m/stytch/verify"
)

const (
	client       = "m2m-client-test-00000000-0000-4000-8000-000000000001"
	clientSecret = "Correct-Horse-9"
)

// Server tests the server that newHandler makes: /health is open, GET /users needs read:users, POST
// /users needs write:users as well. Tokens come from package token.
func Server(t *testing.T, newHandler func(*verify.Verifier) http.Handler) {
	stytch := emulatortest.NewServer(t, emulator.WithM2MClient(emulator.M2MClientSeed{
		ClientID: client, Secret: clientSecret, Scopes: []string{"read:users", "read:invoices"},
	}))
	v, err := verify.New(stytch.ProjectID, verify.WithBaseURL(stytch.URL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	api := httptest.NewServer(newHandler(v))
	defer api.Close()

	source, err := token.New(stytch.ProjectID, token.Static(client, secret.New(clientSecret)), token.WithBaseURL(stytch.URL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = source.Close() })
	bearer := func(scope string) string {
		found, err := source.TokenFor(t.Context(), token.Request{Scopes: []string{scope}})
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + found.Value.Reveal()
	}
	users, invoices := bearer("read:users"), bearer("read:invoices")
	for _, test := range []struct {
		name, method, path, authorization string
		status                            int
		body, challenge                   string
	}{
		{"open", "GET", "/health", "", 200, "ok", ""},
		{"no token", "GET", "/users", "", 401, "unauthorized", `Bearer realm="api"`},
		{"bad token", "GET", "/users", "Bearer x.y.z", 401, "invalid_token", `error="invalid_token"`},
		{"another scope", "GET", "/users", invoices, 403, "insufficient_scope", `scope="read:users"`},
		{"good", "GET", "/users", users, 200, "hello " + client, ""},
		{"one scope of two", "POST", "/users", users, 403, "insufficient_scope", `scope="write:users"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), test.method, api.URL+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.authorization != "" {
				request.Header.Set("Authorization", test.authorization)
			}
			response, err := api.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			challenge := response.Header.Get("WWW-Authenticate")
			if response.StatusCode != test.status || !strings.Contains(string(body), test.body) || !strings.Contains(challenge, test.challenge) {
				t.Errorf("%d %q %s, want %d %q %s", response.StatusCode, challenge, body, test.status, test.challenge, test.body)
			}
			if test.status != http.StatusOK && strings.Contains(string(body), "hello") {
				t.Error("the handler ran although the request was refused")
			}
		})
	}
}
