//go:build languages

package languages_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

// The workflow of api/rotation.arazzo.yaml runs four times against one client: refused at its
// start, with a secret that does not prove itself, without a fault, and with a completion that
// fails. The runner checks every response against the contract, too.
func TestRotation(t *testing.T) {
	t.Parallel()
	server := emulatortest.NewServer(t, emulator.WithStrict(),
		emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "billing", Secret: "Vq3bYxW8kTt0mZr4HnJ6", Scopes: []string{"read:users"}}),
		emulator.WithFaults(
			emulator.ErrorType("StartM2MClientSecretRotation", "m2m_client_already_rotating_secret").Times(1),
			emulator.ErrorType("IssueM2MToken", "invalid_client").Times(1),
			emulator.Status("CompleteM2MClientSecretRotation", http.StatusInternalServerError).After(1),
		))
	// The faults break the condition on the status, and so what is read from the body of a success;
	// the other checks of the runner hold: status, content type and schema of the contract.
	runs := []struct{ did, checks string }{
		{"Start 400", "3 passed, 2 failed"},
		{"Start 200, Token 400, Cancel 200", "11 passed, 1 failed"},
		{"Start 200, Token 200, Complete 200", "13 passed"},
		{"Start 200, Token 200, Complete 500", "11 passed, 2 failed"}, // and no cancel: the outcome is unknown
	}
	arguments := []string{redocly, "respect", "--server", "stytch=" + server.URL}
	for i := range runs {
		arguments = append(arguments, copyOf(t, fmt.Sprintf("%d.arazzo.yaml", i+1)))
	}
	inputs := fmt.Sprintf("REDOCLY_CLI_RESPECT_INPUT=project_id=%s,project_secret=%s,client_id=billing", server.ProjectID, server.Secret)
	r := node(t, []string{inputs}, arguments...)
	if exit := new(exec.ExitError); !errors.As(r.err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("the runner ended with %v, want exit status 1: three runs did not rotate", r.err)
	}
	var did, want []string
	names := strings.NewReplacer("M2MClientSecretRotation", "", "IssueM2MToken", "Token")
	for _, request := range server.Requests() {
		did = append(did, fmt.Sprint(names.Replace(request.Operation), " ", request.Status))
	}
	report := r.stdout
	for _, run := range runs {
		want = append(want, run.did)
		var found bool
		if _, report, found = strings.Cut(report, "Checks: "+run.checks+", "); !found {
			t.Errorf("%s: the runner does not report %q after the run before it:\n%s", run.did, run.checks, r.stdout)
		}
	}
	if got, want := strings.Join(did, ", "), strings.Join(want, ", "); got != want {
		t.Errorf("the workflow did\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(r.stdout+r.stderr, server.Secret) {
		t.Error("the runner prints the secret of the project")
	}
	if client := onlyClient(t, server); client.NextClientSecretLastFour == nil || client.ClientSecretLastFour == "HnJ6" {
		t.Errorf("the client is %+v, want a new secret, and the last rotation open", client)
	}
}

// copyOf writes the workflow under another name, beside the contract that it names.
func copyOf(t *testing.T, name string) string {
	t.Helper()
	folder := t.TempDir()
	for from, to := range map[string]string{contract: "openapi.yaml", rotation: name} {
		if err := os.WriteFile(filepath.Join(folder, to), []byte(text(t, from)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(folder, name)
}

// onlyClient is the one client of a project.
func onlyClient(t *testing.T, server *emulator.Server) (client stytch.M2MClient) {
	t.Helper()
	api, err := stytch.New(server.ProjectID, server.Secret, stytch.WithBaseURL(server.URL), stytch.WithHTTPClient(server.Client()))
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for found, err := range api.M2M.Search(t.Context(), stytch.M2MSearch{}) {
		if err != nil {
			t.Fatal(err)
		}
		client = found
		count++
	}
	if count != 1 {
		t.Fatalf("the project has %d clients, want one", count)
	}
	return client
}
