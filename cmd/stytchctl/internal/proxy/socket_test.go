//go:build unix

package proxy_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/proxy"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch/verify"
)

// ask sends a request to the token socket.
func (f *fixture) ask(method, path string, headers ...string) reply {
	f.t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", f.socket)
	}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(f.t.Context(), method, "http://socket"+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return reply{resp, string(text)}
}

func TestTokenSocket(t *testing.T) {
	f := start(t, nil, func(c *proxy.Config) {
		c.TokenSocket = filepath.Join(t.TempDir(), "token.sock")
		c.Scopes = scopes
	})
	info, err := os.Stat(f.socket)
	if err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(f.socket)); len(entries) != 1 {
		t.Errorf("something was left beside the socket: %v", entries)
	}
	verifier, err := verify.New(f.stytch.ProjectID, verify.WithBaseURL(f.stytch.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer verifier.Close()
	var shown []string
	for _, test := range []struct{ query, scope string }{
		{"", "read:users write:invoices"},
		{"?scope=read:users", "read:users"},
		{"?scope=write:invoices", "write:invoices"},
		{"?scope=write:invoices%20read:users", "read:users write:invoices"},
		{"?scope=write:invoices&scope=read:users", "read:users write:invoices"},
	} {
		r := f.ask("GET", "/token"+test.query, "Stytch-Token-Request", "true")
		var got struct {
			AccessToken string    `json:"access_token"`
			ExpiresAt   time.Time `json:"expires_at"`
		}
		if err := json.Unmarshal([]byte(r.text), &got); err != nil || r.StatusCode != 200 {
			t.Fatalf("%s: %d %q %v", test.query, r.StatusCode, r.text, err)
		}
		shown = append(shown, got.AccessToken)
		claims, err := verifier.Verify(t.Context(), got.AccessToken)
		if err != nil {
			t.Fatal(err)
		}
		if scope := strings.Join(claims.Scopes(), " "); scope != test.scope {
			t.Errorf("%s: scopes %q, want %q", test.query, scope, test.scope)
		}
		if left := time.Until(got.ExpiresAt); left < 58*time.Minute || left > time.Hour {
			t.Errorf("%s: expires in %v", test.query, left)
		}
		if r.Header.Get("Cache-Control") != "no-store" {
			t.Error("a token may be stored")
		}
	}
	if n := f.stytch.TokensMinted(clientID); n != 3 {
		t.Errorf("%d tokens for 3 sets of scopes", n)
	}
	const header = "Stytch-Token-Request"
	for _, test := range []struct {
		method, path string
		headers      []string
		status       int
		class        string
	}{
		{"GET", "/token", nil, 403, "header_missing"},
		{"GET", "/token", []string{header, "yes"}, 403, "header_missing"},
		{"POST", "/token", []string{header, "true"}, 405, "method_not_allowed"},
		{"GET", "/", []string{header, "true"}, 404, "no_route"},
		{"GET", "/token/", []string{header, "true"}, 404, "no_route"},
		{"GET", "/token?scope=admin:all", []string{header, "true"}, 403, "scope_refused"},
		{"GET", "/token?scope=read:users%20admin:all", []string{header, "true"}, 403, "scope_refused"},
		{"GET", "/token?scope=read:*", []string{header, "true"}, 403, "scope_refused"},
		{"GET", "/token?scope=", []string{header, "true"}, 400, "parameter_refused"},
		{"GET", "/token?scopes=read:users", []string{header, "true"}, 400, "parameter_refused"},
	} {
		r := f.ask(test.method, test.path, test.headers...)
		f.wantProblem(r, test.status, test.class)
		if !strings.Contains(r.text, "Nothing was returned.") {
			t.Errorf("%s", r.text)
		}
	}
	f.stop()
	if redact.New(shown...).Found(f.log.String()) {
		t.Error("a token is in the log")
	}
	if _, err := os.Lstat(f.socket); !os.IsNotExist(err) {
		t.Errorf("the socket was left behind: %v", err)
	}
}

// A proxy without scopes of its own has tokens with all of the client, and hands out no others.
func TestTokenSocketWithoutScopes(t *testing.T) {
	f := start(t, nil, func(c *proxy.Config) { c.TokenSocket = filepath.Join(t.TempDir(), "token.sock") })
	if r := f.ask("GET", "/token", "Stytch-Token-Request", "true"); r.StatusCode != 200 {
		t.Errorf("%d %s", r.StatusCode, r.text)
	}
	f.wantProblem(f.ask("GET", "/token?scope=read:users", "Stytch-Token-Request", "true"), 403, "scope_refused")
}

func TestTokenSocketFails(t *testing.T) {
	f := start(t, nil, func(c *proxy.Config) {
		c.TokenSocket, c.BaseURL = filepath.Join(t.TempDir(), "token.sock"), "http://127.0.0.1:1"
	})
	r := f.ask("GET", "/token", "Stytch-Token-Request", "true")
	f.wantProblem(r, 502, "token_unavailable")
	if !strings.Contains(r.text, "Nothing was returned.") {
		t.Error(r.text)
	}
}

// What is in the way of a socket is never removed, except a socket that no process listens to.
func TestSocketPlace(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("file"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	live, err := net.Listen("unix", at("live"))
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	stale, err := net.Listen("unix", at("stale"))
	if err != nil {
		t.Fatal(err)
	}
	stale.(*net.UnixListener).SetUnlinkOnClose(false)
	stale.Close()
	if err := os.Mkdir(at("open"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(at("open"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ path, err string }{
		{at("file"), "not a socket"},
		{at("live"), "already in use by another process"},
		{at("missing/socket"), "no such file"},
		{at("open/socket"), "others may write to the folder"},
		{at("stale"), ""},
	} {
		f := prepare(t, nil)
		p, err := proxy.New(f.config(func(c *proxy.Config) { c.TokenSocket = test.path }))
		if err != nil {
			t.Fatal(err)
		}
		err = p.Listen(t.Context())
		switch {
		case test.err == "" && err != nil:
			t.Errorf("%s: %v", test.path, err)
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err) || !strings.Contains(err.Error(), "Nothing was served")):
			t.Errorf("%s: %v, want …%s…", test.path, err, test.err)
		}
		if test.err != "" && p.Addr() != nil {
			t.Errorf("%s: the other listeners are open", test.path)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.Serve(ctx); (err == nil) != (test.err == "") {
			t.Errorf("%s: Serve: %v", test.path, err)
		}
	}
	if text, _ := os.ReadFile(at("file")); string(text) != "content" {
		t.Error("the file was changed")
	}
	if _, err := net.Dial("unix", at("live")); err != nil {
		t.Errorf("the socket of another process: %v", err)
	}
	f := prepare(t, nil)
	_, err = proxy.New(f.config(func(c *proxy.Config) { c.TokenSocket = "/" + strings.Repeat("a", 100) }))
	wantConfigError(t, err, "TokenSocket", "more than 80 bytes")
}
