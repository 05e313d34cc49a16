package api_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stytchkit/m2m/internal/contract"
)

// The rules in this file refuse what is valid and does not become good Go, and say what to write
// instead. docs/contract.md has the list of both; test/drift tries each entry.

var (
	schemaName   = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	propertyName = regexp.MustCompile(`^[$_.-]*[A-Za-z0-9][A-Za-z0-9_.-]*$`)
)

// methods are the names that the types in Go have beside their fields, as goName returns them.
var methods = map[string]bool{"logvalue": true, "marshaljson": true, "unmarshaljson": true, "additionalproperties": true, "get": true, "set": true}

// checkTypes looks at every schema once, where it is declared.
func checkTypes(doc *openapi3.T, report reportFunc) {
	for name, ref := range doc.Components.Schemas {
		at := "#/components/schemas/" + name
		if !schemaName.MatchString(name) {
			report(at, "must be named in UpperCamelCase, of letters and digits")
		}
		checkSchema(at, ref.Value, report)
		checkNulls(name, ref.Value, report)
		eachPart(at, ref.Value, func(at string, part *openapi3.SchemaRef) { checkPart(at, part, report) })
	}
	for where, op := range operations(doc) {
		for _, p := range op.Parameters {
			if p.Value.Schema != nil {
				checkPart(where+" "+p.Value.Name, p.Value.Schema, report)
			}
		}
	}
}

// checkPart looks at a schema that stands in another one.
func checkPart(at string, ref *openapi3.SchemaRef, report reportFunc) {
	if ref.Ref != "" {
		return // it is looked at where it is declared
	}
	s := ref.Value
	switch inline := func(part *openapi3.SchemaRef) bool { return part.Ref == "" }; {
	case len(s.Properties) > 0:
		report(at, "is an object without a name, which no caller can make in Go: move it to #/components/schemas and refer to it")
	case len(s.AllOf) > 1 || slices.ContainsFunc(s.AllOf, inline):
		report(at, "is an allOf without a name, which no caller can make in Go: move it to #/components/schemas and refer to it")
	}
	checkSchema(at, s, report)
	eachPart(at, s, func(at string, part *openapi3.SchemaRef) { checkPart(at, part, report) })
}

// eachPart calls f for the schemas directly below another one. The parts of an allOf become one
// type, so their properties count as its own; known values are no types of their own.
func eachPart(at string, s *openapi3.Schema, f func(at string, part *openapi3.SchemaRef)) {
	for name, p := range s.Properties {
		f(at+"/properties/"+name, p)
	}
	for _, part := range s.AllOf {
		if part.Ref == "" {
			eachPart(at, part.Value, f)
		}
	}
	if contract.KnownValues(s) != nil {
		return
	}
	for _, part := range slices.Concat(s.OneOf, s.AnyOf) {
		f(at+"/choice", part)
	}
	if s.Items != nil {
		f(at+"/items", s.Items)
	}
	if s.AdditionalProperties.Schema != nil {
		f(at+"/additionalProperties", s.AdditionalProperties.Schema)
	}
}

func checkSchema(at string, s *openapi3.Schema, report reportFunc) {
	choices := slices.Concat(s.OneOf, s.AnyOf)
	switch {
	case len(s.Type.Slice()) > 1:
		report(at, "has several types, as in OpenAPI 3.1: write one type, with nullable: true if it may be null")
		return
	case s.Type == nil && len(s.AllOf)+len(choices) == 0:
		report(at, "has no type: write type, or a $ref, an allOf, oneOf or anyOf")
		return
	}
	if keyword := contract.UnknownKeyword(s); keyword != "" {
		report(at, "the tests cannot make instances with %s: teach internal/contract/random.go the keyword, or say it in the description", keyword)
	}
	if s.ReadOnly {
		report(at, "readOnly makes a required field optional in Go: leave it out, because requests and responses have schemas of their own")
	}
	if s.WriteOnly && s.Format != "password" {
		report(at, "writeOnly is for secrets: write format: password as well, or leave it out")
	}
	if len(choices) == 2 && isEnumOfStrings(choices[1].Value) && choices[0].Value.Type.Is("string") {
		report(at, "known values come first: write anyOf: [{type: string, enum: […]}, {type: string}]")
	}
	open := s.AdditionalProperties.Schema != nil || s.AdditionalProperties.Has != nil && *s.AdditionalProperties.Has
	for name := range s.Properties {
		switch plain := goName(name); {
		case !propertyName.MatchString(name):
			report(at+"/properties/"+name, "has a name that cannot become one in Go: use letters, digits, _, - and .")
		case methods[plain] && (open || plain == "logvalue" || strings.HasSuffix(plain, "json")):
			report(at+"/properties/"+name, "has the name of a method in Go: in api/go.overlay.yaml, give it an x-go-name")
		}
	}
}

// checkNulls: in an update, null is not the same as absent, and a field that cannot be null would
// have no way to be absent. In any other request, it is.
func checkNulls(name string, s *openapi3.Schema, report reportFunc) {
	if s.AdditionalProperties.Has == nil || *s.AdditionalProperties.Has {
		return // no request
	}
	update := strings.HasPrefix(name, "Update")
	for property, p := range s.Properties {
		at := "#/components/schemas/" + name + "/properties/" + property
		switch nullable := p.Value.Nullable && p.Ref == ""; {
		case update && !nullable && p.Ref != "":
			report(at, "is in an update: write nullable: true and allOf with the reference, so that it can be left alone")
		case update && !nullable:
			report(at, "is in an update: write nullable: true, so that it can be left alone")
		case !update && nullable:
			report(at, "is nullable, and only updates tell null from absent: leave nullable out")
		}
	}
}

func isEnumOfStrings(s *openapi3.Schema) bool { return s.Type.Is("string") && len(s.Enum) > 0 }

var bodyTypes = []string{"application/json", "application/x-www-form-urlencoded"}

// checkBodies looks at what the client sends and reads.
func checkBodies(doc *openapi3.T, report reportFunc) {
	for where, op := range operations(doc) {
		if strings.Count(where, "{") > 1 {
			report(where, "has several parameters in its path: internal/operation matches one; teach it, before the contract gets such a path")
		}
		if op.RequestBody != nil {
			for mime, media := range op.RequestBody.Value.Content {
				if !slices.Contains(bodyTypes, mime) {
					report(where, "takes %s: the client sends application/json and forms", mime)
				} else if media.Schema.Ref == "" {
					report(where, "takes a schema without a name: move it to #/components/schemas and refer to it")
				}
			}
		}
		successes := map[string]string{} // schema -> status
		for status, response := range op.Responses.Map() {
			media := response.Value.Content["application/json"]
			switch {
			case status < "200" || status > "299":
				continue
			case media == nil:
				report(where, "has no application/json for %s, and the client reads nothing else: give it a schema with request_id and status_code", status)
			case media.Schema.Ref == "":
				report(where, "has a schema without a name for %s: move it to #/components/schemas and refer to it", status)
			default:
				successes[media.Schema.Ref] = status
			}
		}
		if len(successes) > 1 {
			report(where, "has another schema for each of its successes (%s): a method returns one type, so use one schema", strings.Join(slices.Sorted(maps.Values(successes)), ", "))
		}
	}
}
