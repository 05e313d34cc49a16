package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stytchkit/m2m/internal/contractdiff"
	"github.com/stytchkit/m2m/internal/heavy"
)

const (
	brk = contractdiff.Break
	add = contractdiff.Addition
	doc = contractdiff.Documentation
)

// An edit changes the contract in one way. It must be judged as kind, by a change of that rule.
type edit struct {
	name  string
	kind  contractdiff.Kind
	rule  string
	apply func(e *editor)
}

type object = map[string]any

// Paths of the contract that several edits change.
const (
	create     = "components schemas CreateM2MClientRequest"
	update     = "components schemas UpdateM2MClientRequest"
	client     = "components schemas M2MClient"
	jwk        = "components schemas JWK"
	clients    = "paths /v1/m2m/clients post"
	oneClient  = "paths /v1/m2m/clients/{client_id}"
	issueToken = "paths /v1/public/{project_id}/oauth2/token post"
	retryAfter = "components headers RetryAfter"
	clientID   = "components parameters ClientID"
)

var edits = []edit{
	// Operations.
	{"path removed", brk, "operation", func(e *editor) { e.remove("paths /v1/b2b/sessions/jwks/{project_id}") }},
	{"path added", add, "operation", func(e *editor) {
		e.set("paths /v1/b2c/sessions/jwks/{project_id}", e.copy("paths /v1/b2b/sessions/jwks/{project_id}"))
		e.set("paths /v1/b2c/sessions/jwks/{project_id} get operationId", "GetB2CJWKS")
	}},
	{"path renamed", brk, "operation", func(e *editor) { e.rename("paths /v1/m2m/clients/search", "/v1/m2m/clients/find") }},
	{"method removed", brk, "operation", func(e *editor) { e.remove(oneClient + " delete") }},
	{"method changed", brk, "operation", func(e *editor) { e.rename(oneClient+" put", "patch") }},
	{"method added", add, "operation", func(e *editor) {
		e.set(oneClient+" patch", e.copy(oneClient+" put"))
		e.set(oneClient+" patch operationId", "PatchM2MClient")
	}},
	{"operation ID changed", brk, "operation-id", func(e *editor) { e.set(oneClient+" get operationId", "FetchM2MClient") }},
	{"safety fallen", brk, "safety", func(e *editor) { e.set(oneClient+" delete x-safety", "read") }},
	{"safety exchanged at the same height", brk, "safety", func(e *editor) { e.set(issueToken+" x-safety", "shown-once") }},
	{"safety risen", add, "safety", func(e *editor) { e.set(oneClient+" put x-safety", "shown-once") }},
	{"safety removed", brk, "safety", func(e *editor) { e.remove(clients + " x-safety") }},
	{"deprecated", doc, "text", func(e *editor) { e.set(oneClient+" get deprecated", true) }},
	{"tag changed", doc, "text", func(e *editor) { e.set(oneClient+" get tags", []any{"Keys"}) }},
	{"summary changed", doc, "text", func(e *editor) { e.set(oneClient+" get summary", "Read an M2M client") }},
	{"description changed", doc, "text", func(e *editor) { e.set(client+" description", "A client.") }},
	{"contact changed", doc, "text", func(e *editor) { e.set("info contact name", "Support") }},

	// Authentication and servers.
	{"authentication added to an open operation", brk, "security", func(e *editor) {
		e.set("paths /v1/sessions/jwks/{project_id} get security", []any{object{"project": []any{}}})
	}},
	{"authentication of an operation removed", brk, "security", func(e *editor) { e.set(clients+" security", []any{}) }},
	{"one more way to authenticate", add, "security", func(e *editor) {
		e.set(clients+" security", []any{object{"project": []any{}}, object{"client": []any{}}})
	}},
	{"authentication of all operations changed", brk, "security", func(e *editor) { e.set("security", []any{object{"client": []any{}}}) }},
	{"authentication written at the operation", doc, "security", func(e *editor) { e.set(clients+" security", e.copy("security")) }},
	{"security scheme changed", brk, "security", func(e *editor) { e.set("components securitySchemes project scheme", "bearer") }},
	{"server removed", brk, "server", func(e *editor) { e.removeItem("servers", 0) }},
	{"server added", add, "server", func(e *editor) { e.append("servers", object{"url": "https://eu.stytch.com", "description": "Europe"}) }},
	{"servers in another order", doc, "order", func(e *editor) { e.reverse("servers") }},

	// Parameters.
	{"parameter added, required", brk, "parameter", func(e *editor) {
		e.set(oneClient+" get parameters", []any{object{"name": "region", "in": "query", "required": true, "description": "A region.", "schema": object{"type": "string"}}})
	}},
	{"parameter added, optional", add, "parameter", func(e *editor) {
		e.set(oneClient+" get parameters", []any{object{"name": "region", "in": "query", "description": "A region.", "schema": object{"type": "string"}}})
	}},
	{"parameter renamed", brk, "parameter", func(e *editor) { e.set(clientID+" name", "id") }},
	{"parameter moved to another place", brk, "parameter", func(e *editor) { e.set(clientID+" in", "query") }},
	{"parameter with a narrower limit", brk, "limit", func(e *editor) { e.set(clientID+" schema minLength", 8) }},
	{"parameter with another type", brk, "type", func(e *editor) { e.set(clientID+" schema type", "integer"); e.remove(clientID + " schema minLength") }},
	{"parameter component removed", brk, "name", func(e *editor) {
		for path := range e.get("paths").(object) {
			if strings.Contains(path, "{project_id}") {
				e.set("paths "+path+" parameters", []any{e.copy("components parameters ProjectID")})
			}
		}
		e.remove("components parameters ProjectID")
	}},

	// Bodies and media types.
	{"request body made required", brk, "required", func(e *editor) { e.set("components requestBodies SecretRotation required", true) }},
	{"request body made optional", add, "required", func(e *editor) { e.set(clients+" requestBody required", false) }},
	{"request body removed", brk, "request-body", func(e *editor) { e.remove(oneClient + "/secrets/rotate post requestBody") }},
	{"request body added", add, "request-body", func(e *editor) {
		e.set(oneClient+" delete requestBody", object{"$ref": "#/components/requestBodies/SecretRotation"})
	}},
	{"request media type removed", brk, "media-type", func(e *editor) { e.remove("components requestBodies M2MGrant content application/json") }},
	{"request media type added", add, "media-type", func(e *editor) {
		e.set(clients+" requestBody content application/cbor", e.copy(clients+" requestBody content application/json"))
	}},
	{"response media type renamed", brk, "media-type", func(e *editor) {
		e.rename(clients+" responses 200 content application/json", "application/vnd.stytch+json")
	}},
	{"response added", add, "response", func(e *editor) {
		e.set(clients+" responses 409", object{"$ref": "#/components/responses/BadRequest"})
	}},
	{"response removed", brk, "response", func(e *editor) { e.remove(clients + " responses 201") }},
	{"error response removed", brk, "response", func(e *editor) { e.remove(clients + " responses 429") }},
	{"response refers to another component", brk, "error-types", func(e *editor) {
		e.set(oneClient+" get responses 404 $ref", "#/components/responses/ProjectNotFound")
	}},
	{"response written at the operation", doc, "reference", func(e *editor) {
		e.set(oneClient+" get responses 404", e.copy("components responses M2MClientNotFound"))
	}},
	{"response header removed", brk, "header", func(e *editor) { e.remove("components responses TooManyRequests headers Retry-After") }},
	{"response header added", add, "header", func(e *editor) {
		e.set("components responses BadRequest headers", object{"Retry-After": object{"$ref": "#/components/headers/RetryAfter"}})
	}},
	{"header component retyped", brk, "type", func(e *editor) { e.set(retryAfter+" schema type", "integer"); e.set(retryAfter+" example", 30) }},

	// Errors, known values, certainty.
	{"error type removed", brk, "error-types", func(e *editor) { e.removeItem(clients+" responses 400 x-error-types", 1) }},
	{"error type added", add, "error-types", func(e *editor) { e.append(clients+" responses 400 x-error-types", "invalid_scope") }},
	{"error types in another order", doc, "order", func(e *editor) { e.reverse(clients + " responses 400 x-error-types") }},
	{"error removed from the catalog", brk, "error-types", func(e *editor) { e.remove("x-error-catalog use_https") }},
	{"error added to the catalog", add, "error-types", func(e *editor) { e.set("x-error-catalog gone", object{"status": 410, "when": "It is gone."}) }},
	{"error with another status", brk, "error-types", func(e *editor) { e.set("x-error-catalog use_https status", 400) }},
	{"error described otherwise", doc, "text", func(e *editor) { e.set("x-error-catalog use_https when", "Plain HTTP.") }},
	{"certainty of an error fallen", brk, "certainty", func(e *editor) { e.set("x-error-catalog use_https certainty", "observed") }},
	{"certainty of an error risen", doc, "certainty", func(e *editor) { e.remove("x-error-catalog invalid_client certainty") }},
	{"certainty of a response fallen", brk, "certainty", func(e *editor) { e.set(clients+" responses 200 x-certainty", "observed") }},
	{"certainty of a field fallen", brk, "certainty", func(e *editor) {
		e.set("components schemas SecretRotationRequest properties client_id x-certainty", "assumed")
	}},
	{"certainty of a field risen", doc, "certainty", func(e *editor) { e.set(jwk+" properties x5tS256 x-certainty", "observed") }},
	{"named known value removed", brk, "enum", func(e *editor) { e.removeItem("components schemas M2MClientStatus enum", 1) }},
	{"named known value added", add, "enum", func(e *editor) { e.append("components schemas M2MClientStatus enum", "suspended") }},
	{"known value removed", brk, "known-values", func(e *editor) { e.set(jwk+" properties kty anyOf [0] enum", []any{"EC"}) }},
	{"known value added", add, "known-values", func(e *editor) { e.append(jwk+" properties kty anyOf [0] enum", "EC") }},
	{"known values removed", brk, "known-values", func(e *editor) { e.remove(jwk + " properties kty anyOf"); e.set(jwk+" properties kty type", "string") }},
	{"known values become all values", brk, "composition", func(e *editor) {
		e.remove(jwk + " properties kty anyOf")
		e.set(jwk+" properties kty type", "string")
		e.set(jwk+" properties kty enum", []any{"RSA"})
	}},

	// Examples.
	{"example removed", brk, "example", func(e *editor) { e.remove(oneClient + " get responses 200 content application/json example") }},
	{"named example removed", brk, "example", func(e *editor) { e.remove(clients + " requestBody content application/json examples minimal") }},
	{"named example added", doc, "example", func(e *editor) {
		e.set(clients+" requestBody content application/json examples none", object{"summary": "No scopes", "value": object{"scopes": []any{}}})
	}},
	{"example changed", doc, "example", func(e *editor) {
		e.set(oneClient+" get responses 200 content application/json example m2m_client client_name", "Another")
	}},
	{"example of a parameter removed", brk, "example", func(e *editor) { e.remove(clientID + " example") }},

	// Fields of requests.
	{"request field removed", brk, "property", func(e *editor) { e.remove(create + " properties client_description") }},
	{"request field renamed", brk, "property", func(e *editor) { e.rename(create+" properties client_name", "name") }},
	{"request field added, optional", add, "property", func(e *editor) {
		e.set(create+" properties region", object{"type": "string", "description": "A region."})
	}},
	{"request field added, required", brk, "property", func(e *editor) {
		e.set(create+" properties region", object{"type": "string", "description": "A region."})
		e.append(create+" required", "region")
	}},
	{"request field retyped", brk, "type", func(e *editor) { e.set(create+" properties client_name type", "integer") }},
	{"request field made required", brk, "required", func(e *editor) { e.append(create+" required", "client_name") }},
	{"request field made optional", add, "required", func(e *editor) { e.removeItem(create+" required", 0) }},
	{"request field made nullable", brk, "go-type", func(e *editor) {
		e.set(create+" properties client_name nullable", true)
		e.generated("CreateM2MClientRequest.ClientName", "nullable.Nullable[string]")
	}},
	{"request field made nullable, on the wire alone", add, "nullable", func(e *editor) { e.set(create+" properties client_name nullable", true) }},
	{"request field made not nullable", brk, "nullable", func(e *editor) { e.remove(update + " properties client_name nullable") }},
	{"request minimum raised", brk, "limit", func(e *editor) { e.set("components schemas SearchM2MClientsRequest properties limit minimum", 1) }},
	{"request minimum lowered", add, "limit", func(e *editor) { e.set(create+" properties client_secret minLength", 4) }},
	{"request maximum lowered", brk, "limit", func(e *editor) { e.set("components schemas SearchM2MClientsRequest properties limit maximum", 500) }},
	{"request maximum raised", add, "limit", func(e *editor) { e.set("components schemas SearchM2MClientsRequest properties limit maximum", 5000) }},
	{"request maximum added", brk, "limit", func(e *editor) { e.set(create+" properties client_name maxLength", 100) }},
	{"request limit removed", add, "limit", func(e *editor) { e.remove("components schemas SearchM2MClientsRequest properties limit maximum") }},
	{"metadata with fewer keys", brk, "limit", func(e *editor) { e.set(update+" properties trusted_metadata x-max-keys", 10) }},
	{"metadata with more bytes", add, "limit", func(e *editor) { e.set(update+" properties trusted_metadata x-max-bytes", 8192) }},
	{"request pattern added", brk, "limit", func(e *editor) { e.set(create+" properties client_id pattern", "^[a-z]+$") }},
	{"request format added", brk, "format", func(e *editor) { e.set(create+" properties client_id format", "uuid") }},
	{"integer made wider", brk, "format", func(e *editor) { e.set("components schemas SearchM2MClientsRequest properties limit format", "int64") }},
	{"secret without its format", brk, "format", func(e *editor) { e.remove(create + " properties client_secret format") }},
	{"secret without writeOnly", brk, "type", func(e *editor) { e.remove(create + " properties client_secret writeOnly") }},
	{"default changed", brk, "default", func(e *editor) { e.set("components schemas SearchM2MClientsRequest properties limit default", 50) }},
	{"default removed", brk, "default", func(e *editor) { e.remove("components schemas SearchM2MClientsRequest properties limit default") }},
	{"default added", add, "default", func(e *editor) { e.set(create+" properties client_description default", "") }},
	{"enum value removed", brk, "enum", func(e *editor) { e.removeItem("components schemas M2MSearchFilterName enum", 0) }},
	{"enum value added", add, "enum", func(e *editor) { e.append("components schemas M2MSearchFilterName enum", "status") }},
	{"enum removed", brk, "enum", func(e *editor) { e.remove("components schemas SearchOperator enum") }},
	{"enum in another order", doc, "order", func(e *editor) { e.reverse("components schemas SearchOperator enum") }},
	{"request closed to other fields", brk, "additional-properties", func(e *editor) { e.set("components schemas IssueM2MTokenRequest additionalProperties", false) }},
	{"request opened to other fields", add, "additional-properties", func(e *editor) { e.remove(create + " additionalProperties") }},
	{"items retyped", brk, "type", func(e *editor) {
		e.set(create+" properties scopes items type", "integer")
		e.remove(create + " properties scopes items minLength")
	}},

	// Fields of responses.
	{"response field removed", brk, "property", func(e *editor) {
		e.remove(client + " properties client_description")
		e.drop(client+" required", "client_description")
	}},
	{"response field added", add, "property", func(e *editor) {
		e.set(client+" properties region", object{"type": "string", "description": "A region."})
	}},
	{"response field added, always there", add, "property", func(e *editor) {
		e.set(client+" properties region", object{"type": "string", "description": "A region."})
		e.append(client+" required", "region")
	}},
	{"response field retyped", brk, "type", func(e *editor) { e.set(client+" properties client_name type", "boolean") }},
	{"response field made optional", brk, "required", func(e *editor) { e.drop(client+" required", "client_name") }},
	{"response field made required, a pointer in Go", brk, "go-type", func(e *editor) {
		e.append("components schemas ConnectedAppFields required", "logo_url")
		e.generated("ConnectedApp.LogoURL", "string `json:\"logo_url\"`")
	}},
	{"response field made required, a value in Go", add, "required", func(e *editor) {
		e.append("components schemas ConnectedAppWithClientSecret allOf [1] required", "client_secret")
	}},
	{"response field made nullable", brk, "nullable", func(e *editor) { e.set(client+" properties client_name nullable", true) }},
	{"response field made not nullable", add, "nullable", func(e *editor) { e.remove("components schemas ConnectedAppFields properties logo_url nullable") }},
	{"response limit removed", brk, "limit", func(e *editor) {
		e.remove("components schemas IssueM2MTokenResponse properties access_token minLength")
	}},
	{"response limit added", add, "limit", func(e *editor) { e.set(client+" properties client_id minLength", 1) }},
	{"response closed to other fields", add, "additional-properties", func(e *editor) { e.set(jwk+" additionalProperties", false) }},
	{"part of allOf removed", brk, "composition", func(e *editor) { e.removeItem("components schemas ConnectedApp allOf", 1) }},

	// Names and types in Go.
	{"schema renamed", brk, "name", func(e *editor) {
		e.rename(jwk, "PublicKey")
		e.set("components schemas JWKSResponse properties keys items $ref", "#/components/schemas/PublicKey")
	}},
	{"schema added", add, "name", func(e *editor) { e.set("components schemas Spare", object{"type": "string", "description": "A text."}) }},
	{"field refers to another schema", brk, "reference", func(e *editor) {
		e.set("components schemas CreateM2MClientResponse properties m2m_client $ref", "#/components/schemas/M2MClient")
	}},
	{"schema written at the field", brk, "reference", func(e *editor) {
		e.set("components schemas M2MSearchQuery properties operator", e.copy("components schemas SearchOperator"))
	}},
	{"overlay renames a field", brk, "go-name", func(e *editor) {
		e.generated("JWK.X5TS256", "")
		e.generated("JWK.Thumbprint", "string")
	}},
	{"overlay retypes a field", brk, "go-type", func(e *editor) { e.generated("JWK.Kid", "KeyID") }},
	{"overlay makes an optional field always sent", brk, "go-type", func(e *editor) {
		e.generated("CreateM2MClientRequest.ClientName", "string `json:\"client_name\"`")
	}},
	{"method of a type removed", brk, "go-name", func(e *editor) { e.generated("Client.GetM2MClient", "") }},
	{"function with another signature", brk, "go-type", func(e *editor) { e.generated("NewGetM2MClientRequest", "func()") }},

	// What no rule knows.
	{"unknown keyword", brk, "unknown", func(e *editor) { e.set(create+" properties client_name x-strange", true) }},
	{"another version of OpenAPI", brk, "unknown", func(e *editor) { e.set("openapi", "3.0.4") }},
	{"callbacks", brk, "unknown", func(e *editor) { e.set(clients+" callbacks", object{}) }},
	{"comments and layout", doc, "layout", func(*editor) {}},
}

// Each edit is judged as it should be, by all judges together, and yields a line. oasdiff finds no
// break that the rules of internal/contractdiff miss, so nothing is reported twice. A plain run
// asks oasdiff about some edits only: reading a contract takes most of the time.
func TestEdits(t *testing.T) {
	before := working(t)
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "EDIT\tJUDGED\tBY THE RULE\tLINES\tOASDIFF\n")
	for i, m := range edits {
		e := open(t, before)
		m.apply(e)
		after := loaded{version: before.version, document: e.document, code: e.code, spec: before.spec}
		after.openAPI = nil
		asked := heavy.Enabled() || i%5 == 0
		var err error
		if asked {
			after.spec, err = spec(e.document)
		}
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		changes, err := judge(before, after)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		if len(changes) == 0 {
			t.Errorf("%s: is silent", m.name)
			continue
		}
		worst := changes[0]
		which := slices.IndexFunc(changes, func(c change) bool { return c.Kind == m.kind && c.Rule == m.rule })
		if worst.Kind != m.kind || which < 0 {
			t.Errorf("%s: want %s by %s, got %+v", m.name, m.kind, m.rule, changes)
			continue
		}
		for _, c := range changes {
			if strings.HasPrefix(c.Rule, "oasdiff-") {
				t.Errorf("%s: only oasdiff knows: %+v", m.name, c)
			}
			if c.Path == "" || c.Why == "" {
				t.Errorf("%s: says too little: %+v", m.name, c)
			}
		}
		oasdiff := "not asked"
		if asked {
			oasdiff = cmp.Or(strings.Join(changes[which].Oasdiff, " "), "-")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", m.name, m.kind, m.rule, len(changes), oasdiff)
	}
	w.Flush()
	t.Logf("%d edits\n%s", len(edits), &table)
}
