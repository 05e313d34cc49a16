package console

import (
	"strings"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
)

func TestTimeline(t *testing.T) {
	for _, test := range []struct {
		name    string
		request admin.LoggedRequest
		want    string
	}{
		{"good", admin.LoggedRequest{Method: "GET", Path: "/v1/m2m/clients/a", Operation: "GetM2MClient", Status: 200, DurationMs: 1.5},
			"Received note, Matched good, Carried out good, Responded good: 200 OK, after 1.5 ms"},
		{"refused", admin.LoggedRequest{Operation: "IssueM2MToken", Status: 400, ErrorType: "invalid_client", Reason: "the secret is wrong"},
			"Received note, Matched good, Refused bad, Responded bad: 400 Bad Request, invalid_client, after 0.0 ms"},
		{"dropped", admin.LoggedRequest{Operation: "GetM2MClient", Reason: "fault drop_response of GetM2MClient struck"},
			"Received note, Matched good, A fault struck bad, No response bad: The connection was ended without one, after 0.0 ms."},
		{"delayed", admin.LoggedRequest{Operation: "GetM2MClient", Status: 200, Reason: "fault latency of GetM2MClient struck", DurationMs: 2000},
			"Received note, Matched good, A fault struck bad, Responded good: 200 OK, after 2000 ms"},
		{"no route", admin.LoggedRequest{Status: 404, ErrorType: "route_not_found", Reason: "no route"},
			"Received note, No operation bad, Refused bad, Responded bad: 404 Not Found, route_not_found, after 0.0 ms"},
		{"failed", admin.LoggedRequest{Operation: "GetM2MClient", Status: 500, ErrorType: "internal_server_error"},
			"Received note, Matched good, Refused bad, Responded bad: 500 Internal Server Error, internal_server_error, after 0.0 ms"},
	} {
		var got []string
		steps := timeline(test.request)
		for _, step := range steps {
			got = append(got, step.What+" "+step.State)
		}
		if text := strings.Join(got, ", ") + ": " + steps[len(steps)-1].Detail; text != test.want {
			t.Errorf("%s: %s\nwant %s", test.name, text, test.want)
		}
	}
}

func TestCurl(t *testing.T) {
	const address, project = "http://127.0.0.1:4010", "project-test-1"
	for _, test := range []struct {
		request admin.LoggedRequest
		want    []string
	}{
		{admin.LoggedRequest{Method: "GET", Path: "/v1/m2m/clients/a", Operation: "GetM2MClient"},
			[]string{"curl \\\n  -u project-test-1:\"$STYTCH_PROJECT_SECRET\"", address + "/v1/m2m/clients/a"}},
		{admin.LoggedRequest{Method: "POST", Path: "/v1/m2m/clients", Operation: "CreateM2MClient"}, []string{"-X POST", "-d '{}'"}},
		{admin.LoggedRequest{Method: "POST", Path: "/v1/public/project-test-1/oauth2/token", Operation: "IssueM2MToken", ClientID: "it's $(me)"},
			[]string{`-d client_id='it'\''s $(me)'`, `"client_secret=$CLIENT_SECRET"`}},
		{admin.LoggedRequest{Method: "GET", Path: "/v1/sessions/jwks/project-test-1", Operation: "GetJWKS"}, []string{"curl \\\n  " + address}},
		{admin.LoggedRequest{Method: "POST", Path: "/v1/oauth2/introspect", Operation: "IntrospectTokenOnProjectDomain", ClientID: "a"},
			[]string{`-d client_id=a`, `"client_secret=$CLIENT_SECRET"`, `"token=$TOKEN"`}},
		{admin.LoggedRequest{Method: "POST", Path: "/v1/oauth2/register", Operation: "RegisterConnectedApp"},
			[]string{"curl -X POST \\\n  -H 'Content-Type: application/json' -d '{}' \\\n  " + address}},
		{admin.LoggedRequest{Method: "GET", Path: "/.well-known/openid-configuration", Operation: "GetOpenIDConfigurationOnProjectDomain"}, []string{"curl \\\n  " + address}},
		{admin.LoggedRequest{Method: "GE'T", Path: "/`id`;$(id)"}, []string{`-X 'GE'\''T'`, "'" + address + "/`id`;$(id)'"}},
	} {
		got := curl(address, project, test.request)
		if op := test.request.Operation; strings.Contains(op, "Token") && strings.Contains(got, "PROJECT_SECRET") {
			t.Errorf("%s sends the secret of the project", op)
		}
		for _, want := range test.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s\nlacks %s", got, want)
			}
		}
	}
}
