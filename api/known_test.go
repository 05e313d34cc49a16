package api_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stytchkit/m2m/internal/contract"
)

// A named set of values means the same everywhere in Go: fields that the contract says hold its
// values have its type, fields of its type hold its values, and package stytch has a name for each.
func TestNamedValuesReachGo(t *testing.T) {
	doc := load(t)
	structs := generatedStructs(t, "../gen/models.gen.go")
	for name, ref := range doc.Components.Schemas {
		walkProperties(name, ref, func(schema, property string, s *openapi3.Schema, ref string) {
			i := slices.IndexFunc(structs[schema], func(f structField) bool { return f.property() == property })
			if i < 0 {
				return
			}
			for _, fault := range namedValueFaults(doc, structs[schema][i].typ, s, ref) {
				t.Errorf("%s.%s %s", schema, property, fault)
			}
		})
	}

	source, err := os.ReadFile("../stytch/models.go")
	if err != nil {
		t.Fatal(err)
	}
	for constant, of := range generatedConstants(t, "../gen/models.gen.go") {
		if strings.Contains(string(source), "gen."+of+"\n") && !strings.Contains(string(source), "gen."+constant) {
			t.Errorf("gen.%s has no name in package stytch: add one to stytch/models.go, beside the other values of %s", constant, of)
		}
	}
}

// namedValueFaults compares the Go type of a property with the schema that names its values. ref is
// what the property refers to.
func namedValueFaults(doc *openapi3.T, goType string, s *openapi3.Schema, ref string) (faults []string) {
	goType = strings.TrimSuffix(strings.TrimPrefix(strings.TrimLeft(goType, "*"), "nullable.Nullable["), "]")
	if len(s.AnyOf) > 0 {
		ref = s.AnyOf[0].Ref
	}
	named := strings.TrimPrefix(ref, "#/components/schemas/")
	if contract.KnownValues(s) != nil && named != "" && goType != named {
		faults = append(faults, fmt.Sprintf("holds the values of %s and is a %s in Go: in api/go.overlay.yaml, add an action for fields whose anyOf refers to %s", named, goType, named))
	}
	if of := doc.Components.Schemas[goType]; of != nil && len(of.Value.Enum) > 0 && named != goType {
		values := slices.DeleteFunc(slices.Clone(s.Enum), func(v any) bool { return v == nil })
		if !slices.Equal(values, of.Value.Enum) {
			faults = append(faults, fmt.Sprintf("is a %s in Go and has the values %v: write %v, as in #/components/schemas/%s", goType, values, of.Value.Enum, goType))
		}
	}
	return faults
}

// Each comparison can fail.
func TestNamedValuesFire(t *testing.T) {
	doc := loadDocument(t)
	const updated = "nullable.Nullable[M2MClientStatus]"
	status := doc.property("UpdateM2MClientRequest", "status")
	for _, test := range []struct {
		goType, says string
		s            *openapi3.Schema
	}{
		{"string", "add an action for fields whose anyOf refers to M2MClientStatus", doc.property("M2MClient", "status")},
		{updated, "as in #/components/schemas/M2MClientStatus", &openapi3.Schema{Enum: status.Enum[:1]}},
		{updated, "as in #/components/schemas/M2MClientStatus", &openapi3.Schema{Enum: append(slices.Clone(status.Enum), "deleted")}},
		{updated, "as in #/components/schemas/M2MClientStatus", openapi3.NewStringSchema()},
	} {
		faults := namedValueFaults(doc.T, test.goType, test.s, "")
		if len(faults) != 1 || !strings.Contains(faults[0], test.says) {
			t.Errorf("%s: reported %q", test.says, faults)
		}
	}
}

// walkProperties visits the properties of a schema, those of the parts of an allOf included, and
// what each refers to.
func walkProperties(name string, ref *openapi3.SchemaRef, visit func(schema, property string, s *openapi3.Schema, ref string)) {
	for property, p := range ref.Value.Properties {
		visit(name, property, p.Value, p.Ref)
	}
	for _, part := range ref.Value.AllOf {
		walkProperties(name, part, visit)
	}
}

// generatedConstants are the constants of a source file and their types.
func generatedConstants(t *testing.T, path string) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	constants := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && spec.Type != nil {
			constants[spec.Names[0].Name] = typeText(spec.Type)
		}
		return true
	})
	return constants
}
