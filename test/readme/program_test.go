package readme_test

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// A fence is a block of Go code on a page.
type fence struct {
	info string // what follows ```go, which no reader sees
	code string
}

// fences returns the blocks of Go code on a page.
func fences(t *testing.T, page string) (all []fence) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split("\n"+string(text), "\n```go")[1:] {
		info, rest, _ := strings.Cut(part, "\n")
		code, _, ok := strings.Cut(rest, "\n```")
		if !ok {
			t.Fatalf("%s: a block of code has no end: %.40q", page, rest)
		}
		all = append(all, fence{strings.TrimSpace(info), code})
	}
	return all
}

// imports are the packages that snippets may use, and their frame does.
var imports = []string{
	"context", "errors", "fmt", "log", "net/http", "net/http/httptest", "os", "path/filepath", "slices", "strings", "testing", "time",
	"github.com/MicahParks/keyfunc/v3", "github.com/golang-jwt/jwt/v5", "golang.org/x/oauth2/clientcredentials",
	"github.com/stytchkit/m2m/gen", "github.com/stytchkit/m2m/stytch", "github.com/stytchkit/m2m/stytch/emulator",
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest", "github.com/stytchkit/m2m/stytch/rotate",
	"github.com/stytchkit/m2m/stytch/rotate/deliver", "github.com/stytchkit/m2m/stytch/rotate/filejournal",
	"github.com/stytchkit/m2m/stytch/rotate/fleet", "github.com/stytchkit/m2m/stytch/secret",
	"github.com/stytchkit/m2m/stytch/token", "github.com/stytchkit/m2m/stytch/verify",
}

var majorVersion = regexp.MustCompile(`/v\d+$`)

// frame is the beginning of a program of snippets: what the text around them promises.
const frame = `
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
	dir, err := os.MkdirTemp("", "readme")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	newClient := func() (id, credentials string) {
		created, err := api.M2M.Create(ctx, stytch.M2MCreate{ClientName: "x", ClientDescription: "x", Scopes: []string{"write:invoices"}})
		if err != nil {
			t.Fatal(err)
		}
		credentials = filepath.Join(dir, created.ClientID+".json")
		if err := deliver.File(credentials).Deliver(ctx, rotate.Delivery{ClientID: created.ClientID, Secret: created.ClientSecret}); err != nil {
			t.Fatal(err)
		}
		return created.ClientID, credentials
	}
	caller, err := api.M2M.Create(ctx, stytch.M2MCreate{
		ClientID: "caller", ClientSecret: secret.Outgoing(secret.Generate()), Scopes: []string{"read:invoices"},
	})
	if err != nil {
		t.Fatal(err)
	}
	clientID, clientSecret := caller.ClientID, caller.ClientSecret
	projectID, projectSecret, baseURL, mux := api.ProjectID(), os.Getenv("STYTCH_PROJECT_SECRET"), api.BaseURL(), http.NewServeMux()
	billing := httptest.NewServer(mux)
	defer billing.Close()
	billingURL, billingHost := billing.URL+"/invoices", billing.Listener.Addr().String()
	stateDir := filepath.Join(dir, "rotation")
	_, _, _, _, _, _, _, _ = stateDir, clientID, clientSecret, projectID, projectSecret, baseURL, billingURL, billingHost
`

// snippetProgram makes one program of the snippets: a function each, run in order after setup, with
// a client of its own.
func snippetProgram(setup string, snippets []string) string {
	var b strings.Builder
	b.WriteString(frame + setup)
	for i, snippet := range snippets {
		end := "return nil"
		if lines := strings.Split(strings.TrimSpace(snippet), "\n"); strings.HasPrefix(lines[len(lines)-1], "return") {
			end = ""
		}
		fmt.Fprintf(&b, "if err := func() error {\nid, credentials := newClient()\n_, _ = id, credentials\nreturn func() error {\n%s\n%s\n}()\n}(); err != nil { \n"+
			"t.Fatal(\"snippet %d:\", err)\n}\n", snippet, end, i+1)
	}
	b.WriteString("for _, f := range cleanups {\nf()\n}\nfmt.Println(\"all ran\")\n}\n")
	var head strings.Builder
	for _, name := range imports {
		if regexp.MustCompile(`\b` + path.Base(majorVersion.ReplaceAllString(name, "")) + `\.`).MatchString(b.String()) {
			fmt.Fprintf(&head, "import %q\n", name)
		}
	}
	return "package main\n" + head.String() + b.String()
}

// runProgram runs a program inside the module, with a local Stytch in its environment.
func runProgram(t *testing.T, local *emulator.Server, source string, environment ...string) string {
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
	cmd.Env = append(cmd.Env, environment...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}
