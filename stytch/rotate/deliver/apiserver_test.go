package deliver_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/rotate/deliver"
)

// apiServer serves the Secrets of the namespace "apps" as the documentation of the Kubernetes API
// describes.
type apiServer struct {
	faulty
	version int
	stored  int // patches
	secrets map[string]map[string]any
}

func newAPIServer(t *testing.T) *apiServer {
	a := &apiServer{secrets: map[string]map[string]any{}}
	a.start(t, a.handle)
	return a
}

func (a *apiServer) deliverer(t *testing.T, change func(*deliver.KubernetesConfig)) *deliver.KubernetesSecrets {
	t.Helper()
	cfg := deliver.KubernetesConfig{
		Address: a.server.URL, Namespace: "apps", Token: a.give, Create: true,
		SecretName: func(id string) string { return "stytch-" + strings.ToLower(id) },
	}
	if change != nil {
		change(&cfg)
	}
	d, err := deliver.Kubernetes(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// write is a change by another process; a missing Secret is created.
func (a *apiServer) write(name string, change func(object map[string]any)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	object := a.secrets[name]
	if object == nil {
		object = map[string]any{"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": map[string]any{"name": name}}
	}
	change(object)
	a.save(name, object)
}

// text is a Secret without its version, and that version.
func (a *apiServer) text(t *testing.T, name string) (text, version string) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	object := a.secrets[name]
	if object == nil {
		return "", ""
	}
	data, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	version = object["metadata"].(map[string]any)["resourceVersion"].(string)
	return strings.Replace(string(data), `"resourceVersion":"`+version+`"`, "", 1), version
}

func (a *apiServer) save(name string, object map[string]any) {
	a.version++
	metadata := object["metadata"].(map[string]any)
	metadata["resourceVersion"] = strconv.Itoa(a.version)
	a.secrets[name] = object
}

func kubernetesSays(w http.ResponseWriter, status int, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason, "code": status,
	})
}

func (a *apiServer) handle(w http.ResponseWriter, r *http.Request, body []byte) {
	if r.Header.Get("Authorization") != "Bearer "+a.token.Reveal() {
		kubernetesSays(w, http.StatusUnauthorized, "Unauthorized", "Unauthorized")
		return
	}
	name, found := strings.CutPrefix(r.URL.Path, "/api/v1/namespaces/apps/secrets")
	name = strings.TrimPrefix(name, "/")
	object := a.secrets[name]
	switch {
	case !found && r.Method == http.MethodGet: // it does not look at the namespace
		kubernetesSays(w, http.StatusNotFound, "NotFound", `secrets "x" not found`)
	case !found:
		kubernetesSays(w, http.StatusNotFound, "NotFound", `namespaces "other" not found`)
	case r.Method == http.MethodPost && name == "":
		a.create(w, r, body)
	case object == nil:
		kubernetesSays(w, http.StatusNotFound, "NotFound", fmt.Sprintf("secrets %q not found", name))
	case r.Method == http.MethodGet:
		_ = json.NewEncoder(w).Encode(object)
	case r.Method == http.MethodPatch:
		a.patch(w, r, name, body)
	default:
		kubernetesSays(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "the server does not allow this method")
	}
}

func (a *apiServer) create(w http.ResponseWriter, r *http.Request, body []byte) {
	object := map[string]any{}
	if r.Header.Get("Content-Type") != "application/json" || json.Unmarshal(body, &object) != nil || object["kind"] != "Secret" {
		kubernetesSays(w, http.StatusBadRequest, "BadRequest", "not a Secret")
		return
	}
	name, _ := object["metadata"].(map[string]any)["name"].(string)
	if a.secrets[name] != nil {
		kubernetesSays(w, http.StatusConflict, "AlreadyExists", fmt.Sprintf("secrets %q already exists", name))
		return
	}
	if r.URL.Query().Get("dryRun") != "All" {
		a.save(name, object)
	}
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(object)
}

func (a *apiServer) patch(w http.ResponseWriter, r *http.Request, name string, body []byte) {
	var patch map[string]any
	if r.Header.Get("Content-Type") != "application/merge-patch+json" || json.Unmarshal(body, &patch) != nil {
		kubernetesSays(w, http.StatusUnsupportedMediaType, "UnsupportedMediaType", "unsupported")
		return
	}
	object := a.secrets[name]
	if want, ok := patch["metadata"].(map[string]any)["resourceVersion"]; ok && want != object["metadata"].(map[string]any)["resourceVersion"] {
		kubernetesSays(w, http.StatusConflict, "Conflict", fmt.Sprintf(
			"Operation cannot be fulfilled on secrets %q: the object has been modified; please apply your changes to the latest version and try again", name))
		return
	}
	if object["immutable"] == true {
		kubernetesSays(w, http.StatusUnprocessableEntity, "Invalid", fmt.Sprintf("Secret %q is invalid: data: Forbidden: field is immutable when `immutable` is set", name))
		return
	}
	merged := merge(object, patch).(map[string]any)
	if r.URL.Query().Get("dryRun") != "All" {
		a.save(name, merged)
		a.stored++
	}
	_ = json.NewEncoder(w).Encode(merged)
}

// merge is RFC 7386.
func merge(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	merged := map[string]any{}
	if object, ok := target.(map[string]any); ok {
		for name, value := range object {
			merged[name] = value
		}
	}
	for name, value := range changes {
		if value == nil {
			delete(merged, name)
			continue
		}
		merged[name] = merge(merged[name], value)
	}
	return merged
}

// mounted is the file that a volume shows for a key.
func (a *apiServer) mounted(t *testing.T, name, key string) []byte {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	text, _ := a.secrets[name]["data"].(map[string]any)[key].(string)
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal("not base64")
	}
	return data
}

// patches is how many patches there were, without dry runs.
func (a *apiServer) patches() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stored
}
