package drift

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/heavy"
)

// What `make new-operation` writes builds, fails where something is missing, and passes once the
// three places are filled: the contract, the emulator and the suite.
func TestNewOperation(t *testing.T) {
	heavy.OnlyLong(t) // compiles the module twice
	t.Parallel()
	c := unchanged(t)
	for _, folder := range []string{"stytch", "test/conformance"} {
		files, err := filepath.Glob(filepath.Join(c.root, folder, "*.go"))
		must(t, err)
		for _, path := range files {
			relative, err := filepath.Rel(c.root, path)
			must(t, err)
			c.put(filepath.ToSlash(relative), c.read(relative))
		}
	}
	must(t, os.MkdirAll(filepath.Join(c.dir, "stytch", "emulator"), 0o755))
	c.run(c.root, "go", "run", "./api/codegen/newoperation", "-root", c.dir, "-name", "AuditM2MClient", "-method", "get", "-path", clientPath+"/audit")
	for _, path := range []string{"stytch/auditm2mclient.go", "stytch/emulator/auditm2mclient.go", "test/conformance/auditm2mclient.go"} {
		c.put(path, c.read(path))
	}
	for _, path := range []string{"api/openapi.yaml", "api/operations_test.go"} {
		c.put(path, c.read(path))
	}
	c.generate()
	if out, err := c.goTool(".", "build", "./..."); err != nil {
		t.Fatalf("the new operation does not build: %v\n%s", err, out)
	}
	for _, tt := range []struct{ module, folder, test, says string }{
		{".", "./api", lint, `description still says "TODO`},
		{"test", "./conformance", "^TestEmulator$", "call AuditM2MClient here"},
	} {
		if out, err := c.goTool(tt.module, "test", "-vet=off", "-run", tt.test, tt.folder); err == nil || !strings.Contains(out, tt.says) {
			t.Errorf("%s does not say %q: %v\n%s", tt.folder, tt.says, err, out)
		}
	}

	c.put("api/openapi.yaml", strings.ReplaceAll(c.read("api/openapi.yaml"), "TODO: ", ""))
	c.put("stytch/emulator/auditm2mclient.go", strings.NewReplacer(
		`"errors"`, "", "func(*exchange)", "func(x *exchange)",
		`response{}, errors.New("AuditM2MClient: serve it in stytch/emulator/auditm2mclient.go")`,
		`jsonResponse(200, map[string]any{"request_id": x.requestID, "status_code": 200}), nil`,
	).Replace(c.read("stytch/emulator/auditm2mclient.go")))
	c.put("test/conformance/auditm2mclient.go", strings.NewReplacer(
		`t.Fatal("call AuditM2MClient here, through s.api.M2M.Audit, and check what it returns")`,
		`if got, err := s.api.M2M.Audit(t.Context(), s.newM2M(t, stytch.M2MCreate{}).ClientID); err != nil || got.RequestID == "" {
			t.Error(err)
		}`,
		"package conformance\n", "package conformance\n\nimport \"github.com/stytchkit/m2m/stytch\"\n",
	).Replace(c.read("test/conformance/auditm2mclient.go")))
	for _, tt := range []struct{ module, folder, test string }{
		{".", "./api", "^TestContract$"},
		{".", "./stytch", "^(TestLives|TestEndpointsAreAll)$"},
		{"test", "./conformance", "^TestEmulator$"},
	} {
		if out, err := c.goTool(tt.module, "test", "-vet=off", "-run", tt.test, tt.folder); err != nil {
			t.Errorf("%s of the filled operation: %v\n%s", tt.folder, err, out)
		}
	}
}
