package contract

import (
	"net/http"
	"strings"
	"testing"
)

func TestResponses(t *testing.T) {
	type object = map[string]any
	get := func(t *testing.T) *http.Request { return request(t, "GET", "/v1/m2m/clients/"+canary, "", nil) }
	for _, tt := range []struct {
		name   string
		status int
		edit   func(s *server, client, response object)
		want   string
		strict string // what only Strict reports
	}{
		{name: "good"},
		{name: "missing field", edit: func(_ *server, c, _ object) { delete(c, "client_name") }, want: "/m2m_client/client_name is missing"},
		{name: "missing envelope", edit: func(_ *server, _, a object) { delete(a, "request_id") }, want: "/request_id is missing"},
		{name: "no client", edit: func(_ *server, _, a object) { delete(a, "m2m_client") }, want: "/m2m_client is missing"},
		{name: "wrong type", edit: func(_ *server, c, _ object) { c["scopes"] = canary }, want: "/m2m_client/scopes must be of type array"},
		{name: "wrong item", edit: func(_ *server, c, _ object) { c["scopes"] = []any{object{canary: canary}} }, want: "/m2m_client/scopes/0 must be of type string"},
		{name: "wrong null", edit: func(_ *server, c, _ object) { c["client_name"] = nil }, want: "/m2m_client/client_name must not be null"},
		{name: "number as text", edit: func(_ *server, _, a object) { a["status_code"] = canary }, want: "/status_code must be of type integer"},
		{name: "number too large", edit: func(_ *server, _, a object) { a["status_code"] = int64(1) << 40 }, want: "/status_code breaks the rule format"},
		{name: "not an object", edit: func(s *server, _, _ object) { s.body = []byte(`["` + canary + `"]`) }, want: "body must be of type object"},
		{name: "several", edit: func(_ *server, c, a object) { delete(c, "status"); delete(a, "status_code") },
			want: "body /m2m_client/status is missing; body /status_code is missing"},
		{name: "no JSON", edit: func(s *server, _, _ object) { s.body = []byte(canary) }, want: "body cannot be decoded"},
		{name: "empty", edit: func(s *server, _, _ object) { s.body = []byte{} }, want: "body cannot be decoded"},
		{name: "trailing garbage", edit: func(s *server, _, a object) { s.body = append(encode(t, a), canary...) }, want: "body is not one JSON value"},
		{name: "HTML", edit: func(s *server, _, _ object) {
			s.header = http.Header{"Content-Type": {"text/html"}}
			s.body = []byte("<html>" + canary)
		}, want: "body has a content type that the contract does not have"},
		{name: "no content type", edit: func(s *server, _, _ object) { s.header = http.Header{"Content-Type": nil} },
			want: "body has a content type that the contract does not have"},
		{name: "undeclared 204", status: 204, edit: func(s *server, _, _ object) { s.body = []byte{} }, want: "the contract has no such status"},
		{name: "undeclared 502", status: 502, want: "the contract has no such status"},
		{name: "undeclared 307", status: 307, want: "the contract has no such status"},
		{name: "other body for the status", status: 404, want: "body /error_message is missing; body /error_type is missing; body /error_url is missing; body /status_code breaks the rule minimum"},
		{name: "false gzip", edit: func(s *server, _, _ object) {
			s.header = http.Header{"Content-Encoding": {"gzip"}, "Content-Type": {"application/json"}}
		},
			want: "body is not gzip, although its header declares it"},

		{name: "further field", edit: func(_ *server, c, _ object) { c["region"] = canary }, strict: "body /m2m_client has the unknown field region"},
		{name: "further field of no such name", edit: func(_ *server, c, _ object) { c[canary] = canary },
			strict: "body /m2m_client has the unknown field (not shown)"},
		{name: "further member of metadata", edit: func(_ *server, c, _ object) {
			c["trusted_metadata"] = object{"region": "eu", canary: object{canary: 1}}
		}},
		{name: "unknown value", edit: func(_ *server, c, _ object) { c["status"] = canary }, strict: "body /m2m_client/status is none of the known values"},
		{name: "status code of another response", edit: func(_ *server, _, a object) { a["status_code"] = 201 },
			strict: "body /status_code is not the status of the response"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			response := example(t, "GetM2MClient", 200)
			s := &server{status: 200, header: asJSON}
			if tt.status != 0 {
				s.status = tt.status
			}
			if tt.edit != nil {
				tt.edit(s, response["m2m_client"].(object), response)
			}
			if s.body == nil {
				s.body = encode(t, response)
			}
			for _, strict := range []bool{false, true} {
				transport := newTransport(t, s)
				transport.Strict = strict
				want := tt.want
				if strict && want == "" {
					want = tt.strict
				}
				if want == "" {
					checkGood(t, transport, get(t), s)
					continue
				}
				v := violationOf(t, transport, get(t))
				if v.Operation != "GetM2MClient" || v.Phase != "response" || v.Status != s.status || !strings.Contains(v.Reason, want) {
					t.Errorf("strict %t: %v; want %q", strict, v, want)
				}
				if len(transport.Exercised()) > 0 {
					t.Error("the operation counts as exercised")
				}
			}
		})
	}
}

func TestStrictErrors(t *testing.T) {
	for _, tt := range []struct {
		id, method, path, body, member string
		status                         int
		want                           string
	}{
		{"GetM2MClient", "GET", "/v1/m2m/clients/x", "", "error_type", 404, "body /error_type is none of the error types of this response"},
		{"IssueM2MToken", "POST", "/v1/public/" + project + "/oauth2/token", `{"grant_type":"client_credentials"}`, "error", 400,
			"body /error is none of the error types of this response"},
	} {
		response := example(t, tt.id, tt.status)
		noCredentials := func(req *http.Request) {
			if tt.id == "IssueM2MToken" {
				req.Header.Del("Authorization")
			}
		}
		s := &server{status: tt.status, header: asJSON, body: encode(t, response)}
		transport := newTransport(t, s)
		transport.Strict = true
		checkGood(t, transport, request(t, tt.method, tt.path, tt.body, noCredentials), s)
		response[tt.member] = canary
		s.body = encode(t, response)
		if v := violationOf(t, transport, request(t, tt.method, tt.path, tt.body, noCredentials)); v.Reason != tt.want {
			t.Errorf("%s: %v; want %q", tt.id, v, tt.want)
		}
	}
}

func TestRequests(t *testing.T) {
	const clients, token = "/v1/m2m/clients", "/v1/public/" + project + "/oauth2/token"
	header := func(name, value string) func(*http.Request) {
		return func(req *http.Request) {
			req.Header.Del(name)
			if value != "" {
				req.Header.Set(name, value)
			}
		}
	}
	basic := func(user, password string) func(*http.Request) {
		return func(req *http.Request) { req.SetBasicAuth(user, password) }
	}
	noAuth := header("Authorization", "")
	form := func(req *http.Request) {
		noAuth(req)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, tt := range []struct {
		name, method, path, body string
		edit                     func(*http.Request)
		want                     string // empty for a good request
	}{
		{name: "create", method: "POST", path: clients, body: `{"scopes":[]}`},
		{name: "search all", method: "POST", path: clients + "/search", body: `{}`},
		{name: "search", method: "POST", path: clients + "/search", body: `{"limit":1000,"query":{"operator":"OR","operands":[]}}`},
		{name: "get", method: "GET", path: clients + "/x"},
		{name: "escaped slash", method: "GET", path: clients + "/a%2Fb"},
		{name: "rotate without body", method: "POST", path: clients + "/x/secrets/rotate"},
		{name: "rotate with one", method: "POST", path: clients + "/x/secrets/rotate", body: `{}`},
		{name: "token in the body", method: "POST", path: token, body: "grant_type=client_credentials&client_secret=" + canary, edit: form},
		{name: "token by Basic", method: "POST", path: token, body: `{"grant_type":"client_credentials","region":"eu"}`, edit: basic("m2m-client-test-1", canary)},
		{name: "keys", method: "GET", path: "/v1/sessions/jwks/" + project, edit: noAuth},
		{name: "update with nulls", method: "PUT", path: clients + "/x", body: `{"client_name":null,"scopes":null,"status":null,"trusted_metadata":null}`},

		{"no credentials", "GET", clients + "/x", "", noAuth, "lacks the credentials of a project in HTTP Basic"},
		{"bearer token", "GET", clients + "/x", "", header("Authorization", "Bearer "+canary), "lacks the credentials of a project"},
		{"malformed Basic", "GET", clients + "/x", "", header("Authorization", "Basic "+canary), "lacks the credentials of a project"},
		{"no password", "GET", clients + "/x", "", basic(project, ""), "lacks the credentials of a project"},
		{"credentials of a client", "GET", clients + "/x", "", basic("m2m-client-test-1", canary), "lacks the credentials of a project"},
		{"project secret to the token endpoint", "POST", token, `{"grant_type":"client_credentials"}`, nil, "sends the credentials of a project to an operation that does not take them"},
		{"project secret to the keys", "GET", "/v1/b2b/sessions/jwks/" + project, "", nil, "sends the credentials of a project to an operation that does not take them"},
		{"missing field", "POST", clients, `{}`, nil, "body /scopes is missing"},
		{"null", "POST", clients, `{"scopes":null}`, nil, "body /scopes must not be null"},
		{"short secret", "POST", clients, `{"scopes":[],"client_secret":"` + canary[:7] + `"}`, nil, "body /client_secret is shorter than 8 characters"},
		{"empty scope", "POST", clients, `{"scopes":[""]}`, nil, "body /scopes/0 is shorter than 1 characters"},
		{"misspelt field", "POST", clients, `{"scopes":[],"scope":"` + canary + `"}`, nil, "body has the unknown field scope"},
		{"secret as a field", "POST", clients, `{"scopes":[],"` + canary + `":1}`, nil, "body has the unknown field (not shown)"},
		{"no enum value", "PUT", clients + "/x", `{"status":"` + canary + `"}`, nil, "body /status breaks the rule enum"},
		{"limit", "POST", clients + "/search", `{"limit":1001}`, nil, "body /limit breaks the rule maximum"},
		{"operand", "POST", clients + "/search", `{"query":{"operator":"AND","operands":[{"filter_name":"` + canary + `"}]}}`, nil,
			"body /query/operands/0/filter_name breaks the rule enum; body /query/operands/0/filter_value is missing"},
		{"no body", "POST", clients, "", nil, "body is missing"},
		{"no JSON", "POST", clients, canary, nil, "body cannot be decoded"},
		{"trailing garbage", "POST", clients, `{"scopes":[]}` + canary, nil, "body is not one JSON value"},
		{"wrong content type", "POST", clients, `{"scopes":[]}`, header("Content-Type", "text/"+canary), "body has a content type that the contract does not have"},
		{"form for JSON", "POST", clients, `scopes=` + canary, header("Content-Type", "application/x-www-form-urlencoded"), "body has a content type"},
		{"form without grant", "POST", token, "client_secret=" + canary, form, "body /grant_type is missing"},
		{"parameter that is no text", "POST", token, `{"grant_type":"client_credentials","` + canary + `":1}`, noAuth, "body /* must be of type string"},
		{"body where none belongs", "DELETE", clients + "/x", `{"client_secret":"` + canary + `"}`, nil, "does not follow the contract"},
		{"query", "GET", clients + "/x?client_id=" + canary, "", nil, "has a query, but no operation takes one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &server{status: 503, header: asJSON, body: encode(t, example(t, "GetM2MClient", 503))}
			transport := newTransport(t, s)
			req := request(t, tt.method, tt.path, tt.body, tt.edit)
			if tt.want == "" {
				checkGood(t, transport, req, s)
				if string(s.request) != tt.body {
					t.Error("the request was changed")
				}
				if len(transport.Exercised()) > 0 {
					t.Error("a 503 counts as a success")
				}
				return
			}
			if v := violationOf(t, transport, req); v.Operation == "" || v.Phase != "request" || v.Status != 0 || !strings.Contains(v.Reason, tt.want) {
				t.Errorf("%v; want %q", v, tt.want)
			}
			if s.asked > 0 {
				t.Error("the bad request was sent")
			}
			transport = newTransport(t, s)
			transport.AllowRequests = true
			checkGood(t, transport, request(t, tt.method, tt.path, tt.body, tt.edit), s)
		})
	}
}
