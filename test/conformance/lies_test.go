package conformance

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

// A lie stands between the suite and the emulator: it changes requests before they arrive, or good
// responses before they are read.
type lie struct {
	operation string
	request   func(r *http.Request, body map[string]any)
	response  func(body map[string]any)
	status    int    // of the response
	says      string // the violation, or the part of the suite, that must come up
}

// at returns a member of a response, such as "m2m_client".
func at(body map[string]any, name string) map[string]any {
	object, _ := body[name].(map[string]any)
	return object
}

// drift is what the contract sees: each of these is a violation, whatever the suite looks at.
var drift = map[string]lie{
	"a required field is dropped": {operation: "GetM2MClient", response: func(b map[string]any) { delete(at(b, "m2m_client"), "client_name") },
		says: "contract: GetM2MClient: response 200: body /m2m_client/client_name is missing"},
	"an unknown field is added": {operation: "GetM2MClient", response: func(b map[string]any) { at(b, "m2m_client")["no_such_field"] = "x" },
		says: "contract: GetM2MClient: response 200: body /m2m_client has the unknown field no_such_field"},
	"a field has another type": {operation: "SearchM2MClients", response: func(b map[string]any) { at(b, "results_metadata")["total"] = "3" },
		says: "contract: SearchM2MClients: response 200: body /results_metadata/total must be of type integer"},
	"a value is not known": {operation: "IssueM2MToken", response: func(b map[string]any) { b["token_type"] = "mac" },
		says: "contract: IssueM2MToken: response 200: body /token_type is none of the known values"},
	"a status is not known": {operation: "UpdateM2MClient", status: http.StatusAccepted,
		says: "contract: UpdateM2MClient: response 202: the contract has no such status"},
	"a null is not allowed": {operation: "GetConnectedApp", response: func(b map[string]any) { at(b, "connected_app")["redirect_urls"] = nil },
		says: "contract: GetConnectedApp: response 200: body /connected_app/redirect_urls must not be null"},
	"a secret is shown twice": {operation: "CompleteConnectedAppSecretRotation", response: func(b map[string]any) { at(b, "connected_app")["client_secret"] = "not a real one" },
		says: "contract: CompleteConnectedAppSecretRotation: response 200: body /connected_app has the unknown field client_secret"},
}

// misconduct is within the contract; the assertions of the suite have to find it, and do so live as
// well.
var misconduct = map[string]lie{
	"a chosen id is ignored": {operation: "CreateM2MClient", request: func(_ *http.Request, b map[string]any) { delete(b, "client_id") }, says: "M2M_clients/import"},
	"a chosen secret is ignored": {operation: "CreateM2MClient", request: func(_ *http.Request, b map[string]any) { delete(b, "client_secret") },
		says: "M2M_clients/import"},
	"scopes come in another order": {operation: "CreateM2MClient", response: func(b map[string]any) {
		scopes := at(b, "m2m_client")["scopes"].([]any)
		at(b, "m2m_client")["scopes"] = append([]any{scopes[len(scopes)-1]}, scopes[:len(scopes)-1]...)
	}, says: "M2M_clients/create"},
	"an empty text changes nothing": {operation: "UpdateM2MClient", request: func(_ *http.Request, b map[string]any) {
		if b["client_description"] == "" {
			delete(b, "client_description")
		}
	}, says: "M2M_clients/update"},
	"an update changes more than it says": {operation: "UpdateM2MClient", request: func(_ *http.Request, b map[string]any) { b["client_description"] = "" },
		says: "M2M_clients/update"},
	"a null removes nothing": {operation: "UpdateM2MClient", request: func(_ *http.Request, b map[string]any) {
		for key, value := range at(b, "trusted_metadata") {
			if value == nil {
				delete(at(b, "trusted_metadata"), key)
			}
		}
	}, says: "M2M_clients/metadata"},
	"an inactive client gets tokens": {operation: "UpdateM2MClient", request: func(_ *http.Request, b map[string]any) { delete(b, "status") }, says: "M2M_clients/status"},
	"the last four characters are wrong": {operation: "GetM2MClient", response: func(b map[string]any) { at(b, "m2m_client")["client_secret_last_four"] = "????" },
		says: "M2M_secrets"},
	"nothing is deleted": {operation: "DeleteM2MClient", request: func(r *http.Request, _ map[string]any) { r.Method = http.MethodGet },
		response: func(b map[string]any) { b["client_id"] = at(b, "m2m_client")["client_id"]; delete(b, "m2m_client") }, says: "M2M_clients/delete"},
	"a search ignores its filter": {operation: "SearchM2MClients", request: func(_ *http.Request, b map[string]any) { delete(b, "query") }, says: "M2M_search"},
	"a search takes AND for OR": {operation: "SearchM2MClients", request: func(_ *http.Request, b map[string]any) {
		if query := at(b, "query"); query != nil {
			query["operator"] = "OR"
		}
	}, says: "M2M_search/conditions_that_exclude"},
	"a search counts wrongly":    {operation: "SearchM2MClients", response: func(b map[string]any) { at(b, "results_metadata")["total"] = 7 }, says: "M2M_search/a_scope"},
	"a search ignores the limit": {operation: "SearchM2MClients", request: func(_ *http.Request, b map[string]any) { delete(b, "limit") }, says: "M2M_search/pages"},
	"a search ignores cursors":   {operation: "SearchM2MClients", request: func(_ *http.Request, b map[string]any) { delete(b, "cursor") }, says: "M2M_search/pages"},
	"completing cancels": {operation: "CompleteM2MClientSecretRotation", request: func(r *http.Request, _ map[string]any) {
		r.URL.Path += "/cancel"
	}, says: "M2M_secrets"},
	"canceling completes": {operation: "CancelConnectedAppSecretRotation", request: func(r *http.Request, _ map[string]any) {
		r.URL.Path = strings.TrimSuffix(r.URL.Path, "/cancel")
	}, says: "Connected_App_secrets/first_party"},
	"a token has all scopes": {operation: "IssueM2MToken", request: func(_ *http.Request, b map[string]any) { delete(b, "scope") }, says: "M2M_tokens/scopes"},
	"the listed key is another": {operation: "GetJWKS", response: func(b map[string]any) {
		key := b["keys"].([]any)[0].(map[string]any)
		key["n"] = strings.Repeat("q", 342)
	}, says: "M2M_tokens/ways_to_authenticate"},
	"every token is active": {operation: "IntrospectToken", response: func(b map[string]any) { b["active"] = true }, says: "Authorization_server/unknown_tokens"},
	"revoking does nothing": {operation: "RevokeToken", request: func(_ *http.Request, b map[string]any) { b["token"] = "another" }, says: "Authorization_server/M2M_tokens"},
	"a domain revokes nothing": {operation: "RevokeTokenOnProjectDomain", request: func(_ *http.Request, b map[string]any) { b["token"] = "another" },
		says: "Authorization_server/domain"},
	"the metadata have another issuer": {operation: "GetOpenIDConfiguration", response: func(b map[string]any) { b["issuer"] = "https://evil.example.com" },
		says: "Authorization_server/metadata"},
	"an app keeps its redirects": {operation: "UpdateConnectedApp", request: func(_ *http.Request, b map[string]any) { delete(b, "redirect_urls") }, says: "Connected_Apps/update"},
	"an app loses its template": {operation: "CreateConnectedApp", request: func(_ *http.Request, b map[string]any) { delete(b, "access_token_template_content") },
		says: "Connected_Apps/create_with_everything"},
	"a public app has a secret": {operation: "CreateConnectedApp", request: func(_ *http.Request, b map[string]any) {
		b["client_type"] = strings.TrimSuffix(b["client_type"].(string), "_public")
	}, says: "Connected_Apps/create_first_party_public"},
	"apps are listed once only": {operation: "SearchConnectedApps", response: func(b map[string]any) {
		at(b, "results_metadata")["next_cursor"] = nil
	}, says: "Connected_App_search"},
}

// TestLies shows that the suite fails: when responses drift from the contract, and when the server
// behaves other than documented.
func TestLies(t *testing.T) {
	for name, l := range drift {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if output := underLie(t, l, Options{}); !strings.Contains(output.String(), l.says) {
				t.Errorf("the suite fails, and not with %q:\n%s", l.says, output)
			}
		})
	}
	for name, l := range misconduct {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if output := underLie(t, l, Options{Live: true}); !slices.Contains(output.failures, l.says) {
				t.Errorf("the suite fails in %v, and not in %s:\n%s", output.failures, l.says, output)
			}
		})
	}
}

// underLie runs the suite, which has to fail, against an emulator with a liar in front.
func underLie(t *testing.T, l lie, opts Options) *output {
	t.Helper()
	server := emulatortest.NewServer(t, registering)
	liar := &liar{base: server.Client().Transport, lie: l, secrets: []string{server.Secret}}
	line := connect(t, liar, server.URL, server.ProjectID, server.Secret)
	opts.patience = time.Nanosecond
	output := recordRun(t, func(r reporter) {
		runSuite(r, line.api, opts)
		line.report(r)
	})
	if len(liar.secrets) < 2 {
		t.Error("hardly a secret has passed, so this does not show that they stay out of the output")
	}
	output.hold(t, liar.secrets)
	return output
}

// Clients whose creation was never confirmed are removed as well, and no others.
func TestLossLeavesNothing(t *testing.T) {
	server := emulatortest.NewServer(t, seeds(3), emulator.WithFaults(
		emulator.DropResponse("CreateM2MClient").Times(2), emulator.DropResponse("CreateConnectedApp").Times(2)))
	line := connectTo(t, server)
	output := recordRun(t, func(r reporter) { runSuite(r, line.api, Options{}) })
	output.hold(t, []string{server.Secret})
	if !strings.Contains(output.String(), "outcome unknown") {
		t.Errorf("no failure says that the outcome is unknown:\n%s", output)
	}
	if ids := inventory(t, server); len(ids) != 3 {
		t.Errorf("%d clients and apps are left, want the three that were there before", len(ids))
	}
}
