package verify_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/verify"
)

// A list that is empty but not nil comes from a configuration that lacks something. It never means
// that all are let in.
func TestEmptyLists(t *testing.T) {
	v := newVerifier(t)
	empty := []string{}
	for name, f := range map[string]func(){
		"Require":   func() { v.Require(empty...) },
		"Scopes":    func() { v.Protect(verify.Protection{Scopes: empty}) },
		"AnyScope":  func() { v.Protect(verify.Protection{AnyScope: empty}) },
		"Checks":    func() { v.Protect(verify.Protection{Checks: []verify.Check{}}) },
		"AllScopes": func() { verify.AllScopes(empty...) },
		"any scope": func() { verify.AnyScope(empty...) },
	} {
		if text := panicOf(f); !strings.HasPrefix(text, "verify: ") || !strings.Contains(text, "is empty") {
			t.Errorf("%s: %q", name, text)
		}
	}
	for name, options := range map[string][]verify.Option{
		"WithConnectedApps":           {verify.WithConnectedApps(empty...)},
		"WithClientMetadataDocuments": {verify.WithConnectedApps(), verify.WithClientMetadataDocuments(empty...)},
		"WithClientIDs":               {verify.WithClientIDs(empty...)},
		"WithIssuers":                 {verify.WithIssuers(empty...)},
		"WithAudiences":               {verify.WithAudiences(empty...)},
	} {
		if _, err := verify.New(project, options...); !errors.Is(err, verify.ErrInvalidArgument) || !strings.HasPrefix(err.Error(), "verify: "+name+": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func panicOf(f func()) (text string) {
	defer func() { text, _ = recover().(string) }()
	f()
	return ""
}

// A Verifier that New did not make refuses everything, and says so.
func TestZeroValues(t *testing.T) {
	for name, v := range map[string]*verify.Verifier{"zero": {}, "nil": nil} {
		if claims, err := v.Verify(t.Context(), "a.b.c"); !errors.Is(err, verify.ErrInvalidArgument) || claims.ClientID != "" {
			t.Errorf("%s: Verify: %v", name, err)
		}
		for _, values := range [][]string{nil, {"Bearer a.b.c"}} {
			if _, err := v.VerifyHeader(t.Context(), values); !errors.Is(err, verify.ErrInvalidArgument) {
				t.Errorf("%s: VerifyHeader: %v", name, err)
			}
		}
		if text := panicOf(func() { v.Require() }); !strings.Contains(text, "must be made by New") {
			t.Errorf("%s: Require: %q", name, text)
		}
		if err := v.Close(); err != nil || len(v.Stats().Refused) != 0 {
			t.Errorf("%s: Close: %v", name, err)
		}
	}
	for name, p := range map[string]*verify.ProtectedResource{"zero": {}, "nil": nil} {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/.well-known/oauth-protected-resource", nil))
		if w.Code != http.StatusNotFound || p.Path() != "" || p.MetadataURL() != "" {
			t.Errorf("%s resource: %d", name, w.Code)
		}
	}
	k := newSigner(t)
	v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart))
	if _, err := v.Verify(context.Background(), k.sign(t, claimsAt(start)), nil); !errors.Is(err, verify.ErrInvalidArgument) {
		t.Errorf("a nil check: %v", err)
	}
	if text := panicOf(func() { v.Require()(nil) }); !strings.Contains(text, "handler") {
		t.Errorf("a nil handler: %q", text)
	}
}

// The program's global transport, which others change, has nothing to do with keys.
func TestOwnTransport(t *testing.T) {
	k := newSigner(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(k.jwks()) }))
	defer server.Close()
	before := http.DefaultTransport
	http.DefaultTransport = roundTrip(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
	defer func() { http.DefaultTransport = before }()
	for name, options := range map[string][]verify.Option{"default": nil, "http.Client without one": {verify.WithHTTPClient(&http.Client{})}} {
		v := newVerifier(t, append(options, verify.WithJWKSURL(server.URL), verify.WithClock(atStart))...)
		if _, err := v.Verify(t.Context(), k.sign(t, claimsAt(start))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A Connected App may be known by the address of its metadata document, if the API says so.
func TestClientMetadataDocuments(t *testing.T) {
	const document = "https://app.example.com/oauth/client.json"
	k := newSigner(t)
	offline := []verify.Option{verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart)}
	plain := newVerifier(t, append(offline, verify.WithConnectedApps())...)
	all := newVerifier(t, append(offline, verify.WithConnectedApps(), verify.WithClientMetadataDocuments())...)
	one := newVerifier(t, append(offline, verify.WithConnectedApps("connected-app-test-1"), verify.WithClientMetadataDocuments(document))...)
	for _, test := range []struct {
		clientID, subject string
		plain, all, one   bool
	}{
		{document, "user-test-1", false, true, true},
		{document, "member-test-1", false, true, true},
		{"https://app.example.com/other", "user-test-1", false, true, false},
		{"https://app.example.com:8443/a/", "user-test-1", false, true, false},
		{"connected-app-test-1", "user-test-1", true, true, true},
		{"connected-app-test-2", "user-test-1", true, true, false},
		{document, client, false, false, false},
		{document, document, false, false, false},
		{"http://app.example.com/client", "user-test-1", false, false, false},
		{"http://127.0.0.1/client", "user-test-1", false, false, false},
		{"https://app.example.com", "user-test-1", false, false, false},
		{"https://app.example.com/", "user-test-1", false, false, false},
		{"https://app.example.com/a?b=c", "user-test-1", false, false, false},
		{"https://app.example.com/a#b", "user-test-1", false, false, false},
		{"https://app.example.com/a/../b", "user-test-1", false, false, false},
		{"https://user@app.example.com/a", "user-test-1", false, false, false},
		{"https://app.example.com/" + strings.Repeat("a", 300), "user-test-1", false, false, false},
	} {
		token := k.sign(t, claimsAt(start, "client_id", test.clientID, "sub", test.subject))
		for i, want := range []bool{test.plain, test.all, test.one} {
			claims, err := []*verify.Verifier{plain, all, one}[i].Verify(t.Context(), token)
			if (err == nil) != want || err != nil && !errors.Is(err, verify.ErrKind) || err == nil && claims.ClientID != test.clientID {
				t.Errorf("%.60s of %s, verifier %d: %v, want %t", test.clientID, test.subject, i, err, want)
			}
		}
	}
	for want, options := range map[string][]verify.Option{
		"add WithConnectedApps": {verify.WithClientMetadataDocuments()},
		"must be an https URL":  {verify.WithConnectedApps(), verify.WithClientMetadataDocuments("connected-app-test-1")},
	} {
		if _, err := verify.New(project, options...); !errors.Is(err, verify.ErrInvalidArgument) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
