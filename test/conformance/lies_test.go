package conformance

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

// A lie stands between the suite and the emulator: it changes requests before they arrive, or good answers before they are read.
type lie struct {
	operation string
	request   func(r *http.Request, body map[string]any)
	answer    func(body map[string]any)
	status    int    // of the answer
	says      string // the violation, or the part of the suite, that must come up
}

// at is a member of an answer, "m2m_client" or the like.
func at(body map[string]any, name string) map[string]any {
	object, _ := body[name].(map[string]any)
	return object
}

// drift is what the contract sees: each of these is a violation, whatever the suite looks at.
var drift = map[string]lie{
	"a required field is dropped": {operation: "GetM2MClient", answer: func(b map[string]any) { delete(at(b, "m2m_client"), "client_name") },
		says: "contract: GetM2MClient: response 200: body /m2m_client/client_name is missing"},
	"an unknown field is added": {operation: "GetM2MClient", answer: func(b map[string]any) { at(b, "m2m_client")["no_such_field"] = "somebody" },
		says: "contract: GetM2MClient: response 200: body /m2m_client has the unknown field no_such_field"},
	"a field has another type": {operation: "SearchM2MClients", answer: func(b map[string]any) { at(b, "results_metadata")["total"] = "3" },
		says: "contract: SearchM2MClients: response 200: body /results_metadata/total must be of type integer"},
	"a value is not known": {operation: "IssueM2MToken", answer: func(b map[string]any) { b["token_type"] = "mac" },
		says: "contract: IssueM2MToken: response 200: body /token_type is none of the known values"},
	"a status is not known": {operation: "UpdateM2MClient", status: http.StatusAccepted,
		says: "contract: UpdateM2MClient: response 202: the contract has no such status"},
	"a null is not allowed": {operation: "GetConnectedApp", answer: func(b map[string]any) { at(b, "connected_app")["redirect_urls"] = nil },
		says: "contract: GetConnectedApp: response 200: body /connected_app/redirect_urls must not be null"},
	"a secret is shown twice": {operation: "CompleteConnectedAppSecretRotation", answer: func(b map[string]any) { at(b, "connected_app")["client_secret"] = "not a real one" },
		says: "contract: CompleteConnectedAppSecretRotation: response 200: body /connected_app has the unknown field client_secret"},
}

// misconduct is within the contract; the assertions of the suite have to find it, and do so live as well.
var misconduct = map[string]lie{
	"a chosen id is ignored": {operation: "CreateM2MClient", request: func(_ *http.Request, b map[string]any) { delete(b, "client_id") }, says: "M2M_clients/import"},
	"a chosen secret is ignored": {operation: "CreateM2MClient", request: func(_ *http.Request, b map[string]any) { delete(b, "client_secret") },
		says: "M2M_clients/import"},
	"scopes come in another order": {operation: "CreateM2MClient", answer: func(b map[string]any) {
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
	"the last four characters are wrong": {operation: "GetM2MClient", answer: func(b map[string]any) { at(b, "m2m_client")["client_secret_last_four"] = "????" },
		says: "M2M_secrets"},
	"nothing is deleted": {operation: "DeleteM2MClient", request: func(r *http.Request, _ map[string]any) { r.Method = http.MethodGet },
		answer: func(b map[string]any) { b["client_id"] = at(b, "m2m_client")["client_id"]; delete(b, "m2m_client") }, says: "M2M_clients/delete"},
	"a search ignores its filter": {operation: "SearchM2MClients", request: func(_ *http.Request, b map[string]any) { delete(b, "query") }, says: "M2M_search"},
	"a search takes AND for OR": {operation: "SearchM2MClients", request: func(_ *http.Request, b map[string]any) {
		if query := at(b, "query"); query != nil {
			query["operator"] = "OR"
		}
	}, says: "M2M_search/conditions_that_exclude"},
	"a search counts wrongly":    {operation: "SearchM2MClients", answer: func(b map[string]any) { at(b, "results_metadata")["total"] = 7 }, says: "M2M_search/a_scope"},
	"a search ignores the limit": {operation: "SearchM2MClients", request: func(_ *http.Request, b map[string]any) { delete(b, "limit") }, says: "M2M_search/pages"},
	"a search ignores cursors":   {operation: "SearchM2MClients", request: func(_ *http.Request, b map[string]any) { delete(b, "cursor") }, says: "M2M_search/pages"},
	"completing cancels": {operation: "CompleteM2MClientSecretRotation", request: func(r *http.Request, _ map[string]any) {
		r.URL.Path += "/cancel"
	}, says: "M2M_secrets"},
	"canceling completes": {operation: "CancelConnectedAppSecretRotation", request: func(r *http.Request, _ map[string]any) {
		r.URL.Path = strings.TrimSuffix(r.URL.Path, "/cancel")
	}, says: "Connected_App_secrets/first_party"},
	"a token has all scopes": {operation: "IssueM2MToken", request: func(_ *http.Request, b map[string]any) { delete(b, "scope") }, says: "M2M_tokens/scopes"},
	"the listed key is another": {operation: "GetJWKS", answer: func(b map[string]any) {
		key := b["keys"].([]any)[0].(map[string]any)
		key["n"] = strings.Repeat("q", 342)
	}, says: "M2M_tokens/ways_to_authenticate"},
	"an app keeps its redirects": {operation: "UpdateConnectedApp", request: func(_ *http.Request, b map[string]any) { delete(b, "redirect_urls") }, says: "Connected_Apps/update"},
	"an app loses its template": {operation: "CreateConnectedApp", request: func(_ *http.Request, b map[string]any) { delete(b, "access_token_template_content") },
		says: "Connected_Apps/create_with_everything"},
	"a public app has a secret": {operation: "CreateConnectedApp", request: func(_ *http.Request, b map[string]any) {
		b["client_type"] = strings.TrimSuffix(b["client_type"].(string), "_public")
	}, says: "Connected_Apps/create_first_party_public"},
	"apps are listed once only": {operation: "SearchConnectedApps", answer: func(b map[string]any) {
		at(b, "results_metadata")["next_cursor"] = nil
	}, says: "Connected_App_search"},
}

const (
	lieEnv     = "CONFORMANCE_TEST_LIE"
	secretsEnv = "CONFORMANCE_TEST_SECRETS"
)

// TestLies shows that the suite turns red: for drift of the answers from the contract, and for conduct other than documented.
// A suite that fails does so in a process of its own.
func TestLies(t *testing.T) {
	for name, l := range drift {
		t.Run(name, func(t *testing.T) { t.Parallel(); checkLie(t, name, l.says) })
	}
	for name, l := range misconduct {
		t.Run(name, func(t *testing.T) { t.Parallel(); checkLie(t, name, "--- FAIL: TestInChild/"+l.says+" (") })
	}
}

func checkLie(t *testing.T, name, want string) {
	t.Helper()
	output, secrets := failing(t, "TestInChild", name)
	if !strings.Contains(output, want) {
		t.Errorf("the suite fails, and not with %q:\n%s", want, output)
	}
	if len(secrets) < 2 {
		t.Error("hardly a secret has passed, so nothing shows that they stay out of the output")
	}
}

// TestInChild is the suite under one lie, for TestLies.
func TestInChild(t *testing.T) {
	name := os.Getenv(lieEnv)
	if name == "" {
		t.Skip("TestLies runs this in a process of its own")
	}
	l, isDrift := drift[name]
	if !isDrift {
		l = misconduct[name]
	}
	server := emulatortest.NewServer(t)
	liar := &liar{base: server.Client().Transport, lie: l, secrets: []string{server.Secret}}
	t.Cleanup(func() { handOver(t, liar.secrets) })
	line := connect(t, liar, server.URL, server.ProjectID, server.Secret)
	defer line.report(t)
	Run(t, line.api, Options{Live: !isDrift, patience: time.Nanosecond})
}

// TestLossInChild is the suite with creations whose answers are lost, for TestLossLeavesNothing.
func TestLossInChild(t *testing.T) {
	if os.Getenv(lieEnv) == "" {
		t.Skip("TestLossLeavesNothing runs this in a process of its own")
	}
	server := emulatortest.NewServer(t, seeds(3), emulator.WithFaults(emulator.DropResponse("CreateM2MClient").Times(2), emulator.DropResponse("CreateConnectedApp").Times(2)))
	line := connectTo(t, server)
	t.Run("suite", func(t *testing.T) { Run(t, line.api, Options{}) })
	if ids := inventory(t, server); len(ids) == 3 {
		t.Log("left alone: the three that were there")
	}
	handOver(t, []string{server.Secret})
}

func TestLossLeavesNothing(t *testing.T) {
	t.Parallel()
	output, _ := failing(t, "TestLossInChild", "loss")
	for _, want := range []string{"left alone: the three that were there", "outcome unknown"} {
		if !strings.Contains(output, want) {
			t.Errorf("the output does not say %q:\n%s", want, output)
		}
	}
}

// failing runs a test of this binary that has to fail, and returns what it said, in which there must be no secret.
func failing(t *testing.T, test, lie string) (output string, secrets []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secrets")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$", "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), lieEnv+"="+lie, secretsEnv+"="+path)
	out, err := cmd.CombinedOutput()
	data, readErr := os.ReadFile(path)
	if readErr != nil {
		t.Fatalf("the process did not get to its end: %v, %v", err, readErr)
	}
	secrets = strings.Fields(string(data))
	for _, secret := range secrets {
		if strings.Contains(string(out), secret) {
			t.Fatal("the output holds a secret")
		}
	}
	if err == nil {
		t.Fatalf("the suite passed:\n%s", out)
	}
	return string(out), secrets
}

func handOver(t *testing.T, secrets []string) {
	t.Helper()
	if err := os.WriteFile(os.Getenv(secretsEnv), []byte(strings.Join(secrets, "\n")), 0o600); err != nil {
		t.Error(err)
	}
}
