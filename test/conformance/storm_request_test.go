package conformance

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/internal/contract"
	"github.com/stytchkit/m2m/internal/operation"
)

func (s *storm) request(op *operation.Operation) *http.Request {
	client := s.someone(op)
	param := client.id
	if s.oneIn(20) {
		param = []string{"", ".", "..", "search", "secrets/rotate", s.awkward()}[s.rng.IntN(6)]
	}
	if strings.Contains(op.Path, "{project_id}") && !s.oneIn(10) {
		param = s.line.api.ProjectID()
	}
	address := s.line.api.BaseURL() + strings.Replace(op.Path, op.Path[max(0, strings.Index(op.Path, "{")):strings.LastIndex(op.Path, "}")+1], url.PathEscape(param), 1)
	if !strings.Contains(op.Path, "{") {
		address = s.line.api.BaseURL() + op.Path
	}
	method := op.Method
	if s.oneIn(30) {
		method = []string{"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}[s.rng.IntN(6)]
	}
	contentType, body := s.body(op, client)
	req, err := http.NewRequestWithContext(s.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		s.t.Fatalf("%s: the test made a request that cannot be sent", op.ID)
	}
	if s.oneIn(30) {
		req.URL.RawQuery = url.Values{s.awkward(): {s.awkward()}}.Encode()
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	s.authenticate(req, op, client)
	return req
}

func (s *storm) authenticate(req *http.Request, op *operation.Operation, client login) {
	switch l := s.line; {
	case s.oneIn(40): // no credentials
	case s.oneIn(40):
		req.Header.Set("Authorization", []string{"", "Basic", "Basic !", "Bearer x", "Basic eA==", "basic  " + strings.Repeat("eA", 500)}[s.rng.IntN(6)])
	case s.oneIn(40):
		user := []string{l.api.ProjectID(), "project-live-1", "project-test-1", s.awkward()}[s.rng.IntN(4)]
		req.SetBasicAuth(user, s.awkward())
	case op.ProjectAuth:
		req.SetBasicAuth(l.projectID, l.secret)
	case s.oneIn(2):
		req.SetBasicAuth(client.id, client.secret)
	}
}

// body is valid, or tamed so that it has an effect, or damaged, or garbage.
func (s *storm) body(op *operation.Operation, client login) (contentType, body string) {
	contentType = "application/json"
	wanted := s.bodies[op.ID]
	if wanted.schema == nil {
		return "", ""
	}
	value := contract.Random(s.rng, wanted.schema, contract.Fill(s.rng.IntN(3))).(map[string]any)
	if !s.oneIn(4) {
		s.tame(op, value, client)
	}
	var damaged any = value
	for range s.rng.IntN(3) {
		damaged = contract.Mutate(s.rng, damaged)
	}
	if damaged == nil {
		damaged = "" // Mutate may drop the whole
	}
	body = string(encoded(damaged))
	if fields, ok := damaged.(map[string]any); ok && wanted.form && (!wanted.json || s.oneIn(2)) {
		contentType, body = form, asForm(fields)
	}
	switch {
	case s.oneIn(40):
		contentType = []string{"", "text/plain", "application/json; charset=utf-8", "application/JSON", form, "*/*", "a/b/c;;"}[s.rng.IntN(7)]
	case s.oneIn(40):
		body = body[:s.rng.IntN(len(body)+1)]
	case s.oneIn(40):
		body = s.awkward() + body
	case s.oneIn(40):
		body = ""
	case s.oneIn(400):
		body += strings.Repeat(" ", 1<<20)
	}
	return contentType, body
}

func (s *storm) tame(op *operation.Operation, value map[string]any, client login) {
	switch op {
	case operation.CreateM2MClient, operation.UpdateM2MClient:
		s.tamer.m2m(value)
	case operation.CreateConnectedApp, operation.UpdateConnectedApp:
		kind, _ := value["client_type"].(string)
		s.tamer.app(value, kind)
	case operation.IssueM2MToken, operation.IssueM2MTokenOnProjectDomain:
		delete(value, "scope")
		value["client_id"], value["client_secret"] = client.id, client.secret
	case operation.IntrospectToken, operation.IntrospectTokenOnProjectDomain, operation.RevokeToken, operation.RevokeTokenOnProjectDomain:
		value["client_id"], value["client_secret"] = client.id, client.secret
	case operation.RegisterConnectedApp:
		s.tamer.each(value["redirect_uris"], func(string) string { return "https://example.com/" + s.tamer.word() })
	case operation.SearchM2MClients, operation.SearchConnectedApps:
		delete(value, "cursor")
	}
}

// asForm drops what a form cannot hold.
func asForm(fields map[string]any) string {
	values := url.Values{}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		switch value := fields[name].(type) {
		case string:
			values.Add(name, value)
		case []any:
			for range value {
				values.Add(name, "again")
			}
		}
	}
	return values.Encode()
}
