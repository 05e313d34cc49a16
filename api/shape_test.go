package api_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// In the generated request types, every field of an update can be absent, null or empty, and every
// optional field of a create request is left out when it is not set.
func TestRequestTypesKeepTheirShape(t *testing.T) {
	doc := load(t)
	seen := 0
	for name, fields := range generatedStructs(t, "../gen/models.gen.go") {
		update := strings.HasPrefix(name, "Update") && strings.HasSuffix(name, "Request")
		create := strings.HasPrefix(name, "Create") && strings.HasSuffix(name, "Request")
		if !update && !create {
			continue
		}
		seen++
		schema := doc.Components.Schemas[name].Value
		if len(fields) != len(schema.Properties) {
			t.Errorf("%s has %d fields, the contract %d", name, len(fields), len(schema.Properties))
		}
		for _, f := range fields {
			property, options, _ := strings.Cut(f.tag.Get("json"), ",")
			switch {
			case schema.Properties[property] == nil:
				t.Errorf("%s.%s is %q, which is not in the contract", name, f.name, property)
			case slices.Contains(schema.Required, property):
				if options != "" {
					t.Errorf("%s.%s is required and has the option %q: it would not be sent when empty", name, f.name, options)
				}
			case update && (!strings.HasPrefix(f.typ, "nullable.Nullable[") || options != "omitempty"):
				t.Errorf("%s.%s is a %s with the option %q: make it nullable: true in api/openapi.yaml, so that it becomes a nullable.Nullable with omitempty", name, f.name, f.typ, options)
			case create && (strings.HasPrefix(f.typ, "*") || options != "omitzero"):
				t.Errorf("%s.%s is a %s with the option %q: in api/go.overlay.yaml, give it x-go-type-skip-optional-pointer and x-omitzero", name, f.name, f.typ, options)
			}
		}
	}
	if seen == 0 {
		t.Error("there are no create and update requests: correct how this test finds them")
	}
}

type structField struct {
	name, typ string
	tag       reflect.StructTag
}

// generatedStructs returns the struct types of a source file by name.
func generatedStructs(t *testing.T, path string) map[string][]structField {
	t.Helper()
	structs, err := parseStructs(path)
	if err != nil {
		t.Fatal(err)
	}
	return structs
}

func parseStructs(path string) (map[string][]structField, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	structs := map[string][]structField{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if body, ok := spec.Type.(*ast.StructType); ok {
			structs[spec.Name.Name] = nil
			for _, f := range body.Fields.List {
				field := structField{typ: typeText(f.Type)}
				if f.Tag != nil {
					field.tag = reflect.StructTag(strings.Trim(f.Tag.Value, "`"))
				}
				for _, name := range f.Names {
					field.name = name.Name
					structs[spec.Name.Name] = append(structs[spec.Name.Name], field)
				}
			}
		}
		return false
	})
	return structs, nil
}

// typeText renders the types that generated models use.
func typeText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return "*" + typeText(e.X)
	case *ast.ArrayType:
		return "[]" + typeText(e.Elt)
	case *ast.SelectorExpr:
		return typeText(e.X) + "." + e.Sel.Name
	case *ast.IndexExpr:
		return typeText(e.X) + "[" + typeText(e.Index) + "]"
	}
	return fmt.Sprintf("%T", e)
}
