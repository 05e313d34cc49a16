package verify_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/verify"
)

const authorizationServer = "https://login.example.com"

func describe(tb testing.TB, r verify.Resource) *verify.ProtectedResource {
	tb.Helper()
	if r.AuthorizationServers == nil {
		r.AuthorizationServers = []string{authorizationServer}
	}
	p, err := verify.NewProtectedResource(r)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// The examples of RFC 9728, section 3.1, and the addresses that clients disagree about.
func TestProtectedResourcePaths(t *testing.T) {
	for _, test := range []struct{ resource, path, metadataURL string }{
		{"https://api.example.com", "/.well-known/oauth-protected-resource", "https://api.example.com/.well-known/oauth-protected-resource"},
		{"https://api.example.com/", "/.well-known/oauth-protected-resource", "https://api.example.com/.well-known/oauth-protected-resource"},
		{"https://api.example.com/mcp", "/.well-known/oauth-protected-resource/mcp", "https://api.example.com/.well-known/oauth-protected-resource/mcp"},
		{"https://api.example.com/mcp/", "/.well-known/oauth-protected-resource/mcp/", "https://api.example.com/.well-known/oauth-protected-resource/mcp/"},
		{"https://api.example.com:8443/a/b", "/.well-known/oauth-protected-resource/a/b", "https://api.example.com:8443/.well-known/oauth-protected-resource/a/b"},
		{"http://127.0.0.1:8080/mcp", "/.well-known/oauth-protected-resource/mcp", "http://127.0.0.1:8080/.well-known/oauth-protected-resource/mcp"},
		{"http://[::1]/mcp", "/.well-known/oauth-protected-resource/mcp", "http://[::1]/.well-known/oauth-protected-resource/mcp"},
		{"http://localhost/mcp", "/.well-known/oauth-protected-resource/mcp", "http://localhost/.well-known/oauth-protected-resource/mcp"},
	} {
		t.Run(test.resource, func(t *testing.T) {
			p := describe(t, verify.Resource{URL: test.resource})
			if p.Path() != test.path || p.MetadataURL() != test.metadataURL {
				t.Errorf("%s and %s, want %s and %s", p.Path(), p.MetadataURL(), test.path, test.metadataURL)
			}
			mux := http.NewServeMux()
			mux.Handle(p.Path(), p)
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, test.metadataURL, nil))
			var document struct{ Resource string }
			if err := json.Unmarshal(w.Body.Bytes(), &document); w.Code != 200 || err != nil || document.Resource != test.resource {
				t.Errorf("%d %s, want the resource %s", w.Code, w.Body, test.resource)
			}
		})
	}
}

func TestProtectedResourceDocument(t *testing.T) {
	full := describe(t, verify.Resource{
		URL: "https://api.example.com/mcp&more", AuthorizationServers: []string{authorizationServer, "https://b.example.com/x/"},
		Scopes: []string{"read:users", "write:*"}, Name: "Users <API>", Documentation: "https://docs.example.com/users",
	})
	const wantFull = `{"resource":"https://api.example.com/mcp&more","authorization_servers":["https://login.example.com","https://b.example.com/x/"],` +
		`"scopes_supported":["read:users","write:*"],"bearer_methods_supported":["header"],"resource_name":"Users <API>","resource_documentation":"https://docs.example.com/users"}`
	const wantLeast = `{"resource":"https://api.example.com","authorization_servers":["https://login.example.com"],"bearer_methods_supported":["header"]}`
	for _, test := range []struct {
		*verify.ProtectedResource
		want string
	}{{full, wantFull}, {describe(t, verify.Resource{URL: "https://api.example.com"}), wantLeast}} {
		w := httptest.NewRecorder()
		test.ServeHTTP(w, httptest.NewRequest(http.MethodGet, test.MetadataURL(), nil))
		if got := strings.TrimSpace(w.Body.String()); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

func TestProtectedResourceMethods(t *testing.T) {
	p := describe(t, verify.Resource{URL: "https://api.example.com/mcp/"})
	mux := http.NewServeMux()
	mux.Handle(p.Path(), p)
	for _, test := range []struct {
		method, target string
		status         int
		header         http.Header
		body           bool
	}{
		{"GET", p.MetadataURL(), 200, http.Header{"Access-Control-Allow-Origin": {"*"}, "Content-Type": {"application/json"}, "Cache-Control": {"public, max-age=3600"}}, true},
		{"HEAD", p.MetadataURL(), 200, http.Header{"Access-Control-Allow-Origin": {"*"}, "Content-Type": {"application/json"}, "Cache-Control": {"public, max-age=3600"}}, false},
		{"OPTIONS", p.MetadataURL(), 204, http.Header{"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Methods": {"GET, HEAD, OPTIONS"}, "Access-Control-Allow-Headers": {"*"}, "Access-Control-Max-Age": {"86400"}}, false},
		{"POST", p.MetadataURL(), 405, http.Header{"Allow": {"GET, HEAD, OPTIONS"}}, true},
		{"GET", p.MetadataURL() + "other", 404, nil, true},
		{"GET", p.MetadataURL() + "?a=b", 200, nil, true},
	} {
		t.Run(test.method+" "+test.target, func(t *testing.T) {
			server := httptest.NewServer(mux)
			defer server.Close()
			target := server.URL + strings.TrimPrefix(test.target, "https://api.example.com")
			request, err := http.NewRequestWithContext(t.Context(), test.method, target, nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := server.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			n, _ := answer.Body.Read(make([]byte, 1))
			if answer.StatusCode != test.status || (n == 1) != test.body {
				t.Errorf("%d with a body: %t, want %d, %t", answer.StatusCode, n == 1, test.status, test.body)
			}
			for name, want := range test.header {
				if got := answer.Header[name]; !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestNewProtectedResourceRefuses(t *testing.T) {
	const secretPart = "user:canary-8b1c"
	for _, test := range []struct {
		name  string
		r     verify.Resource
		field string
	}{
		{"no URL", verify.Resource{}, "URL"},
		{"no scheme", verify.Resource{URL: "api.example.com/mcp"}, "URL"},
		{"no host", verify.Resource{URL: "https:///mcp"}, "URL"},
		{"opaque", verify.Resource{URL: "https:api.example.com"}, "URL"},
		{"other scheme", verify.Resource{URL: "ftp://api.example.com"}, "URL"},
		{"plain http", verify.Resource{URL: "http://api.example.com"}, "URL"},
		{"loopback in name only", verify.Resource{URL: "http://localhost.example.com"}, "URL"},
		{"fragment", verify.Resource{URL: "https://api.example.com/#a"}, "URL"},
		{"empty fragment", verify.Resource{URL: "https://api.example.com/#"}, "URL"},
		{"query", verify.Resource{URL: "https://api.example.com/?a=b"}, "URL"},
		{"empty query", verify.Resource{URL: "https://api.example.com/?"}, "URL"},
		{"user info", verify.Resource{URL: "https://" + secretPart + "@api.example.com"}, "URL"},
		{"not a URL", verify.Resource{URL: "https://" + secretPart + "@api.example.com/%zz"}, "URL"},
		{"dot segment", verify.Resource{URL: "https://api.example.com/a/../b"}, "URL"},
		{"escaped dot segment", verify.Resource{URL: "https://api.example.com/a/%2e%2e/b"}, "URL"},
		{"empty segment", verify.Resource{URL: "https://api.example.com//mcp"}, "URL"},
		{"slash inside a segment", verify.Resource{URL: "https://api.example.com/a%2Fb"}, "URL"},
		{"only slashes", verify.Resource{URL: "https://api.example.com//"}, "URL"},
		{"brace", verify.Resource{URL: "https://api.example.com/{tenant}"}, "URL"},
		{"escaped brace", verify.Resource{URL: "https://api.example.com/%7Btenant%7D"}, "URL"},
		{"quote", verify.Resource{URL: `https://api.example.com/"`}, "URL"},
		{"backslash", verify.Resource{URL: `https://api.example.com/a\b`}, "URL"},
		{"space", verify.Resource{URL: "https://api.example.com/a b"}, "URL"},
		{"not ASCII", verify.Resource{URL: "https://api.example.com/ä"}, "URL"},
		{"line break", verify.Resource{URL: "https://api.example.com/a\r\nb"}, "URL"},
		{"no server", verify.Resource{URL: "https://api.example.com", AuthorizationServers: []string{}}, "AuthorizationServers"},
		{"bad server", verify.Resource{URL: "https://api.example.com", AuthorizationServers: []string{authorizationServer, "stytch.com"}}, "AuthorizationServers[1]"},
		{"empty scope", verify.Resource{URL: "https://api.example.com", Scopes: []string{"a", ""}}, "Scopes[1]"},
		{"two scopes in one", verify.Resource{URL: "https://api.example.com", Scopes: []string{"a b"}}, "Scopes[0]"},
		{"documentation", verify.Resource{URL: "https://api.example.com", Documentation: "javascript:alert(1)"}, "Documentation"},
		{"documentation by http", verify.Resource{URL: "https://api.example.com", Documentation: "http://docs.example.com"}, "Documentation"},
		{"documentation without host", verify.Resource{URL: "https://api.example.com", Documentation: "https:docs"}, "Documentation"},
		{"documentation that is no URL", verify.Resource{URL: "https://api.example.com", Documentation: "https://docs/%zz"}, "Documentation"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.r.AuthorizationServers == nil {
				test.r.AuthorizationServers = []string{authorizationServer}
			}
			p, err := verify.NewProtectedResource(test.r)
			if err == nil || p != nil {
				t.Fatalf("accepted, as %v", p)
			}
			if !strings.HasPrefix(err.Error(), "verify: Resource."+test.field+": ") {
				t.Errorf("%v does not name the field %s", err, test.field)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Error("the error quotes the user info")
			}
		})
	}
}

// The description is a copy: what happens to the caller's slices later does not show.
func TestProtectedResourceCopies(t *testing.T) {
	scopes := []string{"read:users"}
	p := describe(t, verify.Resource{URL: "https://api.example.com", Scopes: scopes})
	scopes[0] = "changed"
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, p.MetadataURL(), nil))
	if !strings.Contains(w.Body.String(), "read:users") {
		t.Errorf("%s does not hold the scope that it was made with", w.Body)
	}
}
