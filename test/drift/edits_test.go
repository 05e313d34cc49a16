package drift

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/heavy"
)

const (
	read   = "M2MClient"
	create = "CreateM2MClientRequest"
	update = "UpdateM2MClientRequest"
)

// good are edits that need nothing but generating, and what they become in package gen.
var good = []struct {
	edit
	becomes string
}{
	{field(read, "e_text", "{type: string}"), "EText *string `json:\"e_text,omitempty\"`"},
	{field(read, "e_null", "{type: string, nullable: true}"), "ENull *string `json:\"e_null,omitempty\"`"},
	{field(read, "e_int64", "{type: integer, format: int64}"), "EInt64 *int64"},
	{field(read, "e_integer", "{type: integer}"), "EInteger *int64"},
	{field(read, "e_number", "{type: number}"), "ENumber *json.Number"},
	{field(read, "e_double", "{type: number, format: double}"), "EDouble *float64"},
	{field(read, "e_flag", "{type: boolean}"), "EFlag *bool"},
	{field(read, "created_at", "{type: string, format: date-time}"), "CreatedAt *string"},
	{field(read, "e_day", "{type: string, format: date}"), "EDay *string"},
	{field(read, "e_wait", "{type: string, format: duration}"), "EWait *string"},
	{field(read, "owner_id", "{type: string, format: uuid}"), "OwnerID *string"},
	{field(read, "owner_email", "{type: string, format: email}"), "OwnerEmail *string"},
	{field(read, "picture", "{type: string, format: byte}"), "Picture *string"},
	{field(read, "e_list", "{type: array, items: {type: string, description: One.}}"), "EList *[]string"},
	{field(read, "e_lists", "{type: array, items: {type: array, description: One., items: {type: string, description: One.}}}"), "ELists *[][]string"},
	{field(read, "e_keys", "{type: array, items: {$ref: '#/components/schemas/JWK'}}"), "EKeys *[]JWK"},
	{field(read, "e_labels", "{type: object, additionalProperties: {type: string, description: One.}}"), "ELabels *map[string]string"},
	{field(read, "e_by_name", "{type: object, additionalProperties: {$ref: '#/components/schemas/JWK'}}"), "EByName *map[string]JWK"},
	{field(read, "e_anything", "{type: object, additionalProperties: true}"), "EAnything json.RawMessage"},
	{field(read, "e_state", "{anyOf: [{type: string, enum: [open, closed]}, {type: string}]}"), "EState *string"},
	{field(read, "e_state_or_null", "{nullable: true, anyOf: [{type: string, enum: [open]}, {type: string}]}"), "EStateOrNull *string"},
	{field(read, "e_status", "{anyOf: [{$ref: '#/components/schemas/M2MClientStatus'}, {type: string}]}"), "EStatus *M2MClientStatus"},
	{field(read, "e_null_object", "{nullable: true, allOf: [{$ref: '#/components/schemas/JWK'}]}"), "ENullObject *JWK"},
	{field(read, "e_one", "{oneOf: [{$ref: '#/components/schemas/ResultsMetadata'}, {type: string}]}"), "EOne *M2MClient_EOne"},
	{field(read, "e_any", "{anyOf: [{$ref: '#/components/schemas/ResultsMetadata'}, {$ref: '#/components/schemas/TrustedMetadata'}]}"), "EAny *M2MClient_EAny"},
	{field(read, "parent", "{$ref: '#/components/schemas/M2MClient'}"), "Parent *M2MClient"},
	{field(read, "e_old", "{type: string, deprecated: true}"), "EOld *string"},
	{field(read, "e_default", "{type: string, default: a}"), "EDefault *string"},
	{field(read, "type", "{type: string}"), "Type *string"},
	{field(read, "range", "{type: string}"), "Range *string"},
	{field(read, "2fa_enabled", "{type: boolean}"), "N2FaEnabled *bool"},
	{field(read, "x-custom-id", "{type: string}"), "XCustomID *string"},
	{field(read, "team.name", "{type: string}"), "TeamName *string"},
	{schema("ETeam", "{type: object, properties: {a: {type: string, description: One.}}}"), "type ETeam struct"},
	{schema("ELabels", "{type: object, additionalProperties: {type: string, description: One.}}"), "type ELabels map[string]string"},
	{schema("EThings", "{type: array, items: {type: string, description: One.}}"), "type EThings = []string"},
	{schema("EOpen", "{type: object, properties: {a: {type: string, description: One.}}, additionalProperties: {type: string, description: One.}}"), "AdditionalProperties map[string]string"},
	{schema("EBoth", "{allOf: [{$ref: '#/components/schemas/JWK'}, {type: object, properties: {a: {type: string, description: One.}}}]}"), "type EBoth struct"},

	{field(create, "e_text", "{type: string}"), "EText string `json:\"e_text,omitzero\"`"},
	{requiredEnum, "ERequired CreateM2MClientRequestERequired `json:\"e_required\"`"},
	{field(create, "e_kind", "{type: string, enum: [a b, 2x, '*', a-b]}"), "EKind CreateM2MClientRequestEKind `json:\"e_kind,omitzero\"`"},
	{field(create, "e_kinds", "{type: array, items: {type: string, description: One., enum: [a, b]}}"), "EKinds []CreateM2MClientRequestEKinds `json:\"e_kinds,omitzero\"`"},
	{field(create, "e_query", "{$ref: '#/components/schemas/M2MSearchQuery'}"), "EQuery M2MSearchQuery `json:\"e_query,omitzero\"`"},
	{field(create, "e_anything", "{type: object, additionalProperties: true}"), "EAnything json.RawMessage `json:\"e_anything,omitzero\"`"},
	{field(create, "e_labels", "{type: object, additionalProperties: {type: string, description: One.}}"), "ELabels map[string]string `json:\"e_labels,omitzero\"`"},
	{field(create, "signing_secret", "{type: string, format: password, writeOnly: true, minLength: 1}"), "SigningSecret secret.Outgoing `json:\"signing_secret,omitzero\"`"},
	{field(create, "e_flag", "{type: boolean, default: false}"), "EFlag bool `json:\"e_flag,omitzero\"`"},
	{field(update, "e_text", "{type: string, nullable: true}"), "EText nullable.Nullable[string] `json:\"e_text,omitempty\"`"},
	{field(update, "e_list", "{type: array, nullable: true, items: {type: string, description: One.}}"), "EList nullable.Nullable[[]string] `json:\"e_list,omitempty\"`"},
	{field(update, "e_query", "{nullable: true, allOf: [{$ref: '#/components/schemas/M2MSearchQuery'}]}"), "EQuery nullable.Nullable[M2MSearchQuery] `json:\"e_query,omitempty\"`"},

	{operation("GetEText", "get", "{parameters: [{name: q, in: query, description: One., schema: {type: string}}]}"), "Q *string `form:\"q,omitempty\" json:\"q,omitempty\"`"},
	{operation("GetEList", "get", "{parameters: [{name: ids, in: query, required: true, description: One., schema: {type: array, items: {type: string, description: One.}}}]}"), "IDs []string `form:\"ids\" json:\"ids\"`"},
	{operation("GetEHeader", "get", "{parameters: [{name: Idempotency-Key, in: header, description: One., schema: {type: string}}]}"), "IdempotencyKey *string `json:\"Idempotency-Key,omitempty\"`"},
	{operation("PatchEThing", "patch", "{x-safety: idempotent, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/SecretRotationRequest'}, example: {}}}}}"), "type PatchEThingJSONRequestBody = SecretRotationRequest"},
	{operation("GetEOld", "get", "{deprecated: true}"), ""},
	{edit{"filter e_filter", func(t *testing.T, contract tree) {
		filter := part(t, contract, "components", "schemas", "M2MSearchFilterName")
		filter["enum"] = append(filter["enum"].([]any), "e_filter")
	}}, "M2MSearchFilterNameEFilter M2MSearchFilterName = \"e_filter\""},
	{edit{"error e_refused of GetM2MClient", func(t *testing.T, contract tree) {
		part(t, contract, "x-error-catalog")["e_refused"] = tree{"status": 404, "when": "For a test."}
		response := part(t, contract, "components", "responses", "M2MClientNotFound")
		response["x-error-types"] = append(response["x-error-types"].([]any), "e_refused")
	}}, ""},
}

// requiredEnum is a required field with a default, which is sent although it is zero. The examples
// get it too.
var requiredEnum = edit{"required " + create + ".e_required: {type: string, enum: [a, b]}", func(t *testing.T, contract tree) {
	requiredField(create, "e_required", "{type: string, enum: [a, b]}").apply(t, contract)
	examples := part(t, contract, "paths", "/v1/m2m/clients", "post", "requestBody", "content", "application/json", "examples")
	for name := range examples {
		part(t, examples, name, "value")["e_required"] = "a"
	}
}}

// bad are edits that the lint refuses, and what it says.
var bad = []struct {
	edit
	says string
}{
	{field(read, "b_enum", "{type: string, enum: [a, b]}"), "refuses unknown values: write anyOf: [{type: string, enum: […]}, {type: string}]"},
	{field(read, "b_order", "{anyOf: [{type: string}, {type: string, enum: [a]}]}"), "known values come first: write anyOf"},
	{field(read, "b_null_enum", "{type: string, nullable: true, enum: [a, null]}"), "refuses unknown values: write anyOf"},
	{field(read, "b_free", "{type: object}"), "write additionalProperties: true if it is free-form"},
	{field(read, "b_inline", "{type: object, properties: {a: {type: string, description: One.}}}"), "is an object without a name, which no caller can make in Go: move it to #/components/schemas"},
	{field(read, "b_items", "{type: array, items: {type: object, description: One., properties: {a: {type: string, description: One.}}}}"), "is an object without a name"},
	{field(read, "b_all_of", "{allOf: [{$ref: '#/components/schemas/JWK'}, {$ref: '#/components/schemas/ResultsMetadata'}]}"), "is an allOf without a name, which no caller can make in Go: move it"},
	{field(read, "b_types", "{type: [string, 'null']}"), "has several types, as in OpenAPI 3.1: write one type, with nullable: true"},
	{field(read, "b_untyped", "{}"), "has no type: write type, or a $ref"},
	{field(read, "b_pattern", "{type: string, pattern: '^a$'}"), "the tests cannot make instances with pattern: teach internal/contract/random.go"},
	{field(read, "b_not", "{type: string, not: {type: string, enum: [a], description: One.}}"), "the tests cannot make instances with not"},
	{field(read, "b_read_only", "{type: string, readOnly: true}"), "readOnly makes a required field optional in Go: leave it out"},
	{field(read, "b_write_only", "{type: string, writeOnly: true}"), "writeOnly is for secrets: write format: password as well, or leave it out"},
	{field(read, "b_go_name", "{type: string, x-go-name: Q}"), "unknown extension x-go-name"},
	{field(read, "b_silent", "{type: string, description: ''}"), "has no description"},
	{field(read, "b_secret", "{type: string}"), "is a secret without format: password"},
	{field(create, "c_secret", "{type: string, format: password, writeOnly: true}"), "is a secret without minLength: write minLength: 1"},
	{field(read, "clientId", "{type: string}"), "have one name in Go: choose another name"},
	{field(read, "größe", "{type: string}"), "has a name that cannot become one in Go: use letters, digits, _, - and ."},
	{field(read, "b_sibling", "{$ref: '#/components/schemas/JWK', nullable: true}"), "a keyword beside $ref has no effect: write allOf"},
	{field(create, "log_value", "{type: string}"), "has the name of a method in Go: in api/go.overlay.yaml, give it an x-go-name"},
	{field(create, "b_default", "{type: boolean, default: true}"), "so its zero value cannot be sent: in api/go.overlay.yaml"},
	{field(create, "b_null", "{type: string, nullable: true}"), "is nullable, and only updates tell null from absent: leave nullable out"},
	{field(create, "b_password", "{type: string, format: password, writeOnly: true, minLength: 1}"), "has format: password, but not the name of a secret"},
	{field(update, "b_plain", "{type: string}"), "is in an update: write nullable: true, so that it can be left alone"},
	{field(update, "b_ref", "{$ref: '#/components/schemas/M2MSearchQuery'}"), "is in an update: write nullable: true and allOf with the reference"},
	{edit{"open request", func(t *testing.T, contract tree) {
		delete(part(t, contract, "components", "schemas", "SearchM2MClientsRequest"), "additionalProperties")
	}}, "a request accepts unknown fields: write additionalProperties: false"},
	{schema("b-thing", "{type: object, properties: {a: {type: string, description: One.}}}"), "must be named in UpperCamelCase, of letters and digits"},
	{schema("BOpen", "{type: object, properties: {get: {type: string, description: One.}}, additionalProperties: {type: string, description: One.}}"), "has the name of a method in Go"},
	{schema("GetM2MClientResult", "{type: object, properties: {a: {type: string, description: One.}}}"), "has the name of a type that is generated for an operation or the client"},
	{edit{"schema BUnused", func(t *testing.T, contract tree) {
		part(t, contract, "components", "schemas")["BUnused"] = described(tree{"type": "string"})
	}}, "#/components/schemas/BUnused: is not used"},
	{operation("GetBEmpty", "get", "{responses: {'204': {description: Done.}}}"), "has no application/json for 204, and the client reads nothing else"},
	{operation("GetBInline", "get", "{responses: {'200': {content: {application/json: {schema: {$ref: null, type: object, description: One., properties: {a: {type: string, description: One.}}}}}}}}"), "has a schema without a name for 200: move it to #/components/schemas"},
	{operation("GetBTwo", "get", "{responses: {'201': {description: One., content: {application/json: {schema: {$ref: '#/components/schemas/JWKSResponse'}, example: {keys: []}}}}}}"), "has another schema for each of its successes (200, 201): a method returns one type"},
	{operation("GetBDefault", "get", "{responses: {default: {$ref: '#/components/responses/InternalServerError'}}}"), "has a default response, which hides undeclared ones"},
	{operation("PostBText", "post", "{x-safety: idempotent, requestBody: {content: {text/plain: {schema: {type: string, description: One.}, example: a}}}}"), "takes text/plain: the client sends application/json and forms"},
	{operation("PostBInline", "post", "{x-safety: idempotent, requestBody: {content: {application/json: {schema: {type: object, additionalProperties: false, description: One.}, example: {}}}}}"), "takes a schema without a name: move it to #/components/schemas"},
	{operation("PostBNoExample", "post", "{x-safety: idempotent, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/SecretRotationRequest'}}}}}"), "has no example"},
	{operation("getBName", "get", "{}"), `operationId "getBName" must be a verb and a noun in UpperCamelCase`},
	{operation("GetBSafety", "get", "{x-safety: null}"), "x-safety <nil> is none of read, idempotent, shown-once, billed"},
	{operation("GetBErrors", "get", "{responses: {'429': null}}"), "has no response 429"},
	{operation("GetBTag", "get", "{tags: [b]}"), `tag "b" is not declared`},
	{edit{"path with two parameters", func(t *testing.T, contract tree) {
		operation("GetBPath", "get", "{parameters: [{name: n, in: path, required: true, description: One., schema: {type: string}}]}").apply(t, contract)
		paths := part(t, contract, "paths")
		paths[clientPath+"/getbpath/{n}"] = paths[clientPath+"/getbpath"]
		delete(paths, clientPath+"/getbpath")
	}}, "has several parameters in its path: internal/operation matches one"},
	{edit{"error type without an entry in x-error-catalog", func(t *testing.T, contract tree) {
		response := part(t, contract, "components", "responses", "M2MClientNotFound")
		response["x-error-types"] = append(response["x-error-types"].([]any), "b_unknown")
	}}, "b_unknown is not in x-error-catalog"},
	{edit{"entry of x-error-catalog without a use", func(t *testing.T, contract tree) {
		part(t, contract, "x-error-catalog")["b_unused"] = tree{"status": 400, "when": "For a test."}
	}}, "b_unused: is not used by any response"},
}

// Each edit of the contract either becomes Go that compiles and keeps every instance, or the lint
// says what to write instead. All of one kind are made at once, and compiled once.
func TestEdits(t *testing.T) {
	heavy.OnlyLong(t)
	t.Run("good", func(t *testing.T) {
		t.Parallel()
		var edits []edit
		for _, e := range good {
			edits = append(edits, e.edit)
		}
		c := changeContract(t, edits...)
		models, err := os.ReadFile(filepath.Join(c.dir, "gen", "models.gen.go"))
		must(t, err)
		text := strings.Join(strings.Fields(string(models)), " ")
		for _, e := range good {
			if !strings.Contains(text, e.becomes) {
				t.Errorf("%s does not become %s", e.name, e.becomes)
			}
			t.Logf("| %s | %s |", e.name, e.becomes)
		}
		if out, err := c.goTool(".", "build", "./gen/...", "./stytch"); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		if out, err := c.goTool(".", "test", "-vet=off", "-run", "^TestModels$", "./internal/contract"); err != nil {
			t.Errorf("an instance does not survive its Go type: %v\n%s", err, out)
		}
		out, _ := c.goTool(".", "test", "-vet=off", "-run", lint, "./api")
		for line := range strings.SplitSeq(out, "\n") {
			if strings.Contains(line, "_test.go:") && !strings.Contains(line, "is new: add") && !strings.Contains(line, "there are no facts") {
				t.Errorf("the lint refuses a good edit: %s", strings.TrimSpace(line))
			}
		}
		if !strings.Contains(out, `is new: add "GetEText": "read" to safetyClasses`) {
			t.Errorf("the lint did not run:\n%s", out)
		}
	})
	t.Run("bad", func(t *testing.T) {
		t.Parallel()
		var edits []edit
		for _, e := range bad {
			edits = append(edits, e.edit)
		}
		c := newChange(t, edits...)
		out, err := c.goTool(".", "test", "-vet=off", "-run", lint, "./api")
		if err == nil {
			t.Fatal("the lint passes")
		}
		for _, e := range bad {
			if !strings.Contains(out, e.says) {
				t.Errorf("%s: the lint does not say %q", e.name, e.says)
			}
			t.Logf("| %s | %s |", e.name, e.says)
		}
		if t.Failed() {
			t.Logf("it says:\n%s", out)
		}
	})
}

const lint = "^(TestContract|TestReferencesStandAlone)$"
