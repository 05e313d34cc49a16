package deliver_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/secret"
)

// say makes a fault that replaces the response to a method.
func say(method string, reply http.HandlerFunc) func(http.ResponseWriter, *http.Request, []byte) bool {
	return func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.Method == method {
			reply(w, r)
		}
		return r.Method == method
	}
}

func page(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("<html>a proxy says no</html>"))
	}
}

// restPlace is one of the two deliverers that speak HTTP.
type restPlace struct {
	*faulty
	rotate.Deliverer
	rotate.Reader
	write string // the method that changes
	echo  func(w http.ResponseWriter, body string)
}

func restPlaces(t *testing.T) map[string]restPlace {
	v, a := newVaultServer(t), newAPIServer(t)
	v.write("stytch/"+clientID, func(m map[string]jsonRaw) { m["other"] = jsonRaw(`"OTHERSECRETOTHERSECRET"`) })
	a.write("stytch-"+clientID, func(map[string]any) {})
	vault, kubernetes := v.deliverer(t, nil), a.deliverer(t, nil)
	return map[string]restPlace{
		"Vault": {&v.faulty, vault, vault, http.MethodPost, func(w http.ResponseWriter, body string) {
			vaultSays(w, http.StatusBadRequest, "cannot read: "+body)
		}},
		"Kubernetes": {&a.faulty, kubernetes, kubernetes, http.MethodPatch, func(w http.ResponseWriter, body string) {
			kubernetesSays(w, http.StatusUnprocessableEntity, "Invalid", "cannot read: "+body)
		}},
	}
}

// TestRESTFaults: whatever the server does, the error names the place and holds no secret.
func TestRESTFaults(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	redirect := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL+r.URL.Path, status) }
	}
	for name, p := range restPlaces(t) {
		for _, method := range []string{http.MethodGet, p.write} {
			for fault, tt := range map[string]struct {
				reply http.HandlerFunc
				text  string
			}{
				"page 200":     {page(200), ""},
				"page 201":     {page(201), ""},
				"nothing 204":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, ""},
				"empty object": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) }, ""},
				"page 404":     {page(404), ""},
				"page 502":     {page(502), "502"},
				"empty 500":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "500"},
				"redirect 301": {redirect(301), "redirects are refused"},
				"redirect 302": {redirect(302), "redirects are refused"},
				"redirect 307": {redirect(307), "redirects are refused"},
				"redirect 308": {redirect(308), "redirects are refused"},
				"huge body":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 5<<20)) }, "larger than"},
				"dropped":      {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
				"cut off": {func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Length", "9")
					w.WriteHeader(200)
				}, "EOF"},
				"throttled":       {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "7"); w.WriteHeader(429) }, "retry after 7s"},
				"not available":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, "503: "},
				"forbidden":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, "403: the "},
				"JSON but no use": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"data":{"data":[]}}`)) }, ""},
			} {
				p.fails(t, name+", "+fault+" of "+method, say(method, tt.reply), tt.text)
			}
		}
		held, err := p.Read(t.Context(), clientID)
		if err != nil || !held.Secret.IsZero() {
			t.Errorf("%s: something was delivered, error %v", name, err)
		}
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("%d requests followed a redirect", n)
	}
}

// fails wants an error that says text.
func (p restPlace) fails(t *testing.T, name string, fault func(http.ResponseWriter, *http.Request, []byte) bool, text string) {
	t.Helper()
	d := rotate.Delivery{ClientID: clientID, Secret: canary(), Previous: canary()}
	p.meddle(fault)
	defer p.meddle(nil)
	err := p.Deliver(t.Context(), d)
	switch {
	case err == nil:
		t.Errorf("%s: no error", name)
	case leaks(err.Error(), d.Secret, d.Previous, p.token):
		t.Errorf("%s: the error holds a secret", name)
	case !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), p.host()) || strings.Contains(err.Error(), "proxy says"):
		t.Errorf("%s: error %v", name, err)
	}
}

// TestRESTEcho: a server sends back what it was sent, the token too.
func TestRESTEcho(t *testing.T) {
	for name, p := range restPlaces(t) {
		d := rotate.Delivery{ClientID: clientID, Secret: canary(), Previous: canary()}
		p.meddle(func(w http.ResponseWriter, r *http.Request, body []byte) bool {
			if r.Method != p.write {
				return false
			}
			p.echo(w, string(body)+" "+r.Header.Get("X-Vault-Token")+r.Header.Get("Authorization"))
			return true
		})
		err := p.Deliver(t.Context(), d)
		if err == nil || leaks(err.Error(), d.Secret, d.Previous, p.token, secret.New("OTHERSECRETOTHERSECRET")) {
			t.Errorf("%s: no error, or one with a secret", name)
		} else if !strings.Contains(err.Error(), "cannot read: ") || !strings.Contains(err.Error(), secret.Placeholder) {
			t.Errorf("%s: the error does not say what the server said", name)
		}
	}
}

func TestRESTSlow(t *testing.T) {
	for name, p := range restPlaces(t) {
		for _, method := range []string{http.MethodGet, p.write} {
			ctx, cancel := context.WithCancel(t.Context())
			p.meddle(say(method, func(_ http.ResponseWriter, r *http.Request) {
				cancel()
				<-r.Context().Done() // which is when the client hung up
			}))
			d := rotate.Delivery{ClientID: clientID, Secret: canary()}
			if err := p.Deliver(ctx, d); !errors.Is(err, context.Canceled) || leaks(err.Error(), d.Secret, p.token) {
				t.Errorf("%s, %s: not an error of the context, or one with a secret", name, method)
			}
			p.meddle(nil)
		}
	}
}

// TestRESTLostResponse: the change was made but its response was lost; the next delivery finds it
// done.
func TestRESTLostResponse(t *testing.T) {
	for name, p := range restPlaces(t) {
		d := rotate.Delivery{ClientID: clientID, Secret: canary(), Previous: canary()}
		p.follow(func(r *http.Request) {
			if r.Method == p.write {
				panic(http.ErrAbortHandler)
			}
		})
		if err := p.Deliver(t.Context(), d); err == nil {
			t.Errorf("%s: no error", name)
		}
		p.follow(nil)
		give(t, p.Deliverer, d)
		if n := p.count(p.write); n != 1 {
			t.Errorf("%s: %d changes, want 1", name, n)
		}
	}
}

func TestTokens(t *testing.T) {
	dir := t.TempDir()
	d := rotate.Delivery{ClientID: clientID, Secret: canary()}
	v := newVaultServer(t)
	path := filepath.Join(dir, "token")
	vault := v.deliverer(t, func(cfg *deliver.VaultConfig) { cfg.Token = deliver.TokenFile(path) })
	for name, tt := range map[string]struct{ content, text string }{
		"empty": {" \n", "not empty"}, "two lines": {"a\nb", "line break"}, "quoted": {"\"a\"\n", "quotation marks"}, "not ASCII": {"ä", "printable"}, "large": {strings.Repeat("x", 65<<10), "at most"},
	} {
		put(t, path, tt.content, 0o600)
		if err := vault.Deliver(t.Context(), d); err == nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if v.count(http.MethodGet) != 0 {
		t.Error("a request was sent without a token")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := vault.Deliver(t.Context(), d); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: error %v", err)
	}
	put(t, path, "\ufeff"+v.token.Reveal()+"\n", 0o600) // read again for each request
	give(t, vault, d)
	failing := v.deliverer(t, func(cfg *deliver.VaultConfig) {
		cfg.Token = func(context.Context) (secret.String, error) { return secret.String{}, context.DeadlineExceeded }
	})
	if err := failing.Deliver(t.Context(), d); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no token: error %v", err)
	}
}

func TestConfig(t *testing.T) {
	give := func(context.Context) (secret.String, error) { return secret.New("t"), nil }
	name := func(string) string { return "x" }
	vault := func(change func(*deliver.VaultConfig)) error {
		cfg := deliver.VaultConfig{Address: "https://vault:8200", Mount: "kv", Path: name, Token: give}
		change(&cfg)
		_, err := deliver.Vault(cfg)
		return err
	}
	kubernetes := func(change func(*deliver.KubernetesConfig)) error {
		cfg := deliver.KubernetesConfig{Address: "https://[fd00::1]:443/k8s/clusters/c", Namespace: "apps", SecretName: name, Token: give}
		change(&cfg)
		_, err := deliver.Kubernetes(cfg)
		return err
	}
	for _, address := range []string{
		"", "vault:8200", "http://vault:8200", "ftp://vault", "https://", "https://user:pw@vault", "https://vault?x", "https://vault#x",
		"https://vault/a/../b", "https://vault//a", "https://vault/%2e%2e/a", "https://vault/\x7f", "http://127.0.0.1.example.com",
	} {
		for name, err := range map[string]error{
			"Vault":      vault(func(cfg *deliver.VaultConfig) { cfg.Address = address }),
			"Kubernetes": kubernetes(func(cfg *deliver.KubernetesConfig) { cfg.Address = address }),
		} {
			if !errors.Is(err, rotate.ErrInvalidArgument) || strings.Contains(err.Error(), "pw@") {
				t.Errorf("%s with address %q: error %v", name, address, err)
			}
		}
	}
	for name, err := range map[string]error{
		"no mount":      vault(func(cfg *deliver.VaultConfig) { cfg.Mount = "" }),
		"dotted mount":  vault(func(cfg *deliver.VaultConfig) { cfg.Mount = "kv/../sys" }),
		"no path":       vault(func(cfg *deliver.VaultConfig) { cfg.Path = nil }),
		"no token":      vault(func(cfg *deliver.VaultConfig) { cfg.Token = nil }),
		"bad namespace": vault(func(cfg *deliver.VaultConfig) { cfg.Namespace = "a\r\nb" }),
		"no namespace":  kubernetes(func(cfg *deliver.KubernetesConfig) { cfg.Namespace = "" }),
		"other path":    kubernetes(func(cfg *deliver.KubernetesConfig) { cfg.Namespace = "a/secrets" }),
		"no Secret":     kubernetes(func(cfg *deliver.KubernetesConfig) { cfg.SecretName = nil }),
		"no token, k8s": kubernetes(func(cfg *deliver.KubernetesConfig) { cfg.Token = nil }),
	} {
		if !errors.Is(err, rotate.ErrInvalidArgument) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	for _, address := range []string{"https://vault", "https://vault:8200/", "http://localhost:8200", "http://[::1]:1/a%20b"} {
		if err := vault(func(cfg *deliver.VaultConfig) { cfg.Address = address }); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := kubernetes(func(*deliver.KubernetesConfig) {}); err != nil {
		t.Error(err)
	}
}
