package stytch_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

// TestREADME compiles and runs every Go fence of the README: whole programs as they are, snippets as a function each, in the
// frame that their surroundings promise (ctx, api, id, two paths, the address of an API, and t in tests).
func TestREADME(t *testing.T) {
	text, err := os.ReadFile("../README.md")
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
	const want = "billing [write:invoices] [REDACTED]\n"
	for i, program := range programs {
		if got := runProgram(t, program); got != want {
			t.Errorf("program %d printed %q, want %q", i+1, got, want)
		}
	}
	if got := runProgram(t, frame(snippets)); !strings.HasSuffix(got, "all ran\n") {
		t.Errorf("snippets printed %q", got)
	}
}

// frame makes one program of the snippets. It runs them in order on one client, which the first one finds by its scope.
func frame(snippets []string) string {
	var b strings.Builder
	b.WriteString(`package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/token"
	"github.com/stytchkit/m2m/stytch/verify"
)

var (
	_ = errors.Join
	_ = emulator.New
	_ = emulatortest.NewServer
	_ = filejournal.New
	_ = rotate.New
	_ = token.New
	_ = verify.New
)

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
	caller, err := api.M2M.Create(ctx, stytch.M2MCreate{Scopes: []string{"read:invoices"}})
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
		if strings.HasPrefix(lastLine(snippet), "return") {
			end = ""
		}
		fmt.Fprintf(&b, "if err := func() error {\n%s\n%s\n}(); err != nil { \nt.Fatal(\"snippet %d:\", err)\n}\n", snippet, end, i+1)
	}
	b.WriteString("for _, f := range cleanups {\nf()\n}\nfmt.Println(\"all ran\")\n}\n")
	return b.String()
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// runProgram runs a program inside the module, with a local Stytch in its environment.
func runProgram(t *testing.T, source string) string {
	t.Helper()
	dir, err := os.MkdirTemp("testdata", "readme-")
	if os.IsNotExist(err) {
		if err = os.Mkdir("testdata", 0o755); err == nil {
			dir, err = os.MkdirTemp("testdata", "readme-")
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	local := emulatortest.NewServer(t)
	cmd := exec.Command("go", "run", "./"+dir)
	cmd.Env = append(os.Environ(), "STYTCH_PROJECT_ID="+local.ProjectID, "STYTCH_PROJECT_SECRET="+local.Secret, "STYTCH_BASE_URL="+local.URL)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}
