package deliver_test

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
)

const secretName = "stytch-" + clientID

// keys sets what is in a Secret.
func keys(object map[string]any, pairs ...string) {
	data, _ := object["data"].(map[string]any)
	if data == nil {
		data = map[string]any{}
		object["data"] = data
	}
	for i := 0; i < len(pairs); i += 2 {
		data[pairs[i]] = base64.StdEncoding.EncodeToString([]byte(pairs[i+1]))
	}
}

// TestKubernetesKeeps leaves all but its key as it is.
func TestKubernetesKeeps(t *testing.T) {
	a := newAPIServer(t)
	a.write(secretName, func(object map[string]any) {
		object["type"] = "example.com/own"
		object["metadata"].(map[string]any)["annotations"] = map[string]any{"note": "<ours>"}
		object["metadata"].(map[string]any)["managedFields"] = []any{map[string]any{"manager": "kubectl"}}
		keys(object, "tls.key", "another secret\x00\xff", deliver.DefaultKey, `{"audience": "x",  "n":12345678901234567890}`)
	})
	d := rotate.Delivery{ClientID: clientID, Secret: canary(), Previous: canary()}
	before, _ := a.text(t, secretName)
	a.meddle(func(_ http.ResponseWriter, r *http.Request, body []byte) bool {
		if strings.Contains(string(body), "tls.key") {
			t.Error("another key was sent")
		}
		return false
	})
	give(t, a.deliverer(t, nil), d)
	after, _ := a.text(t, secretName)
	mounted := string(a.mounted(t, secretName, deliver.DefaultKey))
	if !strings.HasPrefix(mounted, `{"audience":"x","n":12345678901234567890,"client_id":`) {
		t.Error("other members were changed")
	}
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	if strings.Replace(after, encode(mounted), encode(`{"audience": "x",  "n":12345678901234567890}`), 1) != before {
		t.Error("something else was changed")
	}
}

func TestKubernetesRefuses(t *testing.T) {
	d := rotate.Delivery{ClientID: clientID, Secret: canary(), Previous: canary()}
	held := canary0()
	for name, tt := range map[string]struct {
		change func(*deliver.KubernetesConfig)
		write  func(object map[string]any)
		is     error
		text   string
	}{
		"absent": {change: func(cfg *deliver.KubernetesConfig) {
			cfg.Create = false
			cfg.SecretName = func(string) string { return "absent" }
		}, text: "no such Secret"},
		"immutable":          {write: func(o map[string]any) { o["immutable"] = true }, text: "the Secret is immutable"},
		"other client":       {write: func(o map[string]any) { keys(o, deliver.DefaultKey, form("other", held, "")) }, is: deliver.ErrOtherClient, text: `"other"`},
		"something else":     {write: func(o map[string]any) { keys(o, deliver.DefaultKey, held.Reveal()) }, text: "something else"},
		"not base64":         {write: func(o map[string]any) { o["data"] = map[string]any{deliver.DefaultKey: "*"} }, text: "base64"},
		"not a Secret":       {write: func(o map[string]any) { o["kind"] = "SecretList" }, text: "not a Secret"},
		"other namespace":    {change: func(cfg *deliver.KubernetesConfig) { cfg.Namespace = "other" }, text: "no such namespace"},
		"name with a slash":  {change: func(cfg *deliver.KubernetesConfig) { cfg.SecretName = func(string) string { return "a/b" } }, is: rotate.ErrInvalidArgument, text: "DNS name"},
		"name with dots":     {change: func(cfg *deliver.KubernetesConfig) { cfg.SecretName = func(string) string { return ".." } }, is: rotate.ErrInvalidArgument, text: "DNS name"},
		"name in upper case": {change: func(cfg *deliver.KubernetesConfig) { cfg.SecretName = func(string) string { return "A" } }, is: rotate.ErrInvalidArgument, text: "DNS name"},
		"key with a slash":   {change: func(cfg *deliver.KubernetesConfig) { cfg.Key = func(string) string { return "a/b" } }, is: rotate.ErrInvalidArgument, text: "Key"},
		"key with dots":      {change: func(cfg *deliver.KubernetesConfig) { cfg.Key = func(string) string { return "..data" } }, is: rotate.ErrInvalidArgument, text: "Key"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPIServer(t)
			if tt.write == nil {
				tt.write = func(map[string]any) {}
			}
			a.write(secretName, tt.write)
			_, before := a.text(t, secretName)
			err := a.deliverer(t, tt.change).Deliver(t.Context(), d)
			if err == nil {
				t.Fatal("no error")
			}
			if leaks(err.Error(), d.Secret, d.Previous, held, a.token) {
				t.Fatal("the error holds a secret")
			}
			if tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v", err)
			}
			if _, after := a.text(t, secretName); after != before || len(a.secrets) != 1 {
				t.Error("something was changed")
			}
		})
	}
}

// TestKubernetesImmutable: what an immutable Secret holds already is no reason for an error.
func TestKubernetesImmutable(t *testing.T) {
	a := newAPIServer(t)
	d := rotate.Delivery{ClientID: clientID, Secret: canary()}
	give(t, a.deliverer(t, nil), d)
	a.write(secretName, func(o map[string]any) { o["immutable"] = true })
	give(t, a.deliverer(t, nil), d)
}

func TestKubernetesConflict(t *testing.T) {
	for name, tt := range map[string]struct {
		times int
		exist bool
		write func(a *apiServer)
		is    error
		gets  int
	}{
		"another key":     {2, true, func(a *apiServer) { a.write(secretName, func(o map[string]any) { keys(o, "other", "x") }) }, nil, 3},
		"without end":     {1 << 30, true, func(a *apiServer) { a.write(secretName, func(o map[string]any) { keys(o, "other", "x") }) }, deliver.ErrConflict, 0},
		"made by another": {1, false, func(a *apiServer) { a.write(secretName, func(o map[string]any) { keys(o, "other", "x") }) }, nil, 2},
		"deleted":         {1, true, func(a *apiServer) { a.mu.Lock(); delete(a.secrets, secretName); a.mu.Unlock() }, nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPIServer(t)
			if tt.exist {
				a.write(secretName, func(map[string]any) {})
			}
			left := tt.times
			a.follow(func(r *http.Request) {
				if r.Method == http.MethodGet && left > 0 {
					left--
					tt.write(a)
				}
			})
			place := a.deliverer(t, nil)
			d := rotate.Delivery{ClientID: clientID, Secret: canary(), Previous: canary()}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			if tt.gets == 0 {
				ctx, cancel = context.WithTimeout(ctx, 200*time.Millisecond)
				defer cancel()
			}
			if err := place.Deliver(ctx, d); !errors.Is(err, tt.is) || tt.gets == 0 && !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("error %v, want %v", err, tt.is)
			}
			if n := a.count(http.MethodGet); n != tt.gets && tt.gets > 0 {
				t.Errorf("read %d times, want %d", n, tt.gets)
			}
			if held, err := place.Read(t.Context(), clientID); err != nil || held.Secret.Equal(d.Secret) != (tt.is == nil) {
				t.Errorf("it holds something else, error %v", err)
			}
			if name != "deleted" && string(a.mounted(t, secretName, "other")) != "x" {
				t.Error("what the other one wrote is gone")
			}
		})
	}
}

// TestKubernetesVerbs names the right that is missing.
func TestKubernetesVerbs(t *testing.T) {
	for method, verb := range map[string]string{"GET": "get", "PATCH": "patch", "POST": "create"} {
		a := newAPIServer(t)
		if method == "PATCH" {
			a.write(secretName, func(map[string]any) {})
		}
		a.meddle(say(method, func(w http.ResponseWriter, _ *http.Request) {
			kubernetesSays(w, http.StatusForbidden, "Forbidden", `secrets "x" is forbidden: User "y" cannot `+verb+` it`)
		}))
		err := a.deliverer(t, nil).Deliver(t.Context(), rotate.Delivery{ClientID: clientID, Secret: canary()})
		if err == nil || !strings.Contains(err.Error(), `the verb "`+verb+`" on secrets in namespace apps`) || !strings.Contains(err.Error(), "is forbidden") {
			t.Errorf("%s: error %v", method, err)
		}
	}
}

// TestInCluster reaches an API server over TLS by what a pod finds around it.
func TestInCluster(t *testing.T) {
	a := newAPIServer(t)
	tls := httptest.NewTLSServer(a.server.Config.Handler)
	defer tls.Close()
	address, err := url.Parse(tls.URL)
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"KUBERNETES_SERVICE_HOST": address.Hostname(), "KUBERNETES_SERVICE_PORT": address.Port()}
	getenv := func(name string) string { return env[name] }
	dir := t.TempDir()
	if _, err := deliver.InClusterAt(func(string) string { return "" }, dir); err == nil {
		t.Error("no error outside of a pod")
	}
	for _, file := range []struct{ name, wrong, content string }{
		{"namespace", "", "apps\n"},
		{"ca.crt", "no certificate", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: tls.Certificate().Raw}))},
		{"token", "", a.token.Reveal() + "\n"},
	} {
		if _, err := deliver.InClusterAt(getenv, dir); err == nil && file.name != "token" {
			t.Errorf("no error without %s", file.name)
		}
		if file.wrong != "" {
			put(t, filepath.Join(dir, file.name), file.wrong, 0o644)
			if _, err := deliver.InClusterAt(getenv, dir); err == nil {
				t.Errorf("no error with a wrong %s", file.name)
			}
		}
		put(t, filepath.Join(dir, file.name), file.content, 0o644)
	}
	cfg, err := deliver.InClusterAt(getenv, dir)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Create = true
	cfg.SecretName = func(id string) string { return "stytch-" + id }
	place, err := deliver.Kubernetes(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d := rotate.Delivery{ClientID: clientID, Secret: canary()}
	give(t, place, d)
	if held, err := place.Read(t.Context(), clientID); err != nil || !held.Secret.Equal(d.Secret) {
		t.Errorf("it holds something else, error %v", err)
	}
	if _, err := deliver.InCluster(); err == nil && os.Getenv("KUBERNETES_SERVICE_HOST") == "" {
		t.Error("no error outside of a pod")
	}
}
