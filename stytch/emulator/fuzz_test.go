package emulator_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// Any request gets a response that the contract knows, and never a 5xx.
func FuzzRequest(f *testing.F) {
	e, err := emulator.New(
		emulator.WithProject("project-test-1", "secret-test-1"),
		emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "x", Secret: "Correct-Horse-9", Scopes: []string{"a", "b"}}),
		emulator.WithConnectedApp(emulator.ConnectedAppSeed{ClientID: "x"}),
		emulator.WithBehavior(emulator.Behavior{MaxM2MClients: 50, MaxConnectedApps: 50}))
	if err != nil {
		f.Fatal(err)
	}
	const jsonType, formType = "application/json", "application/x-www-form-urlencoded"
	for _, op := range management {
		path := strings.ReplaceAll(op.path, "{id}", "x")
		for _, body := range []string{``, `{}`, `{"scopes":["a"],"client_id":"y"}`, `{"trusted_metadata":{"a":[1e400,null]},"status":null}`,
			`{"query":{"operator":"OR","operands":[{"filter_name":"scopes","filter_value":["a"]}]},"limit":1,"cursor":"YWZ0ZXI6MQ"}`,
			`{"client_type":"third_party","redirect_urls":["https://a.example"],"access_token_expiry_minutes":5}`} {
			f.Add(op.method, path, jsonType, "Basic cHJvamVjdC10ZXN0LTE6c2VjcmV0LXRlc3QtMQ==", []byte(body))
		}
	}
	const token = "/v1/public/project-test-1/oauth2/token"
	f.Add("POST", token, formType, "", []byte("grant_type=client_credentials&client_id=x&client_secret=Correct-Horse-9&scope=a"))
	f.Add("POST", token, jsonType, "Basic eDp5", []byte(`{"grant_type":"client_credentials","client_id":"x"}`))
	f.Add("GET", "/v1/sessions/jwks/project-test-1", "", "", []byte(nil))
	f.Add("GET", "/v1/b2b/sessions/jwks/%2e%2e?x=%zz", "", "Bearer x", []byte(nil))

	f.Fuzz(func(t *testing.T, method, path, mediaType, auth string, body []byte) {
		u, err := url.ParseRequestURI(path)
		if err != nil || !strings.HasPrefix(path, "/") || u.Path == "/openapi.yaml" {
			t.Skip("net/http would not let it through, or it is a file")
		}
		r := httptest.NewRequest(http.MethodGet, "/", strings.NewReader(string(body)))
		r.Method, r.URL = method, u
		r.Header = http.Header{"Content-Type": {mediaType}, "Authorization": {auth}}
		got, err := exchange(t, direct{e}, r)
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		if got.status >= 500 {
			t.Errorf("%s %s: status %d", method, path, got.status)
		}
		if fault := checkFormat(r, got); fault != "" {
			t.Errorf("%s %s: status %d: %s", method, path, got.status, fault)
		}
	})
}

// direct calls a handler without a connection.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}
