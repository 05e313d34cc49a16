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
	const owner = "        owner: {type: string, nullable: true, description: The team that is responsible.}\n"
	c := changeContract(t, func(contract string) string {
		for _, schema := range []string{"M2MClient", "UpdateM2MClientRequest"} {
			contract = insert(t, contract, owner, "\n    "+schema+":\n", "\n      properties:\n")
		}
		return insert(t, contract, strings.Replace(owner, "nullable: true, ", "", 1), "\n    CreateM2MClientRequest:\n", "\n      properties:\n")
	})
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

// What later versions of the contract may hold becomes Go types that lose nothing: a secret in a
// request is sent as it is, a format does not make a response unreadable, and a schema may refer to
// itself.
func TestDriftTypes(t *testing.T) {
	heavy.Only(t)
	t.Parallel()
	c := changeContract(t, func(contract string) string {
		contract = insert(t, contract, `        signing_key: {type: string, format: password, writeOnly: true, description: A second secret.}
`, "\n    CreateM2MClientRequest:\n", "\n      properties:\n")
		return insert(t, contract, `        created_at: {type: string, format: date-time, description: A time.}
        owner_email: {type: string, format: email, description: An address.}
        owner_id: {type: string, format: uuid, description: An id.}
        picture: {type: string, format: byte, description: Base64.}
        parent: {$ref: "#/components/schemas/M2MClient"}
`, "\n    M2MClient:\n", "\n      properties:\n")
	})
	models, err := os.ReadFile(filepath.Join(c.dir, "gen", "models.gen.go"))
	must(t, err)
	text := strings.Join(strings.Fields(string(models)), " ")
	for _, field := range []string{"SigningKey secret.Outgoing `json:\"signing_key,omitzero\"`", "CreatedAt *string", "OwnerEmail *string", "OwnerID *string", "Picture *string", "Parent *M2MClient"} {
		if !strings.Contains(text, field) {
			t.Errorf("no field %s is generated", field)
		}
	}
	redact, err := os.ReadFile(filepath.Join(c.dir, "gen", "redact.gen.go"))
	must(t, err)
	if !strings.Contains(string(redact), "forget(&r.SigningKey)") {
		t.Error("the second secret is not left out of logs")
	}
	if out, err := c.goTool(".", "build", "./..."); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// A new operation cannot be forgotten. The emulator does not compile until it serves the operation;
// then the tests of the wrapper and of the suite fail until they call it. Each names the operation.
func TestDriftNewOperation(t *testing.T) {
	heavy.Only(t)
	t.Parallel()
	const audit = `  /v1/m2m/clients/{client_id}/audit:
    parameters:
      - $ref: "#/components/parameters/ClientID"
    get:
      operationId: AuditM2MClient
      tags: [M2M clients]
      summary: Audit an M2M client
      description: Returns the client.
      x-safety: read
      responses:
        "200":
          description: The client.
          content:
            application/json:
              schema: {$ref: "#/components/schemas/GetM2MClientResponse"}
        "404": {$ref: "#/components/responses/M2MClientNotFound"}

`
	c := changeContract(t, func(contract string) string { return insert(t, contract, audit, "\npaths:\n") })
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
