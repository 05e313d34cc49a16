// Package readme_test runs the code of the README.
package readme_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

// TestREADME runs every Go fence of the README against a local Stytch: whole programs, and snippets
// as a function each, with the variables that the text around them promises (ctx, api, id, two
// paths, the address of an API, and t in tests).
func TestREADME(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var programs, snippets []string
	for i, part := range strings.Split(string(text), "```go\n") {
		code, _, ok := strings.Cut(part, "```")
		switch {
		case i == 0 || !ok:
		case strings.HasPrefix(code, "package main"):
			programs = append(programs, code)
		default:
			snippets = append(snippets, code)
		}
	}
	if len(programs) != 1 || len(snippets) < 5 {
		t.Fatalf("found %d programs and %d snippets", len(programs), len(snippets))
	}
	programs = append(programs, snippetProgram(snippets))
	for i, want := range []string{"billing [write:invoices] [REDACTED]\n", "all ran\n"} {
		if got := runProgram(t, emulatortest.NewServer(t), programs[i]); !strings.HasSuffix(got, want) {
			t.Errorf("program %d printed %q, want %q at its end", i+1, got, want)
		}
	}
}

// The snippets fit together: a client with an id of its own, as Create recommends, calls the API
// that another snippet protects, and pays for one token.
func TestCallTheProtectedAPI(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var call, protect string
	for _, part := range strings.Split(string(text), "```go\n") {
		code, _, _ := strings.Cut(part, "```")
		switch {
		case strings.Contains(code, "source.Transport("):
			call = code
		case strings.Contains(code, "verifier.Require("):
			protect = code
		}
	}
	if call == "" || protect == "" {
		t.Fatal("the README does not show how to call an API, or how to protect one")
	}
	local := emulatortest.NewServer(t)
	got := runProgram(t, local, snippetProgram([]string{protect + "\nreturn func() error {\n" + call + "\nreturn nil\n}()"}))
	if !strings.Contains(got, "200 OK") {
		t.Errorf("the call printed %q", got)
	}
	if n := local.TokensMinted("caller"); n != 1 {
		t.Errorf("%d tokens were minted for one call", n)
	}
}

// readmeImports are the packages that snippets may use, and their frame does.
var readmeImports = []string{
	"context", "errors", "fmt", "log", "net/http", "net/http/httptest", "os", "path/filepath", "testing", "time",
	"github.com/stytchkit/m2m/gen", "github.com/stytchkit/m2m/stytch", "github.com/stytchkit/m2m/stytch/emulator",
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest", "github.com/stytchkit/m2m/stytch/rotate",
	"github.com/stytchkit/m2m/stytch/rotate/deliver", "github.com/stytchkit/m2m/stytch/rotate/filejournal",
	"github.com/stytchkit/m2m/stytch/rotate/fleet", "github.com/stytchkit/m2m/stytch/secret",
	"github.com/stytchkit/m2m/stytch/token", "github.com/stytchkit/m2m/stytch/verify",
}

// snippetProgram makes one program of the snippets. It runs them in order on one client.
func snippetProgram(snippets []string) string {
	var b strings.Builder
	b.WriteString(`
type t0 struct{ testing.TB }

func (t0) Helper()                   {}
func (t0) Cleanup(f func())          { cleanups = append(cleanups, f) }
func (t0) Fatal(args ...any)         { fmt.Println(args...); os.Exit(1) }
func (t0) Fatalf(f string, a ...any) { fmt.Printf(f, a...); os.Exit(1) }

var cleanups []func()

func main() {
	ctx, t := context.Background(), t0{}
	api, err := stytch.FromEnv()
	if err != nil {
		t.Fatal(err)
	}
	created, err := api.M2M.Create(ctx, stytch.M2MCreate{ClientName: "x", Scopes: []string{"write:invoices"}})
	if err != nil {
		t.Fatal(err)
	}
	caller, err := api.M2M.Create(ctx, stytch.M2MCreate{
		ClientID: "caller", ClientSecret: secret.Outgoing(secret.Generate()), Scopes: []string{"read:invoices"},
	})
	if err != nil {
		t.Fatal(err)
	}
	id, clientID, clientSecret := created.ClientID, caller.ClientID, caller.ClientSecret
	projectID, baseURL, mux := api.ProjectID(), api.BaseURL(), http.NewServeMux()
	billing := httptest.NewServer(mux)
	defer billing.Close()
	billingURL, billingHost := billing.URL+"/invoices", billing.Listener.Addr().String()
	dir, err := os.MkdirTemp("", "readme")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	stateDir, credentials := filepath.Join(dir, "rotation"), filepath.Join(dir, "credentials.json")
	if err := deliver.File(credentials).Deliver(ctx, rotate.Delivery{ClientID: id, Secret: created.ClientSecret}); err != nil {
		t.Fatal(err)
	}
	_, _, _, _, _, _, _, _, _ = stateDir, credentials, id, clientID, clientSecret, projectID, baseURL, billingURL, billingHost
`)
	for i, snippet := range snippets {
		end := "return nil"
		if lines := strings.Split(strings.TrimSpace(snippet), "\n"); strings.HasPrefix(lines[len(lines)-1], "return") {
			end = ""
		}
		fmt.Fprintf(&b, "if err := func() error {\n%s\n%s\n}(); err != nil { \nt.Fatal(\"snippet %d:\", err)\n}\n", snippet, end, i+1)
	}
	b.WriteString("for _, f := range cleanups {\nf()\n}\nfmt.Println(\"all ran\")\n}\n")
	var imports strings.Builder
	for _, path := range readmeImports {
		if regexp.MustCompile(`\b` + path[strings.LastIndex(path, "/")+1:] + `\.`).MatchString(b.String()) {
			fmt.Fprintf(&imports, "import %q\n", path)
		}
	}
	return "package main\n" + imports.String() + b.String()
}

// runProgram runs a program inside the module, with a local Stytch in its environment.
func runProgram(t *testing.T, local *emulator.Server, source string) string {
	t.Helper()
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("testdata", "readme-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "run", "./"+dir)
	cmd.Env = append(os.Environ(), "STYTCH_PROJECT_ID="+local.ProjectID, "STYTCH_PROJECT_SECRET="+local.Secret, "STYTCH_BASE_URL="+local.URL)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}
