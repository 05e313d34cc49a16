// Package readme_test runs the code of the README and of docs/migrating.md.
package readme_test

import (
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

const readme = "../../README.md"

// TestREADME runs every Go fence of the README against a local Stytch: whole programs, and snippets
// as a function each, with the variables that the text around them promises (ctx, api, id, two
// paths, the address of an API, and t in tests).
func TestREADME(t *testing.T) {
	var programs, snippets []string
	for _, f := range fences(t, readme) {
		if strings.HasPrefix(f.code, "package main") {
			programs = append(programs, f.code)
		} else {
			snippets = append(snippets, f.code)
		}
	}
	if len(programs) != 1 || len(snippets) < 5 {
		t.Fatalf("found %d programs and %d snippets", len(programs), len(snippets))
	}
	programs = append(programs, snippetProgram("", snippets))
	for i, want := range []string{"billing [write:invoices] [REDACTED]\n", "all ran\n"} {
		if got := runProgram(t, emulatortest.NewServer(t), programs[i]); !strings.HasSuffix(got, want) {
			t.Errorf("program %d printed %q, want %q at its end", i+1, got, want)
		}
	}
}

// The snippets fit together: a client with an id of its own, as Create recommends, calls the API
// that another snippet protects, and pays for one token.
func TestCallTheProtectedAPI(t *testing.T) {
	var call, protect string
	for _, f := range fences(t, readme) {
		switch {
		case strings.Contains(f.code, "source.Transport("):
			call = f.code
		case strings.Contains(f.code, "verifier.Require("):
			protect = f.code
		}
	}
	if call == "" || protect == "" {
		t.Fatal("the README does not show how to call an API, or how to protect one")
	}
	local := emulatortest.NewServer(t)
	got := runProgram(t, local, snippetProgram("", []string{protect + "\nreturn func() error {\n" + call + "\nreturn nil\n}()"}))
	if !strings.Contains(got, "200 OK") {
		t.Errorf("the call printed %q", got)
	}
	if n := local.TokensMinted("caller"); n != 1 {
		t.Errorf("%d tokens were minted for one call", n)
	}
}
