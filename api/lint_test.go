package api_test

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// A rule restricts this contract beyond JSON Schema and OpenAPI.
type rule struct {
	name  string
	check func(doc *openapi3.T, report reportFunc)
}

type reportFunc func(where, format string, args ...any)

var rules = []rule{
	{"valid", checkValid},
	{"operations", checkOperations},
	{"operation-id", checkOperationIDs},
	{"tags", checkTags},
	{"safety", checkSafety},
	{"examples", checkExamples},
	{"errors", checkErrors},
	{"error-types", checkErrorTypes},
	{"catalog", checkCatalog},
	{"described", checkDescribed},
	{"extensions", checkExtensions},
	{"secrets", checkSecrets},
	{"open-closed", checkOpenness},
	{"unused", checkUnused},
	{"defaults", checkDefaults},
	{"names", checkNames},
	{"types", checkTypes},
	{"bodies", checkBodies},
}

// lint returns the faults of a contract, each as "rule: where: what".
func lint(doc *openapi3.T, rules ...rule) []string {
	var faults []string
	for _, r := range rules {
		r.check(doc, func(where, format string, args ...any) {
			faults = append(faults, r.name+": "+where+": "+fmt.Sprintf(format, args...))
		})
	}
	return faults
}

func TestContract(t *testing.T) {
	for _, fault := range lint(load(t), rules...) {
		t.Error(fault)
	}
}

func checkValid(doc *openapi3.T, report reportFunc) {
	if doc.OpenAPI != "3.0.3" {
		report("openapi", "is version %s, want 3.0.3", doc.OpenAPI)
	}
	err := doc.Validate(context.Background(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaDefaultsValidation(),
		openapi3.EnableSchemaPatternValidation(), openapi3.ProhibitExtensionsWithRef())
	if err != nil {
		report("document", "%v", err)
	}
}

func checkTags(doc *openapi3.T, report reportFunc) {
	unused := map[string]bool{}
	for _, tag := range doc.Tags {
		unused[tag.Name] = true
		if tag.Description == "" {
			report("tag "+tag.Name, "has no description")
		}
	}
	for where, op := range operations(doc) {
		if len(op.Tags) != 1 {
			report(where, "has %d tags, want one", len(op.Tags))
			continue
		}
		if _, declared := unused[op.Tags[0]]; !declared {
			report(where, "tag %q is not declared", op.Tags[0])
		}
		unused[op.Tags[0]] = false
	}
	for tag, unused := range unused {
		if unused {
			report("tag "+tag, "is not used")
		}
	}
}

// checkExamples requires examples. That they match their schema is part of checkValid.
func checkExamples(doc *openapi3.T, report reportFunc) {
	for b := range bodies(doc) {
		examples := slices.Collect(exampleValues(b.media))
		if len(examples) == 0 {
			report(b.where, "has no example")
		}
		for _, example := range examples {
			object, _ := example.(map[string]any)
			if code, ok := object["status_code"]; !b.request && ok && fmt.Sprint(code) != b.status {
				report(b.where, "an example has status_code %v", code)
			}
		}
	}
}

// checkErrors requires the responses that any request may get. Stytch's own description omits 403
// and 404.
func checkErrors(doc *openapi3.T, report reportFunc) {
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
				report(where, "has no response %s", status)
			}
		}
		if op.Responses.Default() != nil {
			report(where, "has a default response, which hides undeclared ones")
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

func checkErrorTypes(doc *openapi3.T, report reportFunc) {
	catalog, _ := doc.Extensions["x-error-catalog"].(map[string]any)
	for where, op := range operations(doc) {
		for status, ref := range op.Responses.Map() {
			at := where + " " + status
			types := texts(ref.Value.Extensions["x-error-types"])
			if isError := status >= "400"; isError != (len(types) > 0) {
				report(at, "lists %d error types", len(types))
			}
			for i, name := range types {
				if slices.Contains(types[:i], name) {
					report(at, "lists %s twice", name)
				}
				entry, known := catalog[name].(map[string]any)
				if !known {
					report(at, "%s is not in x-error-catalog", name)
				} else if !hasStatus(entry, status) {
					report(at, "%s has another status in x-error-catalog", name)
				}
			}
			for example := range exampleValues(ref.Value.Content.Get("application/json")) {
				object, _ := example.(map[string]any)
				name, _ := object["error_type"].(string)
				if name == "" {
					name, _ = object["error"].(string)
				}
				if len(types) > 0 && !slices.Contains(types, name) {
					report(at, "the example has %q, which is not among the error types", name)
				}
			}
		}
	}
}

// hasStatus checks both statuses of an entry: an assumed one is allowed only beside one of higher
// certainty.
func hasStatus(entry map[string]any, status string) bool {
	return fmt.Sprint(entry["status"]) == status || fmt.Sprint(entry["assumed-status"]) == status
}

func checkCatalog(doc *openapi3.T, report reportFunc) {
	catalog, _ := doc.Extensions["x-error-catalog"].(map[string]any)
	used := map[string]bool{}
	for _, op := range operations(doc) {
		for _, ref := range op.Responses.Map() {
			for _, name := range texts(ref.Value.Extensions["x-error-types"]) {
				used[name] = true
			}
		}
	}
	for name, value := range catalog {
		entry, _ := value.(map[string]any)
		if !used[name] {
			report(name, "is not used by any response")
		}
		if when, _ := entry["when"].(string); strings.TrimSpace(when) == "" {
			report(name, "has no member when")
		}
		if c, marked := entry["certainty"]; marked && !isCertainty(c) {
			report(name, "certainty %v is none of documented, observed, assumed", c)
		}
		for key := range entry {
			if !slices.Contains([]string{"status", "assumed-status", "certainty", "when"}, key) {
				report(name, "has an unknown member %s", key)
			}
		}
	}
}

func isCertainty(v any) bool { return v == "documented" || v == "observed" || v == "assumed" }

func checkDescribed(doc *openapi3.T, report reportFunc) {
	for at, object := range objects(doc, report) {
		for _, key := range []string{"summary", "description"} {
			if text, _ := object[key].(string); strings.HasPrefix(text, "TODO") {
				report(at, "its %s still says %q", key, text)
			}
		}
	}
	for where, op := range operations(doc) {
		if op.Summary == "" || op.Description == "" {
			report(where, "lacks a summary or a description")
		}
	}
	for name, ref := range doc.Components.Parameters {
		if ref.Value.Description == "" {
			report("parameter "+name, "has no description")
		}
	}
	for name, ref := range doc.Components.Headers {
		if ref.Value.Description == "" {
			report("header "+name, "has no description")
		}
	}
	_ = doc.WalkSchemas(func(pointer string, ref *openapi3.SchemaRef) error {
		parent, last := pointer[:strings.LastIndex(pointer, "/")], pointer[strings.LastIndex(pointer, "/")+1:]
		named := strings.HasSuffix(parent, "/properties") || parent == "/components/schemas"
		if (named || last == "items" || last == "additionalProperties") && ref.Value.Description == "" {
			report(pointer, "has no description")
		}
		return nil
	})
}

var extensions = []string{"x-safety", "x-certainty", "x-error-types", "x-max-bytes", "x-max-keys", "x-error-catalog"}

// checkExtensions reads the document as plain JSON, so that it covers places that the other rules
// do not visit.
func checkExtensions(doc *openapi3.T, report reportFunc) {
	for at, object := range objects(doc, report) {
		for key, value := range object {
			if strings.HasPrefix(key, "x-") && !strings.HasSuffix(at, "/properties") && !slices.Contains(extensions, key) {
				report(at, "unknown extension %s", key)
			}
			if key == "x-certainty" && !isCertainty(value) {
				report(at, "x-certainty %v is none of documented, observed, assumed", value)
			}
		}
	}
}

func checkSecrets(doc *openapi3.T, report reportFunc) {
	for b := range bodies(doc) {
		walk(b.where, "", b.media.Schema, func(at, property string, s *openapi3.Schema) {
			secret := strings.HasSuffix(property, "secret") || property == "access_token" || property == "token"
			if secret && s.Format != "password" {
				report(at, "is a secret without format: password")
			}
			if form := b.media.Schema.Value.AdditionalProperties.Schema != nil; secret && s.MinLength == 0 && !form {
				report(at, "is a secret without minLength: write minLength: 1, because an empty one is not sent")
			}
			if !secret && s.Format == "password" {
				report(at, "has format: password, but not the name of a secret")
			}
			if secret && s.WriteOnly != b.request {
				report(at, "writeOnly is %t", s.WriteOnly)
			}
		})
	}
}

// checkOpenness keeps responses open, because Stytch may add fields and values at any time, and
// requests closed, because a misspelled field would be ignored silently.
func checkOpenness(doc *openapi3.T, report reportFunc) {
	for b := range bodies(doc) {
		walk(b.where, "", b.media.Schema, func(at, property string, s *openapi3.Schema) {
			extra := s.AdditionalProperties
			metadata := property == "trusted_metadata"
			if b.request && s.Type.Is("object") {
				closed := extra.Has != nil && !*extra.Has
				if freeForm := extra.Has != nil && len(s.Properties) == 0; !closed && !freeForm && extra.Schema == nil && !metadata {
					report(at, "a request accepts unknown fields: write additionalProperties: false")
				}
			}
			if metadata && (extra.Has == nil || !*extra.Has || s.Extensions["x-max-keys"] == nil || s.Extensions["x-max-bytes"] == nil) {
				report(at, "metadata must be open and state its limits")
			}
			if !b.request && extra.Has != nil && !*extra.Has {
				report(at, "a response refuses unknown fields")
			}
			if !b.request && len(s.Enum) > 0 {
				report(at, "a response refuses unknown values: write anyOf: [{type: string, enum: […]}, {type: string}]")
			}
			if s.Type.Is("object") && len(s.Properties) == 0 && extra.Has == nil && extra.Schema == nil {
				report(at, "an object without properties is an empty one in other languages: write additionalProperties: true if it is free-form")
			}
		})
	}
}

func checkUnused(doc *openapi3.T, report reportFunc) {
	used := map[string]bool{}
	for _, object := range objects(doc, report) {
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
				report(ref, "is not used")
			}
		}
	}
}
