package stytch_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/secret"
)

// oauthOn makes a client without the project's secret.
func oauthOn(t *testing.T, transport http.RoundTripper, options ...stytch.Option) *stytch.OAuth {
	t.Helper()
	o, err := stytch.NewOAuth(canaryProject, append([]stytch.Option{stytch.WithHTTPClient(&http.Client{Transport: transport}), once()}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Only a clear yes is one.
func TestIntrospectAnswers(t *testing.T) {
	const envelope = `"request_id":"` + requestIDText + `","status_code":200}`
	for body, want := range map[string]string{
		`{"active":true,` + envelope: "active", `{"sub":"a","active" : true ,` + envelope: "active",
		`{"active":false,` + envelope: "not active", `{"active":false,"scope":"admin",` + envelope: "not active",
		`{` + envelope: "", `{"active":null,` + envelope: "", `{"active":"true",` + envelope: "", `{"active":1,` + envelope: "", `{"active":[true],` + envelope: "",
		`{"active":true,"active":true,` + envelope: "", `{"active":false,"active":true,` + envelope: "", `{"active":true,"ACTIVE":false,` + envelope: "",
		`{"Active":true,` + envelope: "", `{"claims":{"active":true},` + envelope: "", `{"active":true,"exp":"soon",` + envelope: "", `{"active":true,"status_code":200`: "",
		`{"active":true1,` + envelope: "", `[{"active":true}]`: "", `true`: "", `null`: "", ``: "", "\ufeff" + `{"active":true,` + envelope: "",
	} {
		active, err := oauthOn(t, always(200, "application/json", body)).Introspect(t.Context(), tokenOfApp)
		switch {
		case want == "" && (active || !errors.Is(err, stytch.ErrInvalidResponse)):
			t.Errorf("%s: %t, %v; want neither", body, active, err)
		case want != "" && (err != nil || active != (want == "active")):
			t.Errorf("%s: %t, %v; want %s", body, active, err, want)
		}
	}
	for _, status := range []int{400, 401, 403, 404, 429, 500, 503} {
		active, err := oauthOn(t, always(status, "application/json", `{"active":true,`+envelope)).Introspect(t.Context(), tokenOfApp)
		if active || err == nil {
			t.Errorf("%d: %t, %v", status, active, err)
		}
	}
}

func TestOAuthRequests(t *testing.T) {
	public := stytch.TokenRequest{Token: tokenOfApp.Token, ClientID: "https://app.example/metadata?a&b"}
	for _, c := range []struct {
		name       string
		options    []stytch.Option
		host, path string
	}{
		{"by the project id", nil, "test.stytch.com", "/v1/public/" + canaryProject + "/oauth2/"},
		{"at a base URL", []stytch.Option{stytch.WithBaseURL("https://login.example/x")}, "login.example", "/x/v1/public/" + canaryProject + "/oauth2/"},
		{"at the domain", []stytch.Option{stytch.WithProjectDomain("Login.example"), stytch.WithBaseURL("https://elsewhere.example")}, "login.example", "/v1/oauth2/"},
	} {
		for _, r := range []stytch.TokenRequest{tokenOfApp, public} {
			w := always(200, "application/json", success(operation.IntrospectToken))
			o := oauthOn(t, w, c.options...)
			if active, err := o.Introspect(t.Context(), r); !active || err != nil {
				t.Fatal(active, err)
			}
			if err := o.Revoke(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			for i, name := range []string{"introspect", "revoke"} {
				sent := w.requests()[i]
				form, err := url.ParseQuery(sent.body)
				if err != nil || sent.host != c.host || sent.target != c.path+name || sent.header.Get("Content-Type") != formType || sent.header.Get("Authorization") != "" {
					t.Errorf("%s: %s %s%s, %v", c.name, sent.method, sent.host, sent.target, err)
				}
				if form.Get("token") != r.Token.Reveal() || form.Get("client_id") != r.ClientID || form.Get("client_secret") != r.ClientSecret.Reveal() || form.Has("client_secret") == r.ClientSecret.IsZero() {
					t.Errorf("%s: another form was sent", c.name)
				}
			}
		}
	}
}

func TestOAuthArguments(t *testing.T) {
	w := always(200, "application/json", success(operation.IntrospectToken))
	o := oauthOn(t, w)
	canary := secret.New(canarySecret)
	for name, r := range map[string]stytch.TokenRequest{
		"Token":      {ClientID: "a"},
		"client id":  {Token: canary},
		"project id": {Token: canary, ClientID: canaryProject},
		"swapped":    {Token: canary, ClientID: "secret-" + canarySecret},
		"secret":     {Token: canary, ClientID: "a", ClientSecret: secret.New(canaryProject)},
		"[REDACTED]": {Token: secret.New("a" + secret.Placeholder), ClientID: "a"},
		"redacted":   {Token: canary, ClientID: "a", ClientSecret: secret.New(secret.Placeholder)},
	} {
		_, introspect := o.Introspect(t.Context(), r)
		for _, err := range []error{introspect, o.Revoke(t.Context(), r)} {
			if !errors.Is(err, stytch.ErrInvalidArgument) || !strings.Contains(err.Error(), name) || quotes(err.Error()) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	_, err := o.Register(t.Context(), registration0)
	if !errors.Is(err, stytch.ErrInvalidArgument) || !strings.Contains(err.Error(), "WithProjectDomain") {
		t.Errorf("a registration without a domain: %v", err)
	}
	if _, err := oauthOn(t, w, stytch.WithProjectDomain(projectDomain)).Register(t.Context(), stytch.AppRegistration{}); !errors.Is(err, stytch.ErrInvalidArgument) {
		t.Errorf("a registration without a redirect: %v", err)
	}
	if n := len(w.requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	for name, make := range map[string]func() error{
		"no project": func() error { return must(stytch.NewOAuth("")) },
		"a secret":   func() error { return must(stytch.NewOAuth("secret-" + canarySecret)) },
		"no option":  func() error { return must(stytch.NewOAuth(canaryProject, nil)) },
		"a URL": func() error {
			return must(stytch.NewOAuth(canaryProject, stytch.WithProjectDomain("https://"+canarySecret)))
		},
	} {
		if err := make(); !errors.Is(err, stytch.ErrInvalidArgument) || quotes(err.Error()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := stytch.NewOAuth(canaryProject, stytch.WithProjectDomain("")); err != nil {
		t.Errorf("an empty domain changes nothing: %v", err)
	}
}

// A server or a proxy that repeats what it was sent does not put it into an error.
func TestOAuthErrorsHoldNoToken(t *testing.T) {
	for _, body := range []string{
		`{"status_code":400,"request_id":"r","error":"invalid_request","error_description":"bad %s and %s"}`,
		`{"status_code":400,"request_id":"r","error_type":"bad_request","error_message":"bad %s and %s"}`, `<html>%s %s</html>`,
	} {
		body = fmt.Sprintf(body, tokenOfApp.Token.Reveal(), tokenOfApp.ClientSecret.Reveal())
		o := oauthOn(t, always(400, "application/json", body))
		_, introspect := o.Introspect(t.Context(), tokenOfApp)
		for _, err := range []error{introspect, o.Revoke(t.Context(), tokenOfApp)} {
			if text := fmt.Sprintf("%v %+v %#v", err, err, err); err == nil || strings.Contains(text, "of-the-app") {
				t.Error("an error quotes the token or the secret, or there is none")
			}
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", tokenOfApp, &tokenOfApp, tokenOfApp); strings.Contains(text, "of-the-app") {
		t.Error("a TokenRequest prints its secrets")
	}
}

func TestRegisterAnswers(t *testing.T) {
	public := stytch.AppRegistration{RedirectURIs: []string{"https://a.example/cb"}}
	for _, c := range []struct {
		name, body string
		status     int
		request    stytch.AppRegistration
		unknown    bool
	}{
		{"confidential", `{"client_id":"a","client_secret":"made-up-secret"}`, 201, registration0, false},
		{"status 200", `{"client_id":"a","client_secret":"made-up-secret"}`, 200, registration0, false},
		{"public", `{"client_id":"a","token_endpoint_auth_method":"none"}`, 201, public, false},
		{"without its secret", `{"client_id":"a","token_endpoint_auth_method":"client_secret_basic"}`, 201, registration0, true},
		{"without its id", `{"token_endpoint_auth_method":"none"}`, 201, public, true},
		{"cut off", `{"client_id":"a"`, 201, registration0, true},
		{"of another server", `<html>`, 200, registration0, true},
	} {
		app, err := oauthOn(t, always(c.status, "application/json", c.body), stytch.WithProjectDomain(projectDomain)).Register(t.Context(), c.request)
		switch {
		case c.unknown && (app != nil || !errors.Is(err, stytch.ErrOutcomeUnknown) || !errors.Is(err, stytch.ErrInvalidResponse)):
			t.Errorf("%s: %v", c.name, err)
		case !c.unknown && (err != nil || app.ClientID != "a" || app.ClientSecret.IsZero() != strings.Contains(c.body, "none") || int(app.StatusCode) != c.status):
			t.Errorf("%s: %+v, %v", c.name, app, err)
		}
	}
}

// An app registers itself, and its token is introspected and revoked, against the emulator.
func TestOAuth(t *testing.T) {
	server := emulatortest.NewServer(t, emulator.WithBehavior(emulator.Behavior{DynamicRegistration: true}))
	o, err := stytch.NewOAuth(server.ProjectID, stytch.WithBaseURL(server.URL), stytch.WithHTTPClient(server.Client()))
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range []stytch.AppRegistration{registration0, {RedirectURIs: []string{"http://localhost:3000/cb"}}} {
		app, err := o.Register(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		claims, err := server.Claims(app.ClientID, "openid")
		if err != nil {
			t.Fatal(err)
		}
		signed, err := server.Sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		r := stytch.TokenRequest{Token: secret.New(signed), ClientID: app.ClientID, ClientSecret: app.ClientSecret}
		for _, want := range []bool{true, false, false} {
			if active, err := o.Introspect(t.Context(), r); err != nil || active != want {
				t.Errorf("%t, %v; want %t", active, err, want)
			}
			if err := o.Revoke(t.Context(), r); err != nil {
				t.Errorf("revoke: %v", err)
			}
		}
		if !app.ClientSecret.IsZero() {
			r.ClientSecret = secret.Generate()
			if active, err := o.Introspect(t.Context(), r); active || !errors.Is(err, stytch.ErrUnauthorized) {
				t.Errorf("with another secret: %t, %v", active, err)
			}
		}
	}
	if err := server.SetBehavior(emulator.Behavior{}); err != nil {
		t.Fatal(err)
	}
	var refused *stytch.Error
	if _, err := o.Register(t.Context(), registration0); !errors.As(err, &refused) || refused.Type != "dynamic_client_registration_not_enabled" || errors.Is(err, stytch.ErrOutcomeUnknown) {
		t.Errorf("%v", err)
	}
}
