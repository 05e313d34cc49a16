package operation

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMatch(t *testing.T) {
	const m2m, apps = "/v1/m2m/clients", "/v1/connected_apps/clients"
	for _, c := range []struct {
		method, path string
		op           *Operation
		param        string
	}{
		{"POST", m2m, CreateM2MClient, ""},
		{"POST", m2m + "/search", SearchM2MClients, ""},
		{"GET", m2m + "/a", GetM2MClient, "a"},
		{"PUT", m2m + "/a", UpdateM2MClient, "a"},
		{"DELETE", m2m + "/a", DeleteM2MClient, "a"},
		{"POST", m2m + "/a/secrets/rotate/start", StartM2MClientSecretRotation, "a"},
		{"POST", m2m + "/a/secrets/rotate/cancel", CancelM2MClientSecretRotation, "a"},
		{"POST", m2m + "/a/secrets/rotate", CompleteM2MClientSecretRotation, "a"},
		{"POST", apps, CreateConnectedApp, ""},
		{"POST", apps + "/search", SearchConnectedApps, ""},
		{"GET", apps + "/a", GetConnectedApp, "a"},
		{"PUT", apps + "/a", UpdateConnectedApp, "a"},
		{"DELETE", apps + "/a", DeleteConnectedApp, "a"},
		{"POST", apps + "/a/secrets/rotate/start", StartConnectedAppSecretRotation, "a"},
		{"POST", apps + "/a/secrets/rotate/cancel", CancelConnectedAppSecretRotation, "a"},
		{"POST", apps + "/a/secrets/rotate", CompleteConnectedAppSecretRotation, "a"},
		{"POST", "/v1/public/p/oauth2/token", IssueM2MToken, "p"},
		{"GET", "/v1/sessions/jwks/p", GetJWKS, "p"},
		{"GET", "/v1/b2b/sessions/jwks/p", GetB2BJWKS, "p"},
		{"GET", "/v1/public/p/.well-known/jwks.json", GetWellKnownJWKS, "p"},
		{"GET", "/.well-known/jwks.json", GetWellKnownJWKSOnProjectDomain, ""},
		{"POST", "/v1/public/p/oauth2/introspect", IntrospectToken, "p"},
		{"POST", "/v1/public/p/oauth2/revoke", RevokeToken, "p"},
		{"POST", "/v1/oauth2/token", IssueM2MTokenOnProjectDomain, ""},
		{"POST", "/v1/oauth2/register", RegisterConnectedApp, ""},
		{"POST", "/v1/public/p/oauth2/register", nil, ""},
		{"GET", "/v1/public/.well-known/jwks.json", nil, ""},

		{"GET", m2m + "/a%2Fb", GetM2MClient, "a%2Fb"},   // escaped, it is one segment
		{"GET", m2m + "/search", GetM2MClient, "search"}, // CheckID refuses the name
		{"POST", m2m + "/rotate/secrets/rotate", CompleteM2MClientSecretRotation, "rotate"},

		{"GET", m2m, nil, ""},
		{"GET", m2m + "/", nil, ""},
		{"DELETE", m2m + "/", nil, ""},
		{"DELETE", "/v1/m2m/", nil, ""}, // where ".." ends
		{"GET", m2m + "/a/", nil, ""},
		{"GET", m2m + "/a/b", nil, ""},
		{"GET", m2m + "//", nil, ""},
		{"POST", m2m + "//secrets/rotate", nil, ""},
		{"POST", m2m + "/secrets/rotate", nil, ""}, // where "." ends
		{"POST", m2m + "/a/b/secrets/rotate", nil, ""},
		{"POST", "/v1/m2m/secrets/rotate/start", nil, ""},
		{"get", m2m + "/a", nil, ""},
		{"PATCH", m2m + "/a", nil, ""},
		{"", m2m + "/a", nil, ""},
		{"GET", "", nil, ""},
		{"GET", "/", nil, ""},
		{"GET", "v1/m2m/clients/a", nil, ""},
		{"GET", "/V1/m2m/clients/a", nil, ""},
		{"GET", "/v1/m2m/clients/a?x", GetM2MClient, "a?x"}, // a path holds no query; Param and CheckID refuse it
	} {
		op, param := Match(c.method, c.path)
		if op != c.op || param != c.param {
			t.Errorf("%s %s: %v %q, want %v %q", c.method, c.path, name(op), param, name(c.op), c.param)
		}
	}
}

func TestTable(t *testing.T) {
	if len(All) == 0 {
		t.Error("there are no operations")
	}
	ids := map[string]bool{}
	for _, op := range All {
		if ids[op.ID] {
			t.Errorf("%s is there twice", op.ID)
		}
		ids[op.ID] = true
		if op.Safety < Read || op.Safety > Billed {
			t.Errorf("%s has no safety", op.ID)
		}
		if got, param := Match(op.Method, op.URL("x-1")); got != op || param != "" && param != "x-1" {
			t.Errorf("%s %s is taken for %s", op.Method, op.Path, name(got))
		}
		if op.Method == "GET" && op.Safety != Read {
			t.Errorf("%s is a GET and not a read", op.ID)
		}
		// A secret that is shown is shown once, but for tokens, which anyone can get again.
		if op.ReturnsSecret && op.Safety != ShownOnce && op.Safety != Billed {
			t.Errorf("%s answers with a secret and may be repeated", op.ID)
		}
		management := strings.HasPrefix(op.Path, "/v1/m2m/clients") || strings.HasPrefix(op.Path, "/v1/connected_apps/clients")
		if op.ProjectAuth != management {
			t.Errorf("%s: ProjectAuth is %t", op.ID, op.ProjectAuth)
		}
	}
}

func TestURL(t *testing.T) {
	for _, c := range []struct {
		op         *Operation
		param, url string
	}{
		{CreateM2MClient, "ignored", "/v1/m2m/clients"},
		{GetM2MClient, "m2m-client-test-1", "/v1/m2m/clients/m2m-client-test-1"},
		{GetM2MClient, "A1-._~", "/v1/m2m/clients/A1-._~"},
		{GetM2MClient, "a b", "/v1/m2m/clients/a%20b"},
		{GetM2MClient, "a+b", "/v1/m2m/clients/a%2Bb"},
		{GetM2MClient, "a/b", "/v1/m2m/clients/a%2Fb"},
		{GetM2MClient, "a;b=c&d@e:f$g,h!i*j'k(l)m", "/v1/m2m/clients/a%3Bb%3Dc%26d%40e%3Af%24g%2Ch%21i%2Aj%27k%28l%29m"},
		{GetM2MClient, "é\xff", "/v1/m2m/clients/%C3%A9%FF"},
		{StartConnectedAppSecretRotation, "a%", "/v1/connected_apps/clients/a%25/secrets/rotate/start"},
	} {
		if got := c.op.URL(c.param); got != c.url {
			t.Errorf("%s of %q: %s, want %s", c.op.ID, c.param, got, c.url)
		}
	}
}

func TestParam(t *testing.T) {
	for _, bad := range []string{"%", "a%2", "%zz", "%2G"} {
		if _, err := Param(bad); err == nil {
			t.Errorf("%q is no escaped text", bad)
		}
	}
	if got, err := Param("a%2Fb+c%20d"); err != nil || got != "a/b+c d" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestCheckID(t *testing.T) {
	for _, id := range []string{"a", "m2m-client-test-1", "legacy_client.01", "...", "a..b", ".a", "a b", "a+b", "a;b", "a&b=c", "a@b:c", "ä", "客户", "Search",
		"search1", "rotate", strings.Repeat("a", 256)} {
		if err := CheckID(id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, c := range []struct{ id, rule string }{
		{"", "empty"}, {".", "dot segment"}, {"..", "dot segment"}, {"search", "search"},
		{"a/b", "any of"}, {`a\b`, "any of"}, {"a%b", "any of"}, {"a?b", "any of"}, {"a#b", "any of"},
		{" a", "space"}, {"a ", "space"}, {"a\u00a0", "space"}, {"\u3000a", "space"}, {" ", "space"}, {"\t", "space"},
		{"a\nb", "control"}, {"a\rb", "control"}, {"a\x00b", "control"}, {"a\x7fb", "control"}, {"a\u0085b", "control"}, {"a\u2028b", "control"},
		{"a\u2029b", "control"},
		{"a\xffb", "UTF-8"}, {"\xc3", "UTF-8"}, {strings.Repeat("a", 257), "256"}, {strings.Repeat("ä", 129), "256"},
	} {
		if err := CheckID(c.id); err == nil || !strings.Contains(err.Error(), c.rule) {
			t.Errorf("%.20q: %v, want the rule about %q", c.id, err, c.rule)
		}
	}
}

// FuzzMatch: whatever an id is made of, it goes through escape, URL, Match and Param as one
// segment.
func FuzzMatch(f *testing.F) {
	for _, seed := range []string{"a", "..", "a/b", "%2e%2e", "a%", "search", "x/secrets/rotate", "a b+c", "ä\xff", ""} {
		f.Add(seed, uint8(6))
	}
	f.Fuzz(func(t *testing.T, id string, index uint8) {
		op := All[int(index)%len(All)]
		escaped := op.URL(id)
		u, err := url.Parse("https://host.example" + escaped)
		if err != nil {
			t.Fatalf("%q is no URL: %v", escaped, err)
		}
		if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Host != "host.example" || u.EscapedPath() != escaped {
			t.Fatalf("%q changes in a URL: %q", escaped, u)
		}
		if strings.Count(escaped, "/") != strings.Count(op.Path, "/") {
			t.Fatalf("%q is not one segment in %q", id, escaped)
		}
		if !strings.Contains(op.Path, "{") || id == "" {
			return
		}
		got, param := Match(op.Method, escaped)
		if got == nil || got != op && id != "search" {
			t.Fatalf("%s %q is taken for %s", op.Method, escaped, name(got))
		}
		if got != op {
			return
		}
		back, err := Param(param)
		if err != nil || back != id {
			t.Fatalf("%q came back as %q, %v", id, back, err)
		}
		if CheckID(id) == nil && (!utf8.ValidString(id) || len(id) > maxID || strings.ContainsAny(id, "/\\%?#\r\n\x00") || id == "." || id == "..") {
			t.Errorf("%q is allowed", id)
		}
		if op.URL(back) != escaped {
			t.Errorf("the escaped form of %q is not canonical", id)
		}
	})
}

func name(op *Operation) string {
	if op == nil {
		return "none"
	}
	return op.ID
}
