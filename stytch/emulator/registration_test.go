package emulator_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
)

const registerPath = "/v1/oauth2/register"

func registering(t *testing.T, opts ...emulator.Option) *harness {
	return start(t, append([]emulator.Option{emulator.WithBehavior(emulator.Behavior{DynamicRegistration: true})}, opts...)...)
}

type registration struct {
	ClientID  string   `json:"client_id"`
	Secret    string   `json:"client_secret"`
	ExpiresAt *int64   `json:"client_secret_expires_at"`
	Method    string   `json:"token_endpoint_auth_method"`
	Redirects []string `json:"redirect_uris"`
}

func (w *harness) register(body string) (r registration) {
	w.t.Helper()
	got := w.expect(201, "", "POST", registerPath, body, noAuth)
	if err := json.Unmarshal([]byte(got.body), &r); err != nil {
		w.t.Fatal(err)
	}
	if (r.Secret != "") != (got.header.Get("Cache-Control") == "no-store") {
		w.t.Errorf("Cache-Control %q", got.header.Get("Cache-Control"))
	}
	return r
}

func TestRegisterPublicApp(t *testing.T) {
	w := registering(t)
	const body = `{"client_name":"MCP client","client_uri":"https://c.example.com","redirect_uris":["http://localhost:3000/cb"]}`
	first := w.register(body)
	if first.Secret != "" || first.Method != "none" || !strings.HasPrefix(first.ClientID, "connected-app-test-") {
		t.Errorf("%+v", first)
	}
	if again := w.register(body); again.ClientID != first.ClientID {
		t.Error("the same metadata make two apps")
	}
	for _, other := range []string{
		`{"client_name":"Other","client_uri":"https://c.example.com","redirect_uris":["http://localhost:3000/cb"]}`,
		`{"client_name":"MCP client","redirect_uris":["http://localhost:3000/cb"]}`,
		`{"client_name":"MCP client","client_uri":"https://c.example.com","redirect_uris":["http://localhost:3000/cb","http://localhost:3000/cc"]}`,
	} {
		if w.register(other).ClientID == first.ClientID {
			t.Errorf("%s is the same app", other)
		}
	}
	app := w.ok("GET", apps+"/"+first.ClientID, "")["connected_app"].(map[string]any)
	if app["client_type"] != "third_party_public" || app["client_name"] != "MCP client" || app["status"] != "active" {
		t.Errorf("%v", app)
	}
	// An app that was created is none that registered.
	w.ok("POST", apps, `{"client_type":"third_party_public","client_name":"Made","redirect_urls":["https://a.example.com"]}`)
	w.register(`{"client_name":"Made","redirect_uris":["https://a.example.com"]}`)
	if total := at(w.ok("POST", apps+"/search", `{}`), "results_metadata", "total"); total != 6.0 {
		t.Errorf("%v apps", total)
	}
}

func TestRegisterConfidentialApp(t *testing.T) {
	for _, method := range []string{"client_secret_basic", "client_secret_post"} {
		w := registering(t)
		body := `{"redirect_uris":["https://a.example.com/cb"],"token_endpoint_auth_method":"` + method + `"}`
		first, second := w.register(body), w.register(body)
		if first.ClientID == second.ClientID || first.Secret == second.Secret || len(first.Secret) != 48 || first.Method != method {
			t.Errorf("%s: two registrations are one, or have no secret", method)
		}
		if first.ExpiresAt == nil || *first.ExpiresAt != 0 {
			t.Errorf("%s: the secret expires", method)
		}
		if got := at(w.ok("GET", apps+"/"+first.ClientID, ""), "connected_app", "client_type"); got != "third_party" {
			t.Errorf("%s: type %v", method, got)
		}
		if w.introspect(w.sign(first.ClientID, nil), "client_id", first.ClientID, "client_secret", first.Secret)["active"] != true {
			t.Errorf("%s: the secret does not work", method)
		}
	}
}

func TestRegistrationRefused(t *testing.T) {
	off := start(t)
	off.expect(400, "dynamic_client_registration_not_enabled", "POST", registerPath, `{"redirect_uris":["https://a.example.com"]}`, noAuth)
	w := registering(t, emulator.WithStrict())
	for body, kind := range map[string]string{
		``: "bad_request", `[]`: "bad_request", `{}`: "bad_request", `{"redirect_uris":[]}`: "bad_request", `{"redirect_uris":"https://a.example.com"}`: "bad_request",
		`{"redirect_uris":["https://a.example.com"],"scope":"x"}`:                                    "bad_request",
		`{"redirect_uris":["https://a.example.com"],"token_endpoint_auth_method":"private_key_jwt"}`: "bad_request",
		`{"redirect_uris":["app.example.com/cb"]}`:                                                   "connected_app_redirect_url_must_include_scheme",
		`{"redirect_uris":["http://a.example.com/cb"]}`:                                              "connected_app_redirect_url_http_scheme_must_use_loopback",
	} {
		w.expect(400, kind, "POST", registerPath, body, noAuth)
	}
	if total := at(w.ok("POST", apps+"/search", `{}`), "results_metadata", "total"); total != 0.0 {
		t.Errorf("%v apps were made", total)
	}
	full := start(t, emulator.WithBehavior(emulator.Behavior{DynamicRegistration: true, MaxConnectedApps: 1}))
	full.register(`{"redirect_uris":["https://a.example.com"]}`)
	full.expect(400, "too_many_connected_apps", "POST", registerPath, `{"redirect_uris":["https://b.example.com"]}`, noAuth)
}

// Instances of one public app that start at the same time get one id.
func TestRegisterAtOnce(t *testing.T) {
	w := registering(t)
	ids := make([]string, 8)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() { ids[i] = w.register(`{"redirect_uris":["https://a.example.com"]}`).ClientID })
	}
	all.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("%q", ids)
		}
	}
}

// What was revoked and registered survives a restart.
func TestRevocationsAndRegistrationsAreStored(t *testing.T) {
	m := &memory{}
	opts := []emulator.Option{emulator.WithStorage(m), emulator.WithBehavior(emulator.Behavior{DynamicRegistration: true})}
	const body = `{"client_name":"n","client_uri":"https://c.example.com","redirect_uris":["https://a.example.com"]}`
	w := start(t, opts...)
	app := w.register(body)
	token := w.sign(app.ClientID, nil)
	w.expect(200, "", "POST", revokePath, form("client_id", app.ClientID, "token", token), noAuth, formType)
	snapshot := exported(w.Emulator)

	for name, from := range map[string]*memory{"the storage": m.copy(), "an export": snapshot} {
		again := start(t, emulator.WithStorage(from))
		if again.introspect(token, "client_id", app.ClientID)["active"] != false {
			t.Errorf("%s forgets the revocation", name)
		}
		if again.register(body).ClientID != app.ClientID {
			t.Errorf("%s forgets that the app registered", name)
		}
	}
}
