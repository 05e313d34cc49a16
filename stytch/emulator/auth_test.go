package emulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
)

func authorization(values ...string) edit {
	return func(r *http.Request) { r.Header["Authorization"] = values }
}

func TestProjectCredentials(t *testing.T) {
	const id, secret = "project-test-1", "secret-test-1"
	w := start(t, emulator.WithProject(id, secret))
	tests := []struct {
		name   string
		edit   edit
		status int
		kind   string
	}{
		{"right", basic(id, secret), 404, "m2m_client_not_found"},
		{"scheme in lower case", authorization("basic " + basicHeader(id + ":" + secret)[6:]), 404, "m2m_client_not_found"},
		{"missing", noAuth, 401, "unauthorized_credentials"},
		{"empty", authorization(""), 400, "invalid_authorization_header"},
		{"bearer", authorization("Bearer x"), 400, "invalid_authorization_header"},
		{"no credentials", authorization("Basic"), 400, "invalid_authorization_header"},
		{"no base64", authorization("Basic ***"), 400, "invalid_authorization_header"},
		{"no colon", authorization(basicHeader(id)), 400, "invalid_authorization_header"},
		{"twice", authorization(basicHeader(id+":"+secret), basicHeader(id+":"+secret)), 400, "invalid_authorization_header"},
		{"no project id", basic("PROJECT_ID", "SECRET"), 400, "invalid_project_id_authentication"},
		{"no user", basic("", secret), 400, "invalid_project_id_authentication"},
		{"space after the id", basic(id+" ", secret), 400, "invalid_project_id_authentication"},
		{"id without an end", basic("project-test-", secret), 400, "invalid_project_id_authentication"},
		{"live id", basic("project-live-1", secret), 400, "live_id_used_in_test_environment"},
		{"other project", basic("project-test-2", secret), 401, "unauthorized_credentials"},
		{"wrong secret", basic(id, "secret-test-2"), 401, "unauthorized_credentials"},
		{"no secret", basic(id, ""), 401, "unauthorized_credentials"},
		{"secret with more behind", basic(id, secret+"1"), 401, "unauthorized_credentials"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			(&harness{w.Server, t}).expect(tt.status, tt.kind, "GET", clients+"/x", "", tt.edit)
		})
	}
}

func TestTestIDIsRefusedByLiveProject(t *testing.T) {
	w := start(t, emulator.WithProject("project-live-1", "secret-live-1"))
	w.expect(400, "test_id_used_in_live_environment", "GET", clients+"/x", "", basic("project-test-1", "x"))
	if id, _ := w.create(`{"scopes":[]}`); !strings.HasPrefix(id, "m2m-client-live-") {
		t.Errorf("the id in a live project is %s", id)
	}
}

// Every operation of the management API checks the project's credentials, before the body. The log
// has the name that the contract gives it.
func TestCredentialsComeBeforeTheBody(t *testing.T) {
	w := start(t)
	for _, op := range management {
		w.expect(401, "unauthorized_credentials", op.method, strings.ReplaceAll(op.path, "{id}", "x"), "not JSON", noAuth)
		if log := w.Requests(); log[len(log)-1].Operation != op.operation {
			t.Errorf("%s %s is logged as %q", op.method, op.path, log[len(log)-1].Operation)
		}
	}
	for _, op := range management {
		if op.method == "POST" || op.method == "PUT" {
			w.expect(400, "bad_request", op.method, strings.ReplaceAll(op.path, "{id}", "x"), "not JSON")
		}
	}
}

var management = []struct{ method, path, operation string }{
	{"POST", "/v1/m2m/clients", "CreateM2MClient"},
	{"POST", "/v1/m2m/clients/search", "SearchM2MClients"},
	{"GET", "/v1/m2m/clients/{id}", "GetM2MClient"},
	{"PUT", "/v1/m2m/clients/{id}", "UpdateM2MClient"},
	{"DELETE", "/v1/m2m/clients/{id}", "DeleteM2MClient"},
	{"POST", "/v1/m2m/clients/{id}/secrets/rotate/start", "StartM2MClientSecretRotation"},
	{"POST", "/v1/m2m/clients/{id}/secrets/rotate/cancel", "CancelM2MClientSecretRotation"},
	{"POST", "/v1/m2m/clients/{id}/secrets/rotate", "CompleteM2MClientSecretRotation"},
	{"POST", "/v1/connected_apps/clients", "CreateConnectedApp"},
	{"POST", "/v1/connected_apps/clients/search", "SearchConnectedApps"},
	{"GET", "/v1/connected_apps/clients/{id}", "GetConnectedApp"},
	{"PUT", "/v1/connected_apps/clients/{id}", "UpdateConnectedApp"},
	{"DELETE", "/v1/connected_apps/clients/{id}", "DeleteConnectedApp"},
	{"POST", "/v1/connected_apps/clients/{id}/secrets/rotate/start", "StartConnectedAppSecretRotation"},
	{"POST", "/v1/connected_apps/clients/{id}/secrets/rotate/cancel", "CancelConnectedAppSecretRotation"},
	{"POST", "/v1/connected_apps/clients/{id}/secrets/rotate", "CompleteConnectedAppSecretRotation"},
}
