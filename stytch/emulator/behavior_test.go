package emulator_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// Every field of Behavior, with every value.
func TestBehavior(t *testing.T) {
	client := emulator.M2MClientSeed{ClientID: "x", Name: "n", Secret: workerSecret, Scopes: []string{"a"}, Metadata: map[string]any{"k": 1}}
	get := func(w *harness, field string) any { return at(w.ok("GET", clients+"/x", ""), "m2m_client", field) }
	tests := []struct {
		name     string
		behavior emulator.Behavior
		check    func(*harness)
	}{
		{"CreateStatus 200", emulator.Behavior{}, func(w *harness) {
			w.expect(200, "", "POST", clients, `{"scopes":[]}`)
			w.expect(200, "", "POST", apps, `{"client_type":"first_party"}`)
		}},
		{"CreateStatus 201", emulator.Behavior{CreateStatus: 201}, func(w *harness) {
			w.expect(201, "", "POST", clients, `{"scopes":[]}`)
			w.expect(201, "", "POST", apps, `{"client_type":"first_party"}`)
			w.ok("PUT", clients+"/x", `{}`)
		}},
		{"WrongMethodStatus 404", emulator.Behavior{WrongMethodStatus: 404}, func(w *harness) {
			w.expect(404, "route_not_found", "PATCH", clients+"/x", "")
		}},
		{"StartWhileRotating Replace", emulator.Behavior{StartWhileRotating: emulator.Replace}, func(w *harness) {
			first, second := w.startRotation("x"), w.startRotation("x")
			if w.works("x", first) || !w.works("x", second) || !w.works("x", workerSecret) {
				w.t.Error("the next secret is not replaced")
			}
		}},
		{"FinishWhileIdle Ignore", emulator.Behavior{FinishWhileIdle: emulator.Ignore}, func(w *harness) {
			w.ok("POST", clients+"/x/secrets/rotate", "")
			w.ok("POST", clients+"/x/secrets/rotate/cancel", "")
			if !w.works("x", workerSecret) {
				w.t.Error("the secret changed")
			}
		}},
		{"NextSecretAbsent", emulator.Behavior{NextSecretAbsent: true}, func(w *harness) {
			if fields := w.ok("GET", clients+"/x", "")["m2m_client"].(map[string]any); len(fields) != 7 {
				w.t.Errorf("%d fields", len(fields))
			}
			next := w.startRotation("x")
			if get(w, "next_client_secret_last_four") != next[44:] {
				w.t.Error("absent during a rotation")
			}
			if strings.Contains(w.call("POST", apps, `{"client_type":"first_party"}`).body, "next_client_secret_last_four") {
				w.t.Error("present in a Connected App")
			}
		}},
		{"NullOnUpdate Clear", emulator.Behavior{NullOnUpdate: emulator.Clear}, func(w *harness) {
			w.ok("PUT", clients+"/x", `{"client_name":null,"scopes":null,"trusted_metadata":null,"status":null}`)
			if get(w, "client_name") != "" || len(get(w, "scopes").([]any)) != 0 || w.metadata("x") != "{}" || get(w, "status") != "active" {
				w.t.Error("null does not clear")
			}
		}},
		{"NullOnUpdate Ignore", emulator.Behavior{NullOnUpdate: emulator.Ignore}, func(w *harness) {
			w.ok("PUT", clients+"/x", `{"client_name":null,"scopes":null,"trusted_metadata":null,"status":null}`)
			if get(w, "client_name") != "n" || len(get(w, "scopes").([]any)) != 1 || w.metadata("x") == "{}" {
				w.t.Error("null is not ignored")
			}
		}},
		{"NullOnUpdate Refuse", emulator.Behavior{NullOnUpdate: emulator.Refuse}, func(w *harness) {
			for _, field := range []string{"client_name", "client_description", "status", "scopes", "trusted_metadata"} {
				w.expect(400, "bad_request", "PUT", clients+"/x", `{"`+field+`":null}`)
			}
			w.ok("PUT", clients+"/x", `{"trusted_metadata":{"k":null}}`)
		}},
		{"EmptyScopes Refuse", emulator.Behavior{EmptyScopes: emulator.Refuse}, func(w *harness) {
			w.expect(400, "bad_request", "POST", clients, `{"scopes":[]}`)
			w.expect(400, "bad_request", "PUT", clients+"/x", `{"scopes":[]}`)
			w.expect(400, "bad_request", "PUT", clients+"/x", `{"scopes":null}`)
			w.ok("PUT", clients+"/x", `{"client_name":"m"}`)
		}},
		{"InvalidStatusType", emulator.Behavior{InvalidStatusType: "m2m_client_invalid_status"}, func(w *harness) {
			w.expect(400, "m2m_client_invalid_status", "PUT", clients+"/x", `{"status":"gone"}`)
		}},
		{"ZeroLimit Refuse", emulator.Behavior{ZeroLimit: emulator.Refuse}, func(w *harness) {
			w.expect(400, "bad_request", "POST", clients+"/search", `{"limit":0}`)
		}},
		{"ZeroLimit Empty", emulator.Behavior{ZeroLimit: emulator.Empty}, func(w *harness) {
			if ids, next, total := w.search(`{"limit":0}`); len(ids) != 0 || next != "" || total != 1 {
				w.t.Errorf("%d clients, total %d", len(ids), total)
			}
		}},
		{"LargeLimit Clamp", emulator.Behavior{LargeLimit: emulator.Clamp}, func(w *harness) { w.search(`{"limit":2147483647}`) }},
		{"BadCursor Ignore", emulator.Behavior{BadCursor: emulator.Ignore}, func(w *harness) {
			if ids, _, _ := w.search(`{"cursor":"nonsense"}`); len(ids) != 1 {
				w.t.Error("not the first page")
			}
		}},
		{"EmptySearchBody Allow", emulator.Behavior{EmptySearchBody: emulator.Allow}, func(w *harness) {
			w.search("")
			w.ok("POST", apps+"/search", "")
			w.expect(400, "bad_request", "POST", clients, "")
		}},
		{"UnheldScope Drop", emulator.Behavior{UnheldScope: emulator.Drop}, func(w *harness) {
			form := credentials("x", workerSecret)
			form.Set("scope", "b a c")
			if _, claims := w.verify(text(w.token(form).object(w.t), "access_token")); claims["scope"] != "a" {
				w.t.Errorf("scope %v", claims["scope"])
			}
			form.Set("scope", "b")
			if got := w.token(form); got.kind() != "invalid_scope" {
				w.t.Errorf("no scope left: %d %s", got.status, got.kind())
			}
		}},
		{"InvalidClientStatus 401", emulator.Behavior{InvalidClientStatus: 401}, func(w *harness) {
			if got := w.token(credentials("x", "wrong")); got.status != 401 || got.kind() != "invalid_client" {
				w.t.Errorf("%d %s", got.status, got.kind())
			}
		}},
		{"inactive client", emulator.Behavior{}, func(w *harness) {
			w.ok("PUT", clients+"/x", `{"status":"inactive"}`)
			if got := w.token(credentials("x", workerSecret)); got.status != 400 || got.kind() != "invalid_client" {
				w.t.Errorf("%d %s", got.status, got.kind())
			}
		}},
		{"InactiveClientError and Status", emulator.Behavior{InactiveClientError: "unauthorized_client", InactiveClientStatus: 401}, func(w *harness) {
			w.ok("PUT", clients+"/x", `{"status":"inactive"}`)
			if got := w.token(credentials("x", workerSecret)); got.status != 401 || got.kind() != "unauthorized_client" {
				w.t.Errorf("%d %s", got.status, got.kind())
			}
			if got := w.token(credentials("x", "wrong")); got.status != 400 || got.kind() != "invalid_client" {
				w.t.Errorf("wrong secret: %d %s", got.status, got.kind())
			}
		}},
		{"TokenID", emulator.Behavior{TokenID: true}, func(w *harness) {
			_, claims := w.verify(text(w.token(credentials("x", workerSecret)).object(w.t), "access_token"))
			if len(text(claims, "jti")) != 44 {
				w.t.Errorf("jti %v", claims["jti"])
			}
		}},
		{"SecretLength", emulator.Behavior{SecretLength: 44}, func(w *harness) {
			if id, secret := w.create(`{"scopes":["a"]}`); len(secret) != 44 || !w.works(id, secret) {
				w.t.Errorf("%d characters", len(secret))
			}
		}},
		{"CreationMethod", emulator.Behavior{CreationMethod: "dashboard"}, func(w *harness) {
			app := at(w.ok("POST", apps, `{"client_type":"first_party"}`), "connected_app")
			if got := text(w.ok("GET", apps+"/"+text(app, "client_id"), ""), "connected_app", "creation_method"); got != "dashboard" {
				w.t.Errorf("creation_method %q", got)
			}
		}},
		{"MaxSecretLength", emulator.Behavior{MaxSecretLength: 16}, func(w *harness) {
			w.expect(400, "client_secret_too_long", "POST", clients, `{"scopes":[],"client_secret":"abcdefghijklmnopq"}`)
			w.create(`{"scopes":[],"client_secret":"abcdefghijklmnop"}`)
		}},
		{"MaxScopes", emulator.Behavior{MaxScopes: 1}, func(w *harness) {
			w.expect(400, "too_many_m2m_client_scopes", "PUT", clients+"/x", `{"scopes":["a","b"]}`)
		}},
		{"MaxExpiryMinutes", emulator.Behavior{MaxExpiryMinutes: 10}, func(w *harness) {
			w.expect(400, "idp_invalid_access_token_expiry_minutes", "POST", apps, `{"client_type":"first_party","access_token_expiry_minutes":11}`)
			w.ok("POST", apps, `{"client_type":"first_party","access_token_expiry_minutes":10}`)
		}},
		{"MaxM2MClients", emulator.Behavior{MaxM2MClients: 2}, func(w *harness) {
			w.create(`{"scopes":[]}`)
			w.expect(400, "too_many_m2m_clients_for_billing_tier", "POST", clients, `{"scopes":[]}`)
			w.ok("DELETE", clients+"/x", "")
			w.create(`{"scopes":[]}`)
		}},
		{"MaxConnectedApps", emulator.Behavior{MaxConnectedApps: 1}, func(w *harness) {
			w.ok("POST", apps, `{"client_type":"first_party"}`)
			w.expect(400, "too_many_connected_apps", "POST", apps, `{"client_type":"first_party"}`)
		}},
		{"NegativeLimit Refuse", emulator.Behavior{}, func(w *harness) {
			w.expect(400, "bad_request", "POST", clients+"/search", `{"limit":-1}`)
		}},
		{"NegativeLimit Ignore", emulator.Behavior{NegativeLimit: emulator.Ignore}, func(w *harness) {
			if _, _, total := w.search(`{"limit":-1}`); total != 1 {
				w.t.Errorf("%d clients", total)
			}
		}},
		{"EmptyQuery Allow", emulator.Behavior{}, func(w *harness) {
			if _, _, total := w.search(`{"query":{}}`); total != 1 {
				w.t.Errorf("%d clients", total)
			}
		}},
		{"EmptyQuery Refuse", emulator.Behavior{EmptyQuery: emulator.Refuse}, func(w *harness) {
			w.expect(400, "bad_request", "POST", clients+"/search", `{"query":{}}`)
		}},
		{"UnknownOperator Ignore", emulator.Behavior{UnknownOperator: emulator.Ignore}, func(w *harness) {
			query := `{"query":{"operator":"XOR","operands":[{"filter_name":"client_id","filter_value":["x"]},{"filter_name":"scopes","filter_value":["b"]}]}}`
			if _, _, total := w.search(query); total != 0 {
				w.t.Errorf("%d clients: XOR is not read as AND", total)
			}
			w.expect(400, "bad_request", "POST", clients+"/search", `{"query":{"operands":[]}}`)
		}},
		{"TokenErrorFormat stytch", emulator.Behavior{TokenErrorFormat: "stytch"}, func(w *harness) {
			w.expect(404, "project_not_found", "POST", "/v1/public/project-test-0/oauth2/token", "")
			w.expect(405, "method_not_allowed", "GET", "/v1/public/"+w.ProjectID+"/oauth2/token", "")
		}},
		{"IntrospectM2M Refuse", emulator.Behavior{IntrospectM2M: emulator.Refuse}, func(w *harness) {
			w.expect(400, "invalid_client", "POST", introspectPath, form("token", w.sign("x", nil), "client_id", "x", "client_secret", workerSecret), noAuth, formType)
		}},
		{"RegisterStatus 200", emulator.Behavior{DynamicRegistration: true, RegisterStatus: 200}, func(w *harness) {
			w.expect(200, "", "POST", registerPath, `{"redirect_uris":["https://a.example.com/cb"]}`, noAuth)
		}},
	}
	tried := map[string]bool{}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.check(start(t, emulator.WithBehavior(tt.behavior), emulator.WithM2MClient(client)))
		})
		for i, v := 0, reflect.ValueOf(tt.behavior); i < v.NumField(); i++ {
			tried[v.Type().Field(i).Name] = tried[v.Type().Field(i).Name] || !v.Field(i).IsZero()
		}
	}
	for field, done := range tried {
		if !done {
			t.Errorf("Behavior.%s is never set", field)
		}
	}
}

func TestBehaviorRefusesUnknownValues(t *testing.T) {
	for i, b := range []emulator.Behavior{
		{CreateStatus: 202}, {WrongMethodStatus: 400}, {StartWhileRotating: emulator.Ignore}, {FinishWhileIdle: emulator.Replace},
		{NullOnUpdate: emulator.Drop}, {EmptyScopes: "no"}, {InvalidStatusType: "x"}, {ZeroLimit: emulator.Clamp},
		{LargeLimit: emulator.Ignore}, {BadCursor: emulator.Drop}, {EmptySearchBody: emulator.Ignore}, {NegativeLimit: emulator.Clamp}, {EmptyQuery: emulator.Ignore}, {UnknownOperator: emulator.Allow}, {TokenErrorFormat: "x"},
		{UnheldScope: emulator.Allow}, {IntrospectM2M: emulator.Drop}, {RegisterStatus: 202},
		{InvalidClientStatus: 403}, {InactiveClientError: "x"}, {InactiveClientStatus: 403}, {SecretLength: 42}, {SecretLength: 129},
		{MaxSecretLength: -1}, {MaxScopes: -1}, {MaxExpiryMinutes: -1}, {MaxM2MClients: -1}, {MaxConnectedApps: -1},
	} {
		_, err := emulator.New(emulator.WithBehavior(b))
		if err == nil || !errors.Is(err, emulator.ErrInvalidArgument) || !strings.HasPrefix(err.Error(), "emulator: invalid argument: Behavior.") {
			t.Errorf("%d: %v", i, fmt.Sprint(err))
		}
	}
}
