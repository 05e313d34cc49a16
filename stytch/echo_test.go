package stytch_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

// A server that quotes the secret of a request's body does not get it into an error, its details or
// what an observer sees.
func TestEchoedSecretOfTheBody(t *testing.T) {
	canary := secret.Generate()
	quoted := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		quoted++
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"status_code":400,"request_id":"r %[1]s","error_type":"insecure_m2m_client_secret","error_message":"no: %[1]s","error_details":{"sent":"%[1]s"}}`, canary.Reveal())
	}))
	t.Cleanup(server.Close)
	api, err := stytch.New("project-test-a", "secret-test-a", stytch.WithBaseURL(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	check := func(err error) {
		t.Helper()
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary.Reveal()) {
			t.Errorf("no error, or one that shows the secret")
		}
		if e, ok := err.(*stytch.Error); ok && strings.Contains(string(e.Details)+e.Message+e.RequestID, canary.Reveal()) {
			t.Error("a field shows the secret")
		}
	}
	_, err = api.M2M.Create(t.Context(), stytch.M2MCreate{ClientID: "a", ClientSecret: secret.Outgoing(canary), Scopes: []string{"read:users"}})
	check(err)
	raw, err := gen.NewClient(api.BaseURL(), gen.WithHTTPClient(api))
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"a"}, "client_secret": {canary.Reveal()}}
	_, err = raw.IssueM2MTokenWithBody(t.Context(), "project-test-a", "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	check(err)
	if quoted != 2 {
		t.Errorf("%d requests", quoted)
	}
}
