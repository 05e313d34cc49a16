package reference

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/api"
)

func load(t *testing.T) *Contract {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func find(t *testing.T, c *Contract, id string) Operation {
	t.Helper()
	for _, g := range c.Groups {
		for _, o := range g.Operations {
			if o.ID == id {
				return o
			}
		}
	}
	t.Fatalf("no operation %s", id)
	return Operation{}
}

// Every operation, error type and certainty of the file is there: they are counted in its text.
func TestNothingIsLost(t *testing.T) {
	c := load(t)
	text := string(api.OpenAPI)
	operations := 0
	for _, g := range c.Groups {
		if len(g.Operations) == 0 || g.Description == "" {
			t.Errorf("group %q has %d operations and the description %q", g.Name, len(g.Operations), g.Description)
		}
		for _, o := range g.Operations {
			operations++
			if o.Summary == "" || o.Description == "" || o.Safety == "" || o.Credentials == "" || len(o.Responses) < 4 {
				t.Errorf("%s lacks something: %+v", o.ID, o)
			}
			for _, r := range o.Responses {
				if r.Description == "" || len(r.Fields) == 0 || !json.Valid([]byte(r.Example)) {
					t.Errorf("%s %s: description %q, %d fields, example %q", o.ID, r.Status, r.Description, len(r.Fields), r.Example)
				}
				if !r.OK() && len(r.ErrorTypes) == 0 {
					t.Errorf("%s %s lists no error type", o.ID, r.Status)
				}
			}
		}
	}
	if want := strings.Count(text, "operationId:"); operations != want {
		t.Errorf("%d operations, want %d", operations, want)
	}
	_, catalog, _ := strings.Cut(text, "\nx-error-catalog:\n")
	if want := strings.Count(catalog, "when:"); len(c.Errors) != want {
		t.Errorf("%d error types, want %d", len(c.Errors), want)
	}
	for _, e := range c.Errors {
		if e.When == "" || e.Status == "" || len(e.Operations) == 0 {
			t.Errorf("error type lacks something: %+v", e)
		}
	}
}

func TestFields(t *testing.T) {
	c := load(t)
	create := find(t, c, "CreateM2MClient")
	named := func(fields []Field, name string) Field {
		at := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name })
		if at < 0 {
			t.Fatalf("no field %s in %+v", name, fields)
		}
		return fields[at]
	}
	scopes := named(create.Bodies[0].Fields, "scopes")
	if !scopes.Required || scopes.Type != "list of string" {
		t.Errorf("scopes: %+v", scopes)
	}
	secret := named(create.Bodies[0].Fields, "client_secret")
	if secret.Required || secret.Type != "secret string" {
		t.Errorf("client_secret: %+v", secret)
	}
	client := named(create.Responses[0].Fields, "m2m_client")
	if next := named(client.Fields, "next_client_secret_last_four"); next.Type != "string or null" {
		t.Errorf("next_client_secret_last_four: %+v", next)
	}
	if created := create.Responses[1]; created.Status != "201" || created.Certainty != Assumed {
		t.Errorf("201: %+v", created)
	}
	operand := named(named(find(t, c, "SearchM2MClients").Bodies[0].Fields, "query").Fields, "operands")
	if name := named(operand.Fields, "filter_name"); len(name.Rules) == 0 || !strings.Contains(name.Rules[0], "client_id, client_name, scopes") {
		t.Errorf("filter_name: %+v", name)
	}
	if p := find(t, c, "GetM2MClient").Parameters; len(p) != 1 || p[0].Name != "client_id" || !p[0].Required {
		t.Errorf("parameters: %+v", p)
	}
	if got := find(t, c, "IssueM2MToken"); got.Credentials != "HTTP Basic (client), or in the body" || got.Safety != "billed" || !strings.Contains(got.Bodies[0].Examples[0].Text, "scope=read%3Ausers+write%3Ausers") {
		t.Errorf("IssueM2MToken: %+v", got)
	}
	if got := find(t, c, "GetJWKS").Credentials; got != "none" {
		t.Errorf("GetJWKS: credentials %q", got)
	}
}

func TestBadContract(t *testing.T) {
	for _, source := range []string{
		"a: [",
		"paths: {/v1/x: {get: {operationId: X, tags: [none], responses: {}}}}",
		"tags: [{name: a}]\npaths: {/v1/x: {get: {operationId: X, tags: [a], responses: {'200': {$ref: '#/components/responses/None'}}}}}",
		"tags: [{name: a}]\npaths: {/v1/x: {get: {operationId: X, tags: [a], responses: {'200': {$ref: '#/loop'}}}}}\nloop: {$ref: '#/loop'}",
	} {
		if _, err := parse([]byte(source)); err == nil || !strings.HasPrefix(err.Error(), "read the contract: ") {
			t.Errorf("%q: %v", source, err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := parse(api.OpenAPI); err != nil {
			b.Fatal(err)
		}
	}
}
