package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A change of the contract reaches everything that is generated from it, or breaks what is not. These tests make such changes in
// a copy of the module.

const moduleRoot = "../.."

// copyModule copies what the contract reaches.
func copyModule(t *testing.T) (dir string) {
	t.Helper()
	if testing.Short() || raceDetector {
		t.Skip("compiles a copy of the module, which is slow, and nothing that a race detector could watch")
	}
	dir = t.TempDir()
	for _, folder := range []string{"api", "gen", "stytch"} {
		if err := os.CopyFS(filepath.Join(dir, folder), os.DirFS(filepath.Join(moduleRoot, folder))); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"go.mod", "go.sum", "tools.go"} {
		data, err := os.ReadFile(filepath.Join(moduleRoot, file))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, file), string(data))
	}
	return dir
}

// changeContract puts text before or after anchors of the contract, and generates everything anew.
func changeContract(t *testing.T, dir string, replacements ...string) {
	t.Helper()
	path := filepath.Join(dir, "api", "openapi.yaml")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replacements); i += 2 {
		if strings.Count(string(data), replacements[i]) != 1 {
			t.Fatalf("api/openapi.yaml does not hold %q once: choose another place for the change of this test", replacements[i])
		}
	}
	write(t, path, strings.NewReplacer(replacements...).Replace(string(data)))
	if out, err := goTool(t, dir, "generate", "./gen"); err != nil {
		t.Fatalf("go generate: %v\n%s", err, out)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func goTool(t *testing.T, dir string, args ...string) (output string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// A new optional field can be sent and read through package stytch by generating alone: this compiles a program that does,
// in a copy where nothing but the contract was edited, and where what is written by hand around it still builds.
func TestDriftNewField(t *testing.T) {
	t.Parallel()
	dir := copyModule(t)
	const (
		inAnswer = "        next_client_secret_last_four:\n          type: string\n          nullable: true\n          description: The last four characters of the next secret; null unless a rotation is in progress.\n        trusted_metadata: {$ref: \"#/components/schemas/TrustedMetadata\"}\n"
		inCreate = "        client_description: {type: string, description: A description for people.}\n        scopes:\n          type: array\n          items: {type: string, minLength: 1, description: One scope.}\n          description: |\n"
		inUpdate = "        status:\n          type: string\n          nullable: true\n          enum: [active, inactive, null]\n"
	)
	changeContract(t, dir,
		inAnswer, inAnswer+"        owner: {type: string, nullable: true, description: Who answers for it.}\n",
		inCreate, "        owner: {type: string, description: Who answers for it.}\n"+inCreate,
		inUpdate, "        owner: {type: string, nullable: true, description: Who answers for it.}\n"+inUpdate)
	if out, err := goTool(t, dir, "build", "./gen/...", "./stytch", "./stytch/emulator", "./test/conformance"); err != nil {
		t.Errorf("what is written by hand does not build any more: %v\n%s", err, out)
	}
	program, err := os.ReadFile(filepath.Join("testdata", "newfield.go.txt"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "newfield", "main.go"), string(program))
	out, err := goTool(t, dir, "run", "./newfield")
	const want = `POST {"owner":"team-a","scopes":["read:users"]}
answer: team-a
PUT {"owner":"team-b"}
answer: team-b
PUT {"owner":""}
PUT {"owner":null}
PUT {}
`
	if err != nil || out != want {
		t.Errorf("the program says %v:\n%s\nwant\n%s", err, out, want)
	}
}

// A new operation does not get lost: the emulator stops compiling until it serves it, and then the tests fail until the wrapper
// and the suite call it. Each says so by the name of the operation.
func TestDriftNewOperation(t *testing.T) {
	t.Parallel()
	dir := copyModule(t)
	const before = "  /v1/public/{project_id}/oauth2/token:\n"
	changeContract(t, dir, before, `  /v1/m2m/clients/{client_id}/audit:
    parameters:
      - $ref: "#/components/parameters/ClientID"
    get:
      operationId: AuditM2MClient
      tags: [M2M clients]
      summary: Audit an M2M client
      description: Answers the client.
      x-safety: read
      responses:
        "200":
          description: The client.
          content:
            application/json:
              schema: {$ref: "#/components/schemas/GetM2MClientResponse"}
        "404": {$ref: "#/components/responses/M2MClientNotFound"}

`+before)
	out, err := goTool(t, dir, "build", "./stytch/emulator")
	if err == nil || !strings.Contains(out, "missing method AuditM2MClient") {
		t.Errorf("the emulator is built without the operation, or fails without its name: %v\n%s", err, out)
	}

	write(t, filepath.Join(dir, "stytch", "emulator", "audit.go"), `package emulator

import (
	"context"

	"github.com/stytchkit/m2m/gen/server"
)

func (p *project) AuditM2MClient(ctx context.Context, r server.AuditM2MClientRequestObject) (server.AuditM2MClientResponseObject, error) {
	return nil, fail("m2m_client_not_found")
}
`)
	for _, tt := range []struct{ folder, test, want string }{
		{"./stytch", "^TestLives$", "wrap it in package stytch"},
		{"./test/conformance", "^TestEmulator$", "AuditM2MClient is in the contract and never got a good answer: exercise it in test/conformance"},
	} {
		out, err := goTool(t, dir, "test", "-run", tt.test, tt.folder)
		if err == nil || !strings.Contains(out, tt.want) || !strings.Contains(out, "AuditM2MClient is in the contract") {
			t.Errorf("%s passes without the operation, or does not say %q: %v\n%s", tt.folder, tt.want, err, out)
		}
	}
}
