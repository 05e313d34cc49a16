package api_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stytchkit/m2m/internal/heavy"
)

// A mutation breaks the contract in one way. says is a part of what the rule must report.
type mutation struct {
	rule, says string
	apply      func(d document)
}

var mutations = []mutation{
	{"valid", "want 3.0.3", func(d document) { d.OpenAPI = "3.0.2" }},
	{"valid", "example", func(d document) { d.requestExample("CreateM2MClient", "minimal")["scopes"] = "read:users" }},
	{"valid", "example", func(d document) { delete(d.requestExample("CreateM2MClient", "imported"), "scopes") }},
	{"valid", "example", func(d document) { d.requestExample("CreateM2MClient", "minimal")["scope"] = "misspelled" }},
	{"valid", "example", func(d document) { d.requestExample("UpdateM2MClient", "deactivate")["status"] = "unknown" }},
	{"valid", "example", func(d document) { delete(d.responseExample("GetM2MClient", "200"), "m2m_client") }},
	{"valid", "example", func(d document) {
		d.responseExample("SearchConnectedApps", "200")["connected_apps"] = []any{map[string]any{}}
	}},
	{"valid", "example", func(d document) { d.responseExample("GetM2MClient", "404")["status_code"] = "404" }},
	{"valid", "default", func(d document) { d.property("SearchM2MClientsRequest", "limit").Default = 5000.0 }},
	{"valid", "sibling", func(d document) { d.schema("Error").Extensions = map[string]any{"for a developer to read": nil} }},
	{"operations", "GetJWKS: is missing", func(d document) { d.Paths.Delete("/v1/sessions/jwks/{project_id}") }},
	{"operations", "DeleteM2MClient: is missing", func(d document) { d.op("DeleteM2MClient").OperationID = "PurgeM2MClient" }},
	{"operation-id", `"getM2MClient" must be a verb`, func(d document) { d.op("GetM2MClient").OperationID = "getM2MClient" }},
	{"operation-id", `"Get" must be a verb`, func(d document) { d.op("GetM2MClient").OperationID = "Get" }},
	{"operation-id", `"" must be a verb`, func(d document) { d.op("GetM2MClient").OperationID = "" }},
	{"operation-id", "already used by", func(d document) { d.op("GetM2MClient").OperationID = "GetConnectedApp" }},
	{"tags", "has 0 tags", func(d document) { d.op("GetJWKS").Tags = nil }},
	{"tags", "has 2 tags", func(d document) { d.op("GetJWKS").Tags = []string{"Keys", "M2M tokens"} }},
	{"tags", `"keys" is not declared`, func(d document) { d.op("GetJWKS").Tags = []string{"keys"} }},
	{"tags", "M2M tokens: is not used", func(d document) {
		for _, id := range []string{"IssueM2MToken", "IssueM2MTokenOnProjectDomain"} {
			d.op(id).Tags = []string{"Keys"}
		}
	}},
	{"tags", "has no description", func(d document) { d.Tags[0].Description = "" }},
	{"safety", "<nil> is none of", func(d document) { delete(d.op("IssueM2MToken").Extensions, "x-safety") }},
	{"safety", "was shown-once and may only become stricter, not idempotent", func(d document) { d.op("CreateM2MClient").Extensions["x-safety"] = "idempotent" }},
	{"safety", "was shown-once and may only become stricter, not billed", func(d document) { d.op("StartM2MClientSecretRotation").Extensions["x-safety"] = "billed" }},
	{"safety", "was billed and may only become stricter, not read", func(d document) { d.op("IssueM2MToken").Extensions["x-safety"] = "read" }},
	{"safety", "was idempotent and may only become stricter, not read", func(d document) { d.op("DeleteM2MClient").Extensions["x-safety"] = "read" }},
	{"safety", `add "GetKeys": "read" to safetyClasses`, func(d document) { d.op("GetJWKS").OperationID = "GetKeys" }},
	{"safety", "safe is none of", func(d document) { d.op("IssueM2MToken").Extensions["x-safety"] = "safe" }},
	{"examples", "application/json: has no example", func(d document) { d.request("SearchM2MClients").Examples = nil }},
	{"examples", "x-www-form-urlencoded: has no example", func(d document) {
		d.op("IssueM2MToken").RequestBody.Value.Content["application/x-www-form-urlencoded"].Example = nil
	}},
	{"examples", "200 application/json: has no example", func(d document) { d.responseBody("GetM2MClient", "200").Example = nil }},
	{"examples", "status_code 200", func(d document) { d.responseExample("CreateM2MClient", "201")["status_code"] = 200 }},
	{"errors", "has no response 400", func(d document) { d.op("GetM2MClient").Responses.Delete("400") }},
	{"errors", "has no response 401", func(d document) { d.op("GetM2MClient").Responses.Delete("401") }},
	{"errors", "has no response 403", func(d document) { d.op("GetM2MClient").Responses.Delete("403") }},
	{"errors", "has no response 404", func(d document) { d.op("GetM2MClient").Responses.Delete("404") }},
	{"errors", "has no response 429", func(d document) { d.op("GetJWKS").Responses.Delete("429") }},
	{"errors", "has no response 500", func(d document) { d.op("IssueM2MToken").Responses.Delete("500") }},
	{"errors", "default response", func(d document) {
		d.op("GetJWKS").Responses.Set("default", d.op("GetJWKS").Responses.Value("500"))
	}},
	{"error-types", "404: lists 0", func(d document) { delete(d.response("GetM2MClient", "404").Extensions, "x-error-types") }},
	{"error-types", "lists 1", func(d document) { d.response("GetM2MClient", "200").Extensions = errorTypes("bad_request") }},
	{"error-types", "no_such is not in", func(d document) {
		d.response("GetM2MClient", "404").Extensions = errorTypes("m2m_client_not_found", "no_such")
	}},
	{"error-types", "twice", func(d document) {
		d.response("GetM2MClient", "404").Extensions = errorTypes("m2m_client_not_found", "m2m_client_not_found")
	}},
	{"error-types", "another status", func(d document) { d.catalogEntry("too_many_requests")["status"] = 430.0 }},
	{"error-types", "another status", func(d document) { delete(d.catalogEntry("invalid_client"), "assumed-status") }},
	{"error-types", "not among the error types", func(d document) { d.responseExample("GetM2MClient", "404")["error_type"] = "not_found" }},
	{"error-types", "not among the error types", func(d document) { d.responseExample("IssueM2MToken", "400")["error"] = "bad_request" }},
	{"catalog", "use_https: is not used", func(d document) {
		d.response("GetM2MClient", "403").Extensions = errorTypes("organization_suspended")
	}},
	{"catalog", "has no member when", func(d document) { d.catalogEntry("use_https")["when"] = " " }},
	{"catalog", "certainty certain", func(d document) { d.catalogEntry("use_https")["certainty"] = "certain" }},
	{"catalog", "unknown member", func(d document) { d.catalogEntry("use_https")["or else"] = nil }},
	{"described", "lacks a summary", func(d document) { d.op("GetJWKS").Summary = "" }},
	{"described", "lacks a summary", func(d document) { d.op("GetJWKS").Description = "" }},
	{"described", "still says", func(d document) { d.op("GetJWKS").Summary = "TODO: a few words" }},
	{"described", "parameter ClientID", func(d document) {
		named(d, d.Components.Parameters["ClientID"], "parameter ClientID").Value.Description = ""
	}},
	{"described", "header RetryAfter", func(d document) {
		named(d, d.Components.Headers["RetryAfter"], "header RetryAfter").Value.Description = ""
	}},
	{"described", "/JWK: has no", func(d document) { d.schema("JWK").Description = "" }},
	{"described", "/JWK/properties/kid", func(d document) { d.property("JWK", "kid").Description = "" }},
	{"described", "/items", func(d document) { d.property("JWK", "x5c").Items.Value.Description = "" }},
	{"described", "/allOf/1/properties/creation_method", func(d document) {
		d.property("ConnectedApp", "creation_method").Description = ""
	}},
	{"described", "/additionalProperties", func(d document) { d.schema("IssueM2MTokenRequest").AdditionalProperties.Schema.Value.Description = "" }},
	{"extensions", "x-certainty likely", func(d document) { d.property("JWK", "x5tS256").Extensions["x-certainty"] = "likely" }},
	{"extensions", "x-certainty <nil>", func(d document) {
		named(d, d.Components.Headers["RetryAfter"], "header RetryAfter").Value.Extensions["x-certainty"] = nil
	}},
	{"extensions", "x-certanty", func(d document) { d.op("GetJWKS").Extensions["x-certanty"] = "assumed" }},
	{"extensions", "x-go-name", func(d document) { d.property("JWK", "n").Extensions = map[string]any{"x-go-name": "N"} }},
	{"secrets", "without format", func(d document) { d.property("CreateM2MClientRequest", "client_secret").Format = "" }},
	{"secrets", "without format", func(d document) { d.property("IssueM2MTokenResponse", "access_token").Format = "jwt" }},
	{"secrets", "next_client_secret: is a secret without", func(d document) {
		d.property("ConnectedAppWithNextClientSecret", "next_client_secret").Format = ""
	}},
	{"secrets", "without minLength", func(d document) { d.property("CreateM2MClientRequest", "client_secret").MinLength = 0 }},
	{"secrets", "not the name of a secret", func(d document) { d.property("M2MClient", "client_secret_last_four").Format = "password" }},
	{"secrets", "writeOnly is false", func(d document) { d.property("IssueM2MTokenRequest", "client_secret").WriteOnly = false }},
	{"secrets", "writeOnly is true", func(d document) { d.property("IssueM2MTokenResponse", "access_token").WriteOnly = true }},
	{"open-closed", "request accepts unknown", func(d document) { d.schema("M2MSearchOperand").AdditionalProperties = openapi3.AdditionalProperties{} }},
	{"open-closed", "request accepts unknown", func(d document) {
		d.schema("UpdateConnectedAppRequest").AdditionalProperties = openapi3.AdditionalProperties{Has: openapi3.Ptr(true)}
	}},
	{"open-closed", "refuses unknown fields", func(d document) {
		d.schema("ConnectedAppFields").AdditionalProperties = openapi3.AdditionalProperties{Has: openapi3.Ptr(false)}
	}},
	{"open-closed", "refuses unknown values", func(d document) { d.property("M2MClient", "status").Enum = []any{"active", "inactive"} }},
	{"open-closed", "refuses unknown values", func(d document) { d.property("M2MClient", "status").AnyOf[1].Value.Enum = []any{"suspended"} }},
	{"open-closed", "write additionalProperties: true", func(d document) {
		d.property("Error", "error_details").AdditionalProperties = openapi3.AdditionalProperties{}
	}},
	{"open-closed", "metadata must be open", func(d document) { delete(d.schema("TrustedMetadata").Extensions, "x-max-keys") }},
	{"open-closed", "metadata must be open", func(d document) {
		d.property("UpdateM2MClientRequest", "trusted_metadata").AdditionalProperties = openapi3.AdditionalProperties{}
	}},
	{"defaults", "its zero value cannot be sent", func(d document) {
		on := openapi3.NewBoolSchema()
		on.Default = true
		d.schema("CreateM2MClientRequest").Properties["enabled"] = on.NewRef()
	}},
	{"defaults", "its zero value cannot be sent", func(d document) { d.property("CreateM2MClientRequest", "client_name").Default = "unnamed" }},
	{"names", "clientID and client_id", func(d document) {
		d.schema("M2MClient").Properties["clientID"] = openapi3.NewStringSchema().NewRef()
	}},
	{"names", "GetM2MClientResult", func(d document) { d.Components.Schemas["GetM2MClientResult"] = openapi3.NewStringSchema().NewRef() }},
	{"names", "ClientOption", func(d document) { d.Components.Schemas["ClientOption"] = openapi3.NewStringSchema().NewRef() }},
	{"names", "JWK and jwk", func(d document) { d.Components.Schemas["jwk"] = openapi3.NewStringSchema().NewRef() }},
	{"types", "move it to #/components/schemas", func(d document) {
		d.property("M2MClient", "client_name").Properties = openapi3.Schemas{"a": openapi3.NewStringSchema().NewRef()}
	}},
	{"bodies", "takes a schema without a name", func(d document) { d.request("CreateM2MClient").Schema.Ref = "" }},
	{"unused", "schemas/Spare", func(d document) { d.Components.Schemas["Spare"] = openapi3.NewStringSchema().NewRef() }},
	{"unused", "responses/SearchFailed", func(d document) {
		for _, id := range []string{"SearchM2MClients", "SearchConnectedApps"} {
			d.op(id).Responses.Set("500", d.op("GetM2MClient").Responses.Value("500"))
		}
	}},
	{"unused", "securitySchemes/client", func(d document) {
		for _, path := range d.Paths.Map() {
			for _, op := range path.Operations() {
				if op.Security != nil {
					op.Security = &openapi3.SecurityRequirements{}
				}
			}
		}
	}},
}

// Each rule can fail, in every way that it checks. A plain run shows one way of each.
func TestLintFires(t *testing.T) {
	shown := map[string]bool{}
	for _, m := range mutations {
		if shown[m.rule] && !heavy.Enabled() {
			continue
		}
		shown[m.rule] = true
		t.Run(m.rule+": "+m.says, func(t *testing.T) {
			t.Parallel() // loading takes most of the time
			i := slices.IndexFunc(rules, func(r rule) bool { return r.name == m.rule })
			if i < 0 {
				t.Fatal("no such rule")
			}
			doc := load(t)
			m.apply(document{doc, t})
			faults := lint(doc, rules[i])
			if !slices.ContainsFunc(faults, func(c string) bool { return strings.Contains(c, m.says) }) {
				t.Errorf("the fault is not reported; reported: %q", faults)
			}
		})
	}
	for _, r := range rules {
		if !shown[r.name] {
			t.Errorf("no mutation breaks the rule %s", r.name)
		}
	}
}
