package stytch_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

// drift is a way in which a success can differ from the contract.
type drift struct {
	name, contentType string
	change            func(body string) string
	says              string // in the error
	cut               bool   // the body ends early
}

func drifts() []drift {
	replace := func(old, by string) func(string) string {
		return func(body string) string { return strings.Replace(body, old, by, 1) }
	}
	const json = "application/json"
	return []drift{
		{"status_code as a string", json, replace(`"status_code":200`, `"status_code":"200"`), "status_code", false},
		{"no status_code", json, replace(`"status_code":200`, `"x":1`), "status_code", false},
		{"name as a number", json, replace(`"client_name":"n"`, `"client_name":7`), "client_name", false},
		{"status as an object", json, replace(`"status":"active"`, `"status":{}`), "status", false},
		{"last four as a list", json, replace(`"client_secret_last_four":"last"`, `"client_secret_last_four":["last"]`), "client_secret_last_four", false},
		{"id as a number", json, replace(`"client_id":"a"`, `"client_id":7`), "client_id", false},
		{"a key twice", json, replace(`{`, `{"request_id":"other",`), "duplicate key", false},
		{"no content type", "", strings.Clone, "content type", false},
		{"another content type", "text/html", strings.Clone, "content type", false},
		{"a byte order mark", json, func(body string) string { return "\ufeff" + body }, "byte order mark", false},
		{"text behind it", json, func(body string) string { return body + "x" }, "invalid character", false},
		{"cut off", json, replace(`"request_id"`, "\x00"), "ended early", true},
	}
}

func (d drift) on(t *testing.T, op *operation.Operation) *stytch.Client {
	return clientOn(t, &wire{respond: func(int, *http.Request) (*http.Response, error) {
		body, cut, _ := strings.Cut(d.change(success(op)), "\x00")
		resp := reply(200, d.contentType, body)
		if d.cut && cut != "" {
			resp.ContentLength = -1
			resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(body), iotest.ErrReader(io.ErrUnexpectedEOF)))
		}
		return resp, nil
	}})
}

// A secret that is shown once is never thrown away because of something else in its response.
func TestDriftKeepsTheSecret(t *testing.T) {
	for _, c := range []struct {
		op   *operation.Operation
		want string
		call func(context.Context, *stytch.Client) (id string, s secret.String, err error)
	}{
		{operation.CreateM2MClient, "made-up-secret-last", func(ctx context.Context, c *stytch.Client) (string, secret.String, error) {
			created, err := c.M2M.Create(ctx, stytch.M2MCreate{Scopes: []string{"s"}})
			if created == nil {
				return "", secret.String{}, err
			}
			return created.ClientID, created.ClientSecret, err
		}},
		{operation.CreateConnectedApp, "made-up-secret-last", func(ctx context.Context, c *stytch.Client) (string, secret.String, error) {
			created, err := c.ConnectedApps.Create(ctx, stytch.ConnectedAppCreate{ClientType: stytch.FirstParty})
			if created == nil {
				return "", secret.String{}, err
			}
			return created.ClientID, created.ClientSecret, err
		}},
		{operation.RegisterConnectedApp, "made-up-secret-last", func(ctx context.Context, c *stytch.Client) (string, secret.String, error) {
			app, err := c.OAuth.Register(ctx, registration0)
			if app == nil {
				return "", secret.String{}, err
			}
			return app.ClientID, app.ClientSecret, err
		}},
		{operation.StartM2MClientSecretRotation, "made-up-secret-next", func(ctx context.Context, c *stytch.Client) (string, secret.String, error) {
			s, err := c.M2M.Secrets.Start(ctx, "a")
			return "a", s, err
		}},
		{operation.StartConnectedAppSecretRotation, "made-up-secret-next", func(ctx context.Context, c *stytch.Client) (string, secret.String, error) {
			s, err := c.ConnectedApps.Secrets.Start(ctx, "a")
			return "a", s, err
		}},
	} {
		for _, d := range drifts() {
			same := d.contentType != "" && !d.cut && d.change(success(c.op)) == success(c.op)
			if c.op == operation.RegisterConnectedApp && (same || d.name == "no status_code") {
				continue // it has no such field, or need not have it
			}
			t.Run(c.op.ID+"/"+d.name, func(t *testing.T) {
				client := d.on(t, c.op)
				id, got, err := c.call(t.Context(), client)
				if got.Reveal() != c.want || id != "a" && d.name != "id as a number" {
					t.Errorf("the secret is thrown away, or the id: %q, %v", id, err)
				}
				var e *stytch.Error
				if !errors.As(err, &e) || !errors.Is(err, stytch.ErrInvalidResponse) || errors.Is(err, stytch.ErrOutcomeUnknown) {
					t.Fatalf("%v", err)
				}
				if !strings.Contains(err.Error(), d.says) || !strings.Contains(err.Error(), "store it") || strings.Contains(err.Error(), c.want) {
					t.Errorf("%v", err)
				}
			})
		}
	}
}

// The generated client on top of this one gets the body too.
func TestDriftKeepsTheBody(t *testing.T) {
	for _, d := range drifts() {
		resp, err := rawOn(t, d.on(t, operation.StartM2MClientSecretRotation)).StartM2MClientSecretRotation(t.Context(), "a", gen.SecretRotationRequest{})
		if err == nil || resp == nil {
			t.Errorf("%s: %v", d.name, err)
			continue
		}
		if body, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(body), "made-up-secret-next") {
			t.Errorf("%s: %v", d.name, err)
		}
		resp.Body.Close()
	}
}

// A field of another type does not hide the others, and the error names it.
func TestDriftOfARead(t *testing.T) {
	renamed := drift{"", "application/json", func(body string) string { return strings.Replace(body, `"client_name":"n"`, `"client_name":7`, 1) }, "client_name", false}
	check := func(id string, err error) {
		t.Helper()
		if id != "a" || !errors.Is(err, stytch.ErrInvalidResponse) || !strings.Contains(err.Error(), renamed.says) {
			t.Errorf("%q, %v", id, err)
		}
	}
	client, err := renamed.on(t, operation.GetM2MClient).M2M.Get(t.Context(), "a")
	if client == nil {
		t.Fatal(err)
	}
	check(client.ClientID, err)
	app, err := renamed.on(t, operation.UpdateConnectedApp).ConnectedApps.Update(t.Context(), "a", stytch.ConnectedAppUpdate{})
	if app == nil {
		t.Fatal(err)
	}
	check(app.ClientID, err)
	page, err := renamed.on(t, operation.SearchM2MClients).M2M.SearchPage(t.Context(), stytch.M2MSearch{})
	if page == nil {
		t.Fatal(err)
	}
	check(page.Items[0].ClientID, err)
	for client, err := range renamed.on(t, operation.SearchM2MClients).M2M.Search(t.Context(), stytch.M2MSearch{}) { // nothing says which client lacks what
		if err == nil || client.ClientID != "" {
			t.Errorf("%q, %v", client.ClientID, err)
		}
	}
	// What a rotation reads does not depend on the rest.
	four, err := renamed.on(t, operation.GetM2MClient).M2M.Secrets.LastFour(t.Context(), "a")
	if err != nil || four.Current != "last" {
		t.Errorf("%+v, %v", four, err)
	}
	four, err = renamed.on(t, operation.GetConnectedApp).ConnectedApps.Secrets.LastFour(t.Context(), "a")
	if err != nil || four.Current != "last" {
		t.Errorf("%+v, %v", four, err)
	}
}
