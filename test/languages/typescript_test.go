//go:build languages

package languages_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

// Types that are generated from the contract accept the program of docs/languages.md, refuse what
// refused.ts lists, and the program does what it says. The emulator refuses what the contract does
// not know.
func TestTypeScript(t *testing.T) {
	t.Parallel()
	// Without the flag, what has a default is required of requests too.
	if r := node(t, nil, generate, contract, "--output", "generated/stytch.ts", "--default-non-nullable=false"); r.err != nil {
		t.Fatalf("openapi-typescript: %v\n%s%s", r.err, r.stdout, r.stderr)
	}
	if r := node(t, nil, compiler, "--project", "."); r.err != nil {
		t.Fatalf("tsc: %v\n%s%s", r.err, r.stdout, r.stderr)
	}
	server := emulatortest.NewServer(t, emulator.WithStrict())
	r := node(t, credentials(server), "generated/js/program.js")
	if r.err != nil {
		t.Fatalf("the program: %v\n%s", r.err, strings.ReplaceAll(r.stderr, server.Secret, "[REDACTED]"))
	}
	var did []string
	for _, request := range server.Requests() {
		did = append(did, fmt.Sprint(request.Operation, " ", request.Status))
	}
	want := "CreateM2MClient 200, SearchM2MClients 200, StartM2MClientSecretRotation 200, IssueM2MToken 200, CompleteM2MClientSecretRotation 200"
	if got := strings.Join(did, ", "); got != want {
		t.Errorf("the program did\n%s\nwant\n%s", got, want)
	}
	if client := onlyClient(t, server); r.stdout != "1 200 "+client.ClientSecretLastFour+"\n" {
		t.Errorf("the program printed %q, and the client's secret ends with %s", r.stdout, client.ClientSecretLastFour)
	}
}

// The page shows the program that runs here.
func TestPage(t *testing.T) {
	if page := text(t, "../../docs/languages.md"); !strings.Contains(page, "```ts\n"+text(t, "program.ts")+"```\n") {
		t.Error("docs/languages.md does not show program.ts: copy it there")
	}
}

func credentials(server *emulator.Server) []string {
	return []string{"STYTCH_BASE_URL=" + server.URL, "STYTCH_PROJECT_ID=" + server.ProjectID, "STYTCH_PROJECT_SECRET=" + server.Secret}
}
