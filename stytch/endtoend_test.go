package stytch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
	"github.com/stytchkit/m2m/stytch/verify"
)

// vault is where a service keeps its credentials.
type vault struct {
	mu   sync.Mutex
	held token.Credential
}

func (v *vault) put(c token.Credential) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held = c
}

func (v *vault) read(context.Context) (token.Credential, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.held, nil
}

// TestEndToEnd is the life of a service that calls another one: tokens, the change of the signing
// key, the change of the secret, and the end of the client.
func TestEndToEnd(t *testing.T) {
	local := emulatortest.NewServer(t)
	api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	created, err := api.M2M.Create(ctx, stytch.M2MCreate{ClientName: "caller", Scopes: []string{"read:invoices"}})
	if err != nil {
		t.Fatal(err)
	}
	id := created.ClientID

	// The service that is called. It asks every time whether the client is active, as one with
	// a cold cache would.
	serve := func() *httptest.Server {
		verifier, err := verify.New(local.ProjectID, verify.WithBaseURL(local.URL),
			verify.WithActiveCheck(func(ctx context.Context, id string) (bool, error) {
				client, err := api.M2M.Get(ctx, id)
				if errors.Is(err, stytch.ErrNotFound) {
					return false, nil
				}
				return err == nil && client.Status == stytch.Active, err
			}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { verifier.Close() })
		server := httptest.NewServer(verifier.Require("read:invoices")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			claims, _ := verify.ClaimsFromContext(r.Context())
			fmt.Fprint(w, claims.ClientID)
		})))
		t.Cleanup(server.Close)
		return server
	}
	called := serve()

	// The service that calls.
	var keeper vault
	keeper.put(token.Credential{ClientID: id, Secret: created.ClientSecret})
	source, err := token.New(local.ProjectID, token.Func(keeper.read), token.WithBaseURL(local.URL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = source.Close() })
	call := func(step string, server *httptest.Server, want int) {
		t.Helper()
		address, _ := url.Parse(server.URL)
		client := &http.Client{Transport: source.Transport(nil, address.Host)}
		resp, err := client.Get(server.URL)
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", step, resp.StatusCode, want)
		}
	}
	renew := func(step string) {
		t.Helper()
		old, err := source.Token(ctx)
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		before := local.TokensMinted(id) // the token itself may be the same, within a second
		source.Invalidate(old)
		if _, err := source.Token(ctx); err != nil || local.TokensMinted(id) != before+1 {
			t.Fatalf("%s: no new token: %v", step, err)
		}
	}

	for range 3 {
		call("first calls", called, http.StatusOK)
	}
	if n := local.TokensMinted(id); n != 1 {
		t.Errorf("%d tokens for three calls", n)
	}

	local.RotateSigningKey()
	call("old key still listed", called, http.StatusOK)
	renew("new key")
	call("new key", called, http.StatusOK)

	next, err := api.M2M.Secrets.Start(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	keeper.put(token.Credential{ClientID: id, Secret: created.ClientSecret, Next: next})
	renew("both secrets")
	call("both secrets", called, http.StatusOK)
	if err := api.M2M.Secrets.Complete(ctx, id); err != nil {
		t.Fatal(err)
	}
	renew("the old secret is first and refused, the next one works")
	keeper.put(token.Credential{ClientID: id, Secret: next, Next: secret.String{}})
	renew("the new secret alone")
	call("the new secret alone", called, http.StatusOK)

	if _, err := api.M2M.Update(ctx, id, stytch.M2MUpdate{Status: stytch.Set(stytch.Inactive)}); err != nil {
		t.Fatal(err)
	}
	held, err := source.Token(ctx)
	if err != nil {
		t.Fatal(err)
	}
	source.Invalidate(held)
	if _, err := source.Token(ctx); !errors.Is(err, token.ErrInvalidClient) {
		t.Errorf("a token for an inactive client: %v", err)
	}
	// The token that it holds is good until it expires, but for a service that asks.
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, serve().URL, nil)
	req.Header.Set("Authorization", "Bearer "+held.Value.Reveal())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("an inactive client: status %d, want 401", resp.StatusCode)
	}
}
