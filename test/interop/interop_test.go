//go:build interop

// Package interop_test runs the official Stytch SDK for Node, written by others, against the
// emulator: every method of its M2M and Connected Apps services, in its consumer and in its B2B
// client. It needs Node.js 18 or newer with npm; the SDK is installed into node_modules when it is
// not there as package-lock.json says.
package interop_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

// The emulator as it is by default, and refusing what the contract does not know: the SDK sends
// nothing of the kind.
func TestNodeSDK(t *testing.T) {
	node := findNode(t)
	installSDK(t)
	cacheByScripts(t)
	for name, opts := range map[string][]emulator.Option{
		"tolerant": nil,
		"strict":   {emulator.WithStrict()},
	} {
		t.Run(name, func(t *testing.T) {
			stytch := emulatortest.NewServer(t, opts...)
			did := runSDK(t, node, stytch)
			checkReport(t, did)
			checkLog(t, stytch.Requests())
			if minted := stytch.TokensMinted(""); did.Tokens != minted {
				t.Errorf("the SDK received %d tokens, the emulator issued %d", did.Tokens, minted)
			}
		})
	}
}

// cacheByScripts opens the scripts, so that the go command does not repeat a cached result after
// they have changed.
func cacheByScripts(t *testing.T) {
	t.Helper()
	scripts, err := filepath.Glob("*.mjs")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		if _, err := os.ReadFile(script); err != nil {
			t.Fatal(err)
		}
	}
}

// A report is what run.mjs writes: per client of the SDK, how often each method was answered and
// refused.
type report struct {
	Clients map[string]map[string]struct{ Succeeded, Refused int }
	Tokens  int
}

func runSDK(t *testing.T, node string, stytch *emulator.Server) report {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "--test", "--test-reporter=spec", "run.mjs")
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append(os.Environ(),
		"INTEROP_BASE_URL="+stytch.URL+"/",
		"INTEROP_PROJECT_ID="+stytch.ProjectID,
		"INTEROP_PROJECT_SECRET="+stytch.Secret,
		"INTEROP_REPORT="+file,
	)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("node --test run.mjs: %v\n%s", err, scrub(string(output), stytch.Secret))
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("run.mjs wrote no report: %v", err)
	}
	var did report
	if err := json.Unmarshal(data, &did); err != nil {
		t.Fatalf("the report of run.mjs: %v", err)
	}
	return did
}

// The methods of version 14.2.0. run.mjs finds them by reflection and fails if it leaves one out;
// this list fails if the reflection finds less, or if another version has more.
var methods = []string{
	"connectedApp.clients.create", "connectedApp.clients.delete", "connectedApp.clients.get",
	"connectedApp.clients.search", "connectedApp.clients.secrets.rotate", "connectedApp.clients.secrets.rotateCancel",
	"connectedApp.clients.secrets.rotateStart", "connectedApp.clients.update",
	"m2m.authenticateToken", "m2m.clients.create", "m2m.clients.delete", "m2m.clients.get", "m2m.clients.search",
	"m2m.clients.secrets.rotate", "m2m.clients.secrets.rotateCancel", "m2m.clients.secrets.rotateStart",
	"m2m.clients.update", "m2m.token",
}

func checkReport(t *testing.T, did report) {
	t.Helper()
	for _, client := range []string{"Client", "B2BClient"} {
		var found []string
		for method, calls := range did.Clients[client] {
			found = append(found, method)
			if calls.Succeeded == 0 || calls.Refused == 0 {
				t.Errorf("%s: %s succeeded %d times and was refused %d times, want both", client, method, calls.Succeeded, calls.Refused)
			}
		}
		slices.Sort(found)
		if !slices.Equal(found, methods) {
			t.Errorf("%s has the methods\n%s\nwant\n%s", client, strings.Join(found, "\n"), strings.Join(methods, "\n"))
		}
		t.Logf("%s: %d methods succeeded and were refused: %s", client, len(found), strings.Join(found, ", "))
	}
}

// The operations that the SDK has methods for: all of the contract.
var operations = []string{
	"CreateM2MClient", "SearchM2MClients", "GetM2MClient", "UpdateM2MClient", "DeleteM2MClient",
	"StartM2MClientSecretRotation", "CancelM2MClientSecretRotation", "CompleteM2MClientSecretRotation",
	"IssueM2MToken", "GetJWKS", "GetB2BJWKS",
	"CreateConnectedApp", "SearchConnectedApps", "GetConnectedApp", "UpdateConnectedApp", "DeleteConnectedApp",
	"StartConnectedAppSecretRotation", "CancelConnectedAppSecretRotation", "CompleteConnectedAppSecretRotation",
}

func checkLog(t *testing.T, log []emulator.Request) {
	t.Helper()
	succeeded, refused := map[string]bool{}, map[string]bool{}
	for _, r := range log {
		switch {
		case !slices.Contains(operations, r.Operation):
			t.Errorf("%s %s is operation %q of the contract", r.Method, r.Path, r.Operation)
		case r.Status == 200:
			succeeded[r.Operation] = true
		case r.Status >= 400 && r.Status < 500:
			refused[r.Operation] = true
		default:
			t.Errorf("%s %s: status %d", r.Method, r.Path, r.Status)
		}
	}
	for _, operation := range operations {
		if !succeeded[operation] || !refused[operation] {
			t.Errorf("%s: succeeded %t, refused %t; want both", operation, succeeded[operation], refused[operation])
		}
	}
	t.Logf("%d requests to %d operations", len(log), len(succeeded))
}
