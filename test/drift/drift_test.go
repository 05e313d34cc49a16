package drift

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/heavy"
)

// A new optional field can be sent and read through package stytch after generating alone. The test
// runs a program that does so, in a module where only the contract was edited, and the code around
// it still builds.
func TestDriftNewField(t *testing.T) {
	heavy.Only(t)
	t.Parallel()
	c := changeContract(t,
		field("M2MClient", "owner", "{type: string, nullable: true}"),
		field("UpdateM2MClientRequest", "owner", "{type: string, nullable: true}"),
		field("CreateM2MClientRequest", "owner", "{type: string}"),
	)
	for _, build := range []struct{ folder, packages string }{{".", "./..."}, {"test", "./conformance"}} {
		if out, err := c.goTool(build.folder, "build", build.packages); err != nil {
			t.Errorf("code written by hand does not build with a new field: %v\n%s", err, out)
		}
	}
	program, err := os.ReadFile(filepath.Join("testdata", "newfield.go.txt"))
	must(t, err)
	c.put("examples/newfield/main.go", string(program))
	out, err := c.goTool(".", "run", "./examples/newfield")
	const want = `POST {"owner":"team-a","scopes":["read:users"]}
response: team-a
PUT {"owner":"team-b"}
response: team-b
PUT {"owner":""}
PUT {"owner":null}
PUT {}
`
	if err != nil || out != want {
		t.Errorf("the program prints, with %v:\n%s\nwant\n%s", err, out, want)
	}
}

// A new operation cannot be forgotten. The emulator does not compile until it serves the operation;
// then the tests of the wrapper and of the suite fail until they call it. Each names the operation.
func TestDriftNewOperation(t *testing.T) {
	heavy.Only(t)
	t.Parallel()
	c := changeContract(t, operation("AuditM2MClient", "get", "{}"))
	out, err := c.goTool(".", "build", "./stytch/emulator")
	if err == nil || !strings.Contains(out, "missing method AuditM2MClient") {
		t.Errorf("the emulator builds without the operation, or fails without naming it: %v\n%s", err, out)
	}

	c.put("stytch/emulator/audit.go", `package emulator

import "net/http"

func (s *service) AuditM2MClient(w http.ResponseWriter, r *http.Request, id string) {
	s.serve(w, r, operation{id: "AuditM2MClient"}, func(x *exchange) (response, error) {
		return response{}, fail("m2m_client_not_found")
	})
}
`)
	for _, tt := range []struct{ module, folder, test string }{
		{".", "./stytch", "TestLives"},
		{"test", "./conformance", "TestEmulator"},
	} {
		out, err := c.goTool(tt.module, "test", "-vet=off", "-run", "^"+tt.test+"$", tt.folder)
		if err == nil || !strings.Contains(out, "--- FAIL: "+tt.test) || !strings.Contains(out, "AuditM2MClient is in the contract") {
			t.Errorf("%s of %s passes without the operation, or fails without naming it: %v\n%s", tt.test, tt.folder, err, out)
		}
	}
}
