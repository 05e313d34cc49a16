package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/console"
	"github.com/stytchkit/m2m/stytch"
)

var allPages = []string{
	"", "clients", "clients/new", "apps", "apps/new", "requests", "tokens", "keys", "faults", "clock", "behavior", "data", "reference",
}

// Every page works, lets nothing in from outside, and is not kept.
func TestPages(t *testing.T) {
	s := open(t, false)
	for _, path := range allPages {
		p := s.get(path)
		s.has(p, http.StatusOK, "<h1", "!style=", "!<script>", "!javascript:", "!onclick", "!http://www", "!https://cdn", "!"+projectSecret)
		if got := p.header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'self'") || strings.Contains(got, "unsafe") || !strings.Contains(got, "frame-ancestors 'none'") || !strings.Contains(got, "form-action 'self'") || !strings.Contains(got, "base-uri 'none'") {
			t.Errorf("%s: Content-Security-Policy: %s", path, got)
		}
		if p.header.Get("X-Content-Type-Options") != "nosniff" || p.header.Get("Cache-Control") != "no-store" || p.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: headers %v", path, p.header)
		}
		if strings.Count(p.body, "<table") != strings.Count(p.body, "<thead") || strings.Contains(p.body, "<th>") {
			t.Errorf("%s has a table without a head, or a header cell without a scope", path)
		}
	}
	s.has(s.get("nothing"), http.StatusNotFound, "There is no such page")
	s.has(s.get("requests/7"), http.StatusNotFound, "The log has no such request")
	s.has(s.get("clients/nobody"), http.StatusNotFound, "There is no such M2M client")
	s.has(s.get("apps/nobody"), http.StatusNotFound, "There is no such Connected App")
}

// Requests of the console are neither in the request log nor on the bill.
func TestConsoleLeavesNoTrace(t *testing.T) {
	s := open(t, false)
	for _, path := range allPages {
		s.get(path)
	}
	if last, _ := s.instance.Requests().Changed(); last != 0 {
		t.Errorf("the request log has %d requests", last)
	}
}

func TestAssets(t *testing.T) {
	s := open(t, false)
	home := s.get("")
	for _, pattern := range []string{`href="/_emulator/(assets/console\.css\?v=[0-9a-f]+)"`, `src="/_emulator/(assets/console\.js\?v=[0-9a-f]+)"`, `href="/_emulator/(assets/favicon\.svg\?v=[0-9a-f]+)"`} {
		p := s.get(s.find(home, pattern))
		if p.status != http.StatusOK || !strings.Contains(p.header.Get("Cache-Control"), "immutable") || p.header.Get("Content-Type") == "" {
			t.Errorf("%s: %d %v", p.path, p.status, p.header)
		}
	}
	s.has(s.get("assets/console.css?v=old"), http.StatusOK)
	if p := s.get("assets/console.css?v=old"); p.header.Get("Cache-Control") != "no-store" {
		t.Errorf("an old version is kept: %v", p.header)
	}
	s.has(s.get("assets/none.css"), http.StatusNotFound)
	s.has(s.get("assets/..%2Fconsole.go"), http.StatusNotFound)
}

// A page of another origin can change nothing.
func TestOtherOrigins(t *testing.T) {
	s := open(t, false)
	c := s.client("Guarded")
	for name, header := range map[string]map[string]string{
		"Sec-Fetch-Site": {"Sec-Fetch-Site": "cross-site"},
		"same site":      {"Sec-Fetch-Site": "same-site"},
		"Origin":         {"Origin": "https://example.com"},
	} {
		for _, path := range []string{"clients/new", "clients/" + c.ClientID + "/delete", "faults", "clock", "data/reset", "keys/rotate", "secret", "sign-in"} {
			header["Content-Type"] = "application/x-www-form-urlencoded"
			s.has(s.send(http.MethodPost, path, strings.NewReader("to=empty"), header), http.StatusForbidden, "Nothing was changed")
		}
		if _, err := s.api.M2M.Get(context.Background(), c.ClientID); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func TestLargeForm(t *testing.T) {
	s := open(t, false)
	s.has(s.post("clients/new", "client_name", strings.Repeat("x", 2<<20)), http.StatusBadRequest, "larger than 1 MiB. Nothing was changed")
}

// Names are text on every page.
func TestHostileNames(t *testing.T) {
	s := open(t, false)
	ctx := context.Background()
	for _, name := range []string{"<script>alert(1)</script>", "\u202egnp.exe", strings.Repeat("W", 10_000), `"><img src=x onerror=alert(1)>`, "{{.}}", "a\r\nb\x1b[0m"} {
		created, err := s.api.M2M.Create(ctx, stytch.M2MCreate{ClientName: name, ClientDescription: name, Scopes: []string{"<b>"}})
		if err != nil {
			t.Fatal(err)
		}
		app, err := s.api.ConnectedApps.Create(ctx, stytch.ConnectedAppCreate{ClientType: "first_party", ClientName: name, ClientDescription: name})
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{
			"clients", "clients/" + created.ClientID, "clients?q=" + url.QueryEscape(name), "apps", "apps/" + app.ClientID, "apps?q=" + url.QueryEscape(name),
			"tokens?client=" + url.QueryEscape(name), "requests?client=" + url.QueryEscape(name), "clients/" + url.PathEscape(name), "faults?operation=" + url.QueryEscape(name),
		} {
			p := s.get(path)
			if strings.Contains(p.body, "<script>") || strings.Contains(p.body, "<img") || strings.Contains(p.body, "<b>") {
				t.Errorf("%.80s: the name is markup", path)
			}
			shown := strings.NewReplacer(`value="`+name, "", ">"+name, "").Replace(p.body) // in fields, where it can be edited
			if strings.ContainsAny(shown, "\u202e\x1b") && !strings.Contains(path, "/"+created.ClientID) && !strings.Contains(path, "/"+app.ClientID) && !strings.Contains(path, "?") {
				t.Errorf("%.80s: a character that turns the direction is there", path)
			}
		}
		for _, path := range []string{"clients", "apps"} {
			if p := s.get(path); len(p.body) > 100<<10 {
				t.Errorf("%s has %d bytes", path, len(p.body))
			}
		}
	}
}

func TestSignIn(t *testing.T) {
	s := open(t, true)
	for _, path := range allPages {
		p := s.get(path)
		s.has(p, http.StatusOK, "Admin token", "!"+projectID)
		if want := console.Root + "sign-in?next=" + url.QueryEscape(console.Root+path); p.path != want {
			t.Errorf("%s leads to %s, want %s", path, p.path, want)
		}
	}
	for _, path := range []string{"clients/new", "secret", "data/reset", "faults"} {
		s.has(s.post(path), http.StatusForbidden, "Nothing was changed")
	}
	s.has(s.get("requests/stream"), http.StatusForbidden)
	s.has(s.post("sign-in", "token", "wrong", "next", "/_emulator/keys"), http.StatusUnauthorized, "This is not the admin token", `value="/_emulator/keys"`)
	p := s.post("sign-in", "token", adminToken, "next", "https://example.com/")
	s.has(p, http.StatusOK, projectID, "Sign out", "!"+adminToken)
	if p.path != console.Root {
		t.Errorf("the sign-in leads to %s", p.path)
	}
	s.has(s.post("keys/rotate"), http.StatusForbidden, "Nothing was changed")
	s.has(s.post("keys/rotate", "form_token", "wrong"), http.StatusForbidden)
	token := s.find(s.get("keys"), `name="form_token" value="([^"]+)"`)
	s.has(s.post("keys/rotate", "form_token", token), http.StatusOK, "There is a new signing key")
	s.has(s.post("sign-out"), http.StatusOK, "Admin token")
	s.has(s.post("keys/rotate", "form_token", token), http.StatusForbidden)
	s.has(s.get(""), http.StatusOK, "Admin token")
}
