package api_test

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// A rule is something that JSON Schema and OpenAPI leave open and this contract does not.
type rule struct {
	name  string
	check func(doc *openapi3.T, complain complain)
}

type complain func(where, format string, args ...any)

var operationIDs = []string{
	"CreateM2MClient", "GetM2MClient", "SearchM2MClients", "UpdateM2MClient", "DeleteM2MClient",
	"StartM2MClientSecretRotation", "CancelM2MClientSecretRotation", "CompleteM2MClientSecretRotation",
	"IssueM2MToken", "GetJWKS", "GetB2BJWKS",
	"CreateConnectedApp", "GetConnectedApp", "SearchConnectedApps", "UpdateConnectedApp", "DeleteConnectedApp",
	"StartConnectedAppSecretRotation", "CancelConnectedAppSecretRotation", "CompleteConnectedAppSecretRotation",
}

var rules = []rule{
	{"valid", checkValid},
	{"operations", checkOperations},
	{"operation-id", checkOperationIDs},
	{"tags", checkTags},
	{"safety", checkSafety},
	{"examples", checkExamples},
	{"errors", checkErrors},
	{"error-types", checkErrorTypes},
	{"catalogue", checkCatalogue},
	{"described", checkDescribed},
	{"extensions", checkExtensions},
	{"secrets", checkSecrets},
	{"open-closed", checkOpenness},
	{"unused", checkUnused},
}

// lint answers what is wrong with a contract, each complaint as "rule: where: what".
func lint(doc *openapi3.T, rules ...rule) []string {
	var complaints []string
	for _, r := range rules {
		r.check(doc, func(where, format string, args ...any) {
			complaints = append(complaints, r.name+": "+where+": "+fmt.Sprintf(format, args...))
		})
	}
	return complaints
}

func TestContract(t *testing.T) {
	for _, complaint := range lint(load(t), rules...) {
		t.Error(complaint)
	}
}

func checkValid(doc *openapi3.T, complain complain) {
	if doc.OpenAPI != "3.0.3" {
		complain("openapi", "is %s, not 3.0.3", doc.OpenAPI)
	}
	err := doc.Validate(context.Background(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaDefaultsValidation(),
		openapi3.EnableSchemaPatternValidation(), openapi3.ProhibitExtensionsWithRef())
	if err != nil {
		complain("document", "%v", err)
	}
}

func checkOperations(doc *openapi3.T, complain complain) {
	var got []string
	for _, op := range operations(doc) {
		got = append(got, op.OperationID)
	}
	for _, id := range operationIDs {
		if !slices.Contains(got, id) {
			complain(id, "is missing")
		}
	}
	for _, id := range got {
		if !slices.Contains(operationIDs, id) {
			complain(id, "is not one of the %d operations: list it with the facts it comes from", len(operationIDs))
		}
	}
}

var operationIDPattern = regexp.MustCompile(`^(Create|Get|Search|Update|Delete|Start|Cancel|Complete|Issue)` +
	`(M2MClients?|ConnectedApps?|M2MToken|JWKS|B2BJWKS)(SecretRotation)?$`)

func checkOperationIDs(doc *openapi3.T, complain complain) {
	seen := map[string]string{}
	for where, op := range operations(doc) {
		if !operationIDPattern.MatchString(op.OperationID) {
			complain(where, "operationId %q is not a verb and its noun in UpperCamelCase", op.OperationID)
		}
		if other := seen[op.OperationID]; other != "" {
			complain(where, "operationId is also that of %s", other)
		}
		seen[op.OperationID] = where
	}
}

func checkTags(doc *openapi3.T, complain complain) {
	unused := map[string]bool{}
	for _, tag := range doc.Tags {
		unused[tag.Name] = true
		if tag.Description == "" {
			complain("tag "+tag.Name, "has no description")
		}
	}
	for where, op := range operations(doc) {
		if len(op.Tags) != 1 {
			complain(where, "has %d tags, not one", len(op.Tags))
			continue
		}
		if _, declared := unused[op.Tags[0]]; !declared {
			complain(where, "tag %q is not declared", op.Tags[0])
		}
		unused[op.Tags[0]] = false
	}
	for tag, unused := range unused {
		if unused {
			complain("tag "+tag, "is not used")
		}
	}
}

func checkSafety(doc *openapi3.T, complain complain) {
	for where, op := range operations(doc) {
		switch op.Extensions["x-safety"] {
		case "read", "idempotent", "shown-once", "billed":
		default:
			complain(where, "x-safety %v is none of read, idempotent, shown-once, billed", op.Extensions["x-safety"])
		}
	}
}

// checkExamples demands examples; that they fit their schema is part of checkValid.
func checkExamples(doc *openapi3.T, complain complain) {
	for b := range bodies(doc) {
		examples := slices.Collect(exampleValues(b.media))
		if len(examples) == 0 {
			complain(b.where, "has no example")
		}
		for _, example := range examples {
			object, _ := example.(map[string]any)
			if code, ok := object["status_code"]; !b.request && ok && fmt.Sprint(code) != b.status {
				complain(b.where, "an example has status_code %v", code)
			}
		}
	}
}

// checkErrors demands the answers that any call may get. Stytch's own description leaves 403 and 404 out.
func checkErrors(doc *openapi3.T, complain complain) {
	for where, op := range operations(doc) {
		wanted := []string{"403", "429", "500"}
		if takesProject(doc, op) {
			wanted = append(wanted, "400", "401")
		}
		if strings.Contains(where, "{client_id}") {
			wanted = append(wanted, "404")
		}
		for _, status := range wanted {
			if op.Responses.Value(status) == nil {
				complain(where, "has no answer %s", status)
			}
		}
		if op.Responses.Default() != nil {
			complain(where, "has a default answer, which hides undeclared ones")
		}
	}
}

func takesProject(doc *openapi3.T, op *openapi3.Operation) bool {
	security := doc.Security
	if op.Security != nil {
		security = *op.Security
	}
	return slices.ContainsFunc(security, func(r openapi3.SecurityRequirement) bool { return r["project"] != nil })
}

func checkErrorTypes(doc *openapi3.T, complain complain) {
	catalogue, _ := doc.Extensions["x-error-catalogue"].(map[string]any)
	for where, op := range operations(doc) {
		for status, ref := range op.Responses.Map() {
			at := where + " " + status
			types := texts(ref.Value.Extensions["x-error-types"])
			if isError := status >= "400"; isError != (len(types) > 0) {
				complain(at, "names %d error types", len(types))
			}
			for i, name := range types {
				if slices.Contains(types[:i], name) {
					complain(at, "names %s twice", name)
				}
				entry, known := catalogue[name].(map[string]any)
				if !known {
					complain(at, "%s is not in x-error-catalogue", name)
				} else if !hasStatus(entry, status) {
					complain(at, "%s has another status in x-error-catalogue", name)
				}
			}
			for example := range exampleValues(ref.Value.Content.Get("application/json")) {
				object, _ := example.(map[string]any)
				name, _ := object["error_type"].(string)
				if name == "" {
					name, _ = object["error"].(string)
				}
				if len(types) > 0 && !slices.Contains(types, name) {
					complain(at, "the example's %q is not among its error types", name)
				}
			}
		}
	}
}

// hasStatus knows both statuses of an entry: an assumed one may only stand beside one that is better known.
func hasStatus(entry map[string]any, status string) bool {
	return fmt.Sprint(entry["status"]) == status || fmt.Sprint(entry["assumed-status"]) == status
}

func checkCatalogue(doc *openapi3.T, complain complain) {
	catalogue, _ := doc.Extensions["x-error-catalogue"].(map[string]any)
	used := map[string]bool{}
	for _, op := range operations(doc) {
		for _, ref := range op.Responses.Map() {
			for _, name := range texts(ref.Value.Extensions["x-error-types"]) {
				used[name] = true
			}
		}
	}
	for name, value := range catalogue {
		entry, _ := value.(map[string]any)
		if !used[name] {
			complain(name, "is not used by any answer")
		}
		if when, _ := entry["when"].(string); strings.TrimSpace(when) == "" {
			complain(name, "does not say when")
		}
		if c, marked := entry["certainty"]; marked && !isCertainty(c) {
			complain(name, "certainty %v is none of documented, observed, assumed", c)
		}
		for key := range entry {
			if !slices.Contains([]string{"status", "assumed-status", "certainty", "when"}, key) {
				complain(name, "has an unknown member %s", key)
			}
		}
	}
}

func isCertainty(v any) bool { return v == "documented" || v == "observed" || v == "assumed" }

func checkDescribed(doc *openapi3.T, complain complain) {
	for where, op := range operations(doc) {
		if op.Summary == "" || op.Description == "" {
			complain(where, "lacks a summary or a description")
		}
	}
	for name, ref := range doc.Components.Parameters {
		if ref.Value.Description == "" {
			complain("parameter "+name, "has no description")
		}
	}
	for name, ref := range doc.Components.Headers {
		if ref.Value.Description == "" {
			complain("header "+name, "has no description")
		}
	}
	_ = doc.WalkSchemas(func(pointer string, ref *openapi3.SchemaRef) error {
		parent, last := pointer[:strings.LastIndex(pointer, "/")], pointer[strings.LastIndex(pointer, "/")+1:]
		named := strings.HasSuffix(parent, "/properties") || parent == "/components/schemas"
		if (named || last == "items" || last == "additionalProperties") && ref.Value.Description == "" {
			complain(pointer, "has no description")
		}
		return nil
	})
}

var extensions = []string{"x-safety", "x-certainty", "x-error-types", "x-known-values", "x-max-bytes", "x-max-keys", "x-error-catalogue"}

// checkExtensions looks at the document as plain JSON, so that nothing hides in a place that the other rules do not visit.
func checkExtensions(doc *openapi3.T, complain complain) {
	for at, object := range objects(doc, complain) {
		for key, value := range object {
			if strings.HasPrefix(key, "x-") && !slices.Contains(extensions, key) {
				complain(at, "unknown extension %s", key)
			}
			if key == "x-certainty" && !isCertainty(value) {
				complain(at, "x-certainty %v is none of documented, observed, assumed", value)
			}
			if key == "x-known-values" && (len(texts(value)) == 0 || object["enum"] != nil) {
				complain(at, "x-known-values must be a list of texts, and stands instead of an enum")
			}
		}
	}
}

func checkSecrets(doc *openapi3.T, complain complain) {
	for b := range bodies(doc) {
		walk(b.where, "", b.media.Schema, func(at, property string, s *openapi3.Schema) {
			secret := strings.HasSuffix(property, "secret") || property == "access_token"
			if secret && s.Format != "password" {
				complain(at, "is a secret without format: password")
			}
			if !secret && s.Format == "password" {
				complain(at, "has format: password, and no name of a secret")
			}
			if secret && s.WriteOnly != b.request {
				complain(at, "writeOnly is %t", s.WriteOnly)
			}
		})
	}
}

// checkOpenness keeps answers open, because Stytch may add fields and values at any time, and requests closed, because a
// misspelt field would be ignored in silence.
func checkOpenness(doc *openapi3.T, complain complain) {
	for b := range bodies(doc) {
		walk(b.where, "", b.media.Schema, func(at, property string, s *openapi3.Schema) {
			extra := s.AdditionalProperties
			metadata := property == "trusted_metadata"
			if b.request && s.Type.Is("object") {
				if closed := extra.Has != nil && !*extra.Has; !closed && extra.Schema == nil && !metadata {
					complain(at, "a request takes unknown fields")
				}
			}
			if metadata && (extra.Has == nil || !*extra.Has || s.Extensions["x-max-keys"] == nil || s.Extensions["x-max-bytes"] == nil) {
				complain(at, "metadata must be open, and say its limits")
			}
			if !b.request && extra.Has != nil && !*extra.Has {
				complain(at, "an answer refuses unknown fields")
			}
			if !b.request && len(s.Enum) > 0 {
				complain(at, "an answer refuses unknown values")
			}
		})
	}
}

func checkUnused(doc *openapi3.T, complain complain) {
	used := map[string]bool{}
	for _, object := range objects(doc, complain) {
		if ref, ok := object["$ref"].(string); ok {
			used[ref] = true
		}
	}
	requirements := slices.Clone(doc.Security)
	for _, op := range operations(doc) {
		if op.Security != nil {
			requirements = append(requirements, *op.Security...)
		}
	}
	for _, requirement := range requirements {
		for name := range requirement {
			used["#/components/securitySchemes/"+name] = true
		}
	}
	c := doc.Components
	for kind, names := range map[string]iter.Seq[string]{
		"schemas": maps.Keys(c.Schemas), "responses": maps.Keys(c.Responses), "parameters": maps.Keys(c.Parameters), "headers": maps.Keys(c.Headers),
		"requestBodies": maps.Keys(c.RequestBodies), "securitySchemes": maps.Keys(c.SecuritySchemes), "examples": maps.Keys(c.Examples),
	} {
		for name := range names {
			if ref := "#/components/" + kind + "/" + name; !used[ref] {
				complain(ref, "is not used")
			}
		}
	}
}
