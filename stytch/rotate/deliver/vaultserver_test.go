package deliver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/secret"
)

// faulty is a server whose responses a test may replace.
type faulty struct {
	mu     sync.Mutex
	server *httptest.Server
	token  secret.String
	counts map[string]int // requests by method

	fault func(w http.ResponseWriter, r *http.Request, body []byte) bool
	after func(r *http.Request)
}

// meddle calls fault first; fault reports whether it has responded.
func (f *faulty) meddle(fault func(w http.ResponseWriter, r *http.Request, body []byte) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

// follow calls after when a request has taken effect, before its response is sent.
func (f *faulty) follow(after func(r *http.Request)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.after = after
}

// count is how many requests of a method there were.
func (f *faulty) count(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts[method]
}

func (f *faulty) start(t *testing.T, handle func(w http.ResponseWriter, r *http.Request, body []byte)) {
	f.token, f.counts = canary0(), map[string]int{}
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		f.mu.Lock()
		f.counts[r.Method]++
		fault, after := f.fault, f.after
		f.mu.Unlock()
		if fault != nil && fault(w, r, body) {
			return
		}
		f.mu.Lock()
		handle(w, r, body)
		f.mu.Unlock()
		if after != nil {
			after(r)
		}
	}))
	t.Cleanup(f.server.Close)
}

func (f *faulty) host() string { return strings.TrimPrefix(f.server.URL, "http://") }

func (f *faulty) give(context.Context) (secret.String, error) { return f.token, nil }

// canary0 is a canary that is fit for a header.
func canary0() secret.String { return secret.New(strings.Map(headerSafe, canary().Reveal())) }

func headerSafe(r rune) rune {
	if r <= ' ' || r > '~' || r == '"' {
		return -1
	}
	return r
}

// vaultServer serves a KV v2 engine at the mount "kv" as its API documentation describes.
type vaultServer struct {
	faulty
	namespace string
	secrets   map[string][]vaultVersion
	first     bool              // the engine has version 1
	shapeless map[string]string // what was written to an engine of version 1
}

type vaultVersion struct {
	data               map[string]json.RawMessage
	deleted, destroyed bool
}

func newVaultServer(t *testing.T) *vaultServer {
	v := &vaultServer{secrets: map[string][]vaultVersion{}, shapeless: map[string]string{}}
	v.start(t, v.handle)
	return v
}

func (v *vaultServer) deliverer(t *testing.T, change func(*deliver.VaultConfig)) *deliver.VaultSecrets {
	t.Helper()
	cfg := deliver.VaultConfig{
		Address: v.server.URL, Mount: "kv", Token: v.give, Namespace: v.namespace,
		Path: func(id string) string { return "stytch/" + id },
	}
	if change != nil {
		change(&cfg)
	}
	d, err := deliver.Vault(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// write is a change by another process.
func (v *vaultServer) write(path string, change func(data map[string]json.RawMessage)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	data := map[string]json.RawMessage{}
	if versions := v.secrets[path]; len(versions) > 0 {
		for name, value := range versions[len(versions)-1].data {
			data[name] = value
		}
	}
	change(data)
	v.secrets[path] = append(v.secrets[path], vaultVersion{data: data})
}

// latest is the newest version of a secret, and its number.
func (v *vaultServer) latest(path string) (vaultVersion, int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	versions := v.secrets[path]
	if len(versions) == 0 {
		return vaultVersion{}, 0
	}
	return versions[len(versions)-1], len(versions)
}

func vaultSays(w http.ResponseWriter, status int, errors ...string) {
	if errors == nil {
		errors = []string{}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": errors})
}

func (v *vaultServer) handle(w http.ResponseWriter, r *http.Request, body []byte) {
	if r.Header.Get("X-Vault-Token") != v.token.Reveal() || r.Header.Get("X-Vault-Request") != "true" {
		vaultSays(w, http.StatusForbidden, "permission denied")
		return
	}
	if mount, found := strings.CutPrefix(r.URL.Path, "/v1/sys/internal/ui/mounts/"); found {
		v.mount(w, r, mount)
		return
	}
	escaped, found := strings.CutPrefix(r.URL.EscapedPath(), "/v1/kv/data/")
	if !found || r.Header.Get("X-Vault-Namespace") != v.namespace {
		vaultSays(w, http.StatusNotFound, fmt.Sprintf("no handler for route %q. route entry not found.", r.URL.Path))
		return
	}
	path, err := url.PathUnescape(escaped)
	if err != nil {
		vaultSays(w, http.StatusBadRequest, "bad path")
		return
	}
	switch {
	case v.first && r.Method == http.MethodGet && v.shapeless[path] == "":
		vaultSays(w, http.StatusNotFound)
		return
	case v.first && r.Method == http.MethodGet:
		_, _ = fmt.Fprintf(w, `{"data":%s,"lease_duration":2764800}`, v.shapeless[path])
		return
	case v.first:
		v.shapeless[path] = string(body)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	switch r.Method {
	case http.MethodGet:
		v.read(w, path)
	case http.MethodPost, http.MethodPut:
		v.store(w, path, body)
	default:
		vaultSays(w, http.StatusMethodNotAllowed, "unsupported operation")
	}
}

// mount describes the engine, to tokens with rights on it.
func (v *vaultServer) mount(w http.ResponseWriter, r *http.Request, mount string) {
	if mount != "kv" || r.Header.Get("X-Vault-Namespace") != v.namespace {
		vaultSays(w, http.StatusForbidden, "preflight capability check returned 403, please ensure client's policies grant access to path")
		return
	}
	options := any(map[string]string{"version": "2"})
	if v.first {
		options = nil
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"path": "kv/", "type": "kv", "options": options}})
}

// rounded is the data of a version as Vault returns it: numbers are floating-point.
func rounded(data map[string]json.RawMessage) map[string]any {
	values := map[string]any{}
	for name, text := range data {
		var value any
		_ = json.Unmarshal(text, &value)
		values[name] = value
	}
	return values
}

func (v *vaultServer) read(w http.ResponseWriter, path string) {
	versions := v.secrets[path]
	if len(versions) == 0 {
		vaultSays(w, http.StatusNotFound)
		return
	}
	latest := versions[len(versions)-1]
	metadata := map[string]any{"version": len(versions), "destroyed": latest.destroyed, "deletion_time": "", "custom_metadata": nil}
	inner := map[string]any{"data": rounded(latest.data), "metadata": metadata}
	status := http.StatusOK
	if latest.deleted || latest.destroyed {
		metadata["deletion_time"] = "2026-01-02T03:04:05.678Z"
		inner["data"], status = nil, http.StatusNotFound
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"request_id": "1", "lease_id": "", "data": inner, "warnings": nil})
}

func (v *vaultServer) store(w http.ResponseWriter, path string, body []byte) {
	var request struct {
		Options struct {
			CAS *int `json:"cas"`
		} `json:"options"`
		Data map[string]json.RawMessage `json:"data"`
	}
	if json.Unmarshal(body, &request) != nil || request.Data == nil {
		vaultSays(w, http.StatusBadRequest, "no data provided")
		return
	}
	switch {
	case request.Options.CAS == nil:
		vaultSays(w, http.StatusBadRequest, "check-and-set parameter required for this call")
		return
	case *request.Options.CAS != len(v.secrets[path]):
		vaultSays(w, http.StatusBadRequest, "check-and-set parameter did not match the current version")
		return
	}
	v.secrets[path] = append(v.secrets[path], vaultVersion{data: request.Data})
	_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"version": len(v.secrets[path])}})
}
