package api_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stytchkit/m2m/api"
)

// The rules in this file are about what the contract becomes in Go. Generation would succeed
// without them.

var generatedModels = sync.OnceValues(func() (map[string][]structField, error) { return parseStructs("../gen/models.gen.go") })

// zeroMeansDefault are fields whose zero value stands for the default.
var zeroMeansDefault = []string{"SearchM2MClientsRequest.limit", "SearchConnectedAppsRequest.limit"}

// checkDefaults refuses a default in a request where the zero value of Go means something else and
// is valid: such a field is left out when it is zero, so the value could not be sent.
func checkDefaults(doc *openapi3.T, report reportFunc) {
	structs, err := generatedModels()
	if err != nil {
		report("gen/models.gen.go", "%v", err)
	}
	for name, ref := range doc.Components.Schemas {
		if !strings.HasSuffix(name, "Request") {
			continue
		}
		for property, p := range ref.Value.Properties {
			if p.Value == nil || slices.Contains(ref.Value.Required, property) || !zeroIsAnother(p.Value) || slices.Contains(zeroMeansDefault, name+"."+property) {
				continue
			}
			i := slices.IndexFunc(structs[name], func(f structField) bool { return f.property() == property })
			if i < 0 || !strings.HasPrefix(structs[name][i].typ, "*") && !strings.HasPrefix(structs[name][i].typ, "nullable.") {
				report(name+"."+property, "has the default %v, so its zero value cannot be sent: in api/go.overlay.yaml, give it x-go-type-skip-optional-pointer: false and x-omitzero: false, behind the rule for all fields", p.Value.Default)
			}
		}
	}
}

// zeroIsAnother reports that a schema has a default, and that Go's zero value is valid but not it.
func zeroIsAnother(s *openapi3.Schema) bool {
	switch d := s.Default.(type) {
	case bool:
		return d
	case string:
		return d != "" && s.MinLength == 0 && len(s.Enum) == 0
	case float64:
		return d != 0 && (s.Min == nil || *s.Min <= 0)
	case []any:
		return len(d) > 0 && s.MinItems == 0
	}
	return s.Default != nil && s.Type.Is("object")
}

// goNames are the types that the generator writes beside the schemas.
func goNames(doc *openapi3.T) map[string]bool {
	names := map[string]bool{}
	for _, name := range []string{"Client", "ClientInterface", "ClientOption", "ClientWithResponses", "ClientWithResponsesInterface", "HTTPRequestDoer", "RequestEditorFn"} {
		names[goName(name)] = true
	}
	for _, op := range operations(doc) {
		for _, suffix := range []string{"Result", "Params", "JSONRequestBody", "JSONBody", "FormdataRequestBody", "FormdataBody"} {
			names[goName(op.OperationID+suffix)] = true
		}
	}
	return names
}

// goName is what names have in common that become one name in Go, whatever their case and
// separators.
func goName(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune("_-. #", r) {
			return -1
		}
		return r
	}, name))
}

// checkNames says which two names would clash. Generation succeeds, and then nothing compiles.
func checkNames(doc *openapi3.T, report reportFunc) {
	clash := func(where string, names []string) {
		seen := map[string]string{}
		slices.Sort(names)
		for _, name := range names {
			if other := seen[goName(name)]; other != "" {
				report(where, "%s and %s have one name in Go: choose another name for one of them", other, name)
			}
			seen[goName(name)] = name
		}
	}
	taken := goNames(doc)
	for name, ref := range doc.Components.Schemas {
		if taken[goName(name)] {
			report("#/components/schemas/"+name, "has the name of a type that is generated for an operation or the client: choose another name")
		}
		walk(name, "", ref, func(at, _ string, s *openapi3.Schema) { clash(at, slices.Collect(maps.Keys(s.Properties))) })
	}
	clash("#/components/schemas", slices.Collect(maps.Keys(doc.Components.Schemas)))
}

// A keyword beside $ref is dead: OpenAPI 3.0 ignores it, and so does the generator.
func TestReferencesStandAlone(t *testing.T) {
	for _, fault := range besideReference(string(api.OpenAPI)) {
		t.Error(fault)
	}
	for _, text := range []string{
		"a:\n  b: {$ref: '#/c', nullable: true}\n", "a:\n  b: {nullable: true, $ref: '#/c'}\n", "a:\n  b:\n    $ref: '#/c'\n    nullable: true\n",
		"a:\n  b:\n    nullable: true\n    $ref: '#/c'\n", "a:\n  - $ref: '#/c'\n    nullable: true\n",
	} {
		if len(besideReference(text)) != 1 {
			t.Errorf("%q is accepted", text)
		}
	}
	for _, text := range []string{"a:\n  b: {$ref: '#/c'}\n", "a:\n  b:\n    $ref: '#/c'\n  d:\n    nullable: true\n", "a:\n  - $ref: '#/c'\n  - $ref: '#/d'\n"} {
		if faults := besideReference(text); len(faults) > 0 {
			t.Errorf("%q: %q", text, faults)
		}
	}
}

var (
	inlineReference = regexp.MustCompile(`\{[^{}]*\$ref:[^{}]*\}`)
	blockReference  = regexp.MustCompile(`^( *)(- )?\$ref:`)
	blockKey        = regexp.MustCompile(`^( *)[A-Za-z$][A-Za-z0-9_-]*:`)
)

// besideReference lists the lines of a YAML text where a $ref has other keys beside it.
func besideReference(text string) (faults []string) {
	lines := strings.Split(text, "\n")
	fault := func(line string) {
		faults = append(faults, "a keyword beside $ref has no effect: write allOf with the reference and the keyword: "+strings.TrimSpace(line))
	}
	for i, line := range lines {
		for _, object := range inlineReference.FindAllString(line, -1) {
			if strings.Contains(object, ",") {
				fault(object)
			}
		}
		m := blockReference.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		indent := len(m[1]) + len(m[2])
		isSibling := func(at int) bool {
			if at < 0 || at >= len(lines) {
				return false
			}
			k := blockKey.FindStringSubmatch(lines[at])
			return k != nil && len(k[1]) == indent
		}
		if isSibling(i+1) || m[2] == "" && isSibling(i-1) {
			fault(line)
		}
	}
	return faults
}

// The rules end on a schema that refers to itself, and look into every kind of part.
func TestWalkEnds(t *testing.T) {
	loop := openapi3.NewObjectSchema()
	leaf := func(description string) *openapi3.SchemaRef {
		s := openapi3.NewStringSchema()
		s.Description = description
		return s.NewRef()
	}
	loop.Properties = openapi3.Schemas{"next": loop.NewRef(), "p": leaf("property")}
	loop.OneOf, loop.AnyOf, loop.Not = openapi3.SchemaRefs{leaf("oneOf"), loop.NewRef()}, openapi3.SchemaRefs{leaf("anyOf")}, leaf("not")
	loop.AdditionalProperties.Schema = leaf("additionalProperties")
	var seen []string
	walk("", "", loop.NewRef(), func(_, _ string, s *openapi3.Schema) { seen = append(seen, s.Description) })
	slices.Sort(seen)
	if want := []string{"", "additionalProperties", "anyOf", "not", "oneOf", "property"}; !slices.Equal(seen, want) {
		t.Errorf("%q, want %q", seen, want)
	}
}
