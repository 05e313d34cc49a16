package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// home has the files that are changed, as they are in the repository.
func home(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, path := range []string{"api/openapi.yaml", "api/operations_test.go", "stytch/endpoints_test.go", "stytch/lifecycle_test.go", "test/conformance/run.go"} {
		text, err := os.ReadFile(filepath.Join("../../..", path))
		if err == nil {
			err = os.MkdirAll(filepath.Join(root, filepath.Dir(path)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(root, path), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(root, "stytch/emulator"), 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestBeginsAnOperation(t *testing.T) {
	root := home(t)
	if err := run(root, "ArchiveConnectedApp", "post", "/v1/connected_apps/clients/{client_id}/archive"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "api/openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	item := doc.Paths.Value("/v1/connected_apps/clients/{client_id}/archive")
	if item == nil || item.Post == nil {
		t.Fatal("the contract does not have the operation")
	}
	op := item.Post
	if op.OperationID != "ArchiveConnectedApp" || op.Tags[0] != "Connected Apps" || op.Extensions["x-safety"] != "shown-once" ||
		op.Responses.Value("404").Ref != "#/components/responses/ConnectedAppNotFound" || op.RequestBody == nil || doc.Extensions["x-error-catalog"] == nil {
		t.Errorf("the contract has %+v", op)
	}
	for path, has := range map[string]string{
		"api/operations_test.go":                  `"ArchiveConnectedApp": `,
		"stytch/archiveconnectedapp.go":           "func (s *ConnectedApps) Archive(ctx context.Context, clientID string, r gen.ArchiveConnectedAppRequest) (*gen.ArchiveConnectedAppResponse, error)",
		"stytch/emulator/archiveconnectedapp.go":  `operation{id: "ArchiveConnectedApp", subject: id, body: server.ArchiveConnectedAppRequest{}}`,
		"stytch/endpoints_test.go":                "{operation.ArchiveConnectedApp,",
		"stytch/lifecycle_test.go":                "c.ConnectedApps.Archive(ctx, made.ClientID, gen.ArchiveConnectedAppRequest{})",
		"test/conformance/archiveconnectedapp.go": `t.Fatal("call ArchiveConnectedApp here`,
		"test/conformance/run.go":                 `t.Run("ArchiveConnectedApp", s.archiveConnectedApp)`,
	} {
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil || !strings.Contains(string(text), has) {
			t.Errorf("%s does not have %s: %v", path, has, err)
		}
	}
	if err := run(root, "ArchiveConnectedApp", "get", "/v1/connected_apps/clients/other"); err == nil || !strings.Contains(err.Error(), "choose another name") {
		t.Errorf("the same name again: %v", err)
	}
}

func TestRefusesBeforeItWrites(t *testing.T) {
	root := home(t)
	before, err := os.ReadFile(filepath.Join(root, "api/openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for says, arguments := range map[string][3]string{
		"must be a verb and a noun":                           {"audit", "get", "/v1/m2m/a"},
		"METHOD \"head\" is none of":                          {"AuditClient", "head", "/v1/m2m/a"},
		"must be a path with at most one parameter":           {"AuditClient", "get", "/v1/m2m/{client_id}/{n}"},
		"is in the contract: add the method there by hand":    {"PatchM2MClient", "patch", "/v1/m2m/clients/{client_id}"},
		"add the parameter audit_id to components/parameters": {"AuditClient", "get", "/v1/m2m/{audit_id}"},
		"only operations below /v1/m2m":                       {"AuditClient", "get", "/v1/public/a"},
	} {
		if err := run(root, arguments[0], arguments[1], arguments[2]); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v, want %q", arguments, err, says)
		}
	}
	if after, err := os.ReadFile(filepath.Join(root, "api/openapi.yaml")); err != nil || string(after) != string(before) {
		t.Error("the contract was changed")
	}
}
