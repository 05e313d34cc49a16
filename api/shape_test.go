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

// In the generated request types, every field of an update can be absent, null or empty, every
// optional field of another request is left out when it is not set, and a required one never is.
func TestRequestTypesKeepTheirShape(t *testing.T) {
	doc := load(t)
	structs := generatedStructs(t, "../gen/models.gen.go")
	forms := map[string]bool{}
	for b := range bodies(doc) {
		if strings.HasSuffix(b.where, "x-www-form-urlencoded") {
			forms[strings.TrimPrefix(b.media.Schema.Ref, "#/components/schemas/")] = true
		}
	}
	seen := 0
	for name, ref := range doc.Components.Schemas {
		schema, form := ref.Value, forms[name]
		if closed := schema.AdditionalProperties.Has != nil && !*schema.AdditionalProperties.Has; !closed && !form {
			continue
		}
		seen++
		fields := structs[name]
		for property, p := range schema.Properties {
			i := slices.IndexFunc(fields, func(f structField) bool { return f.property() == property })
			if i >= 0 {
				checkRequestField(t, name, fields[i], slices.Contains(schema.Required, property))
			} else if !form || p.Value.Format != "password" { // a form cannot carry a secret, see the overlay
				t.Errorf("%s has no field for %s", name, property)
			}
		}
	}
	if seen == 0 {
		t.Error("there are no requests: correct how this test finds them")
	}
}

func checkRequestField(t *testing.T, request string, f structField, required bool) {
	t.Helper()
	_, options, _ := strings.Cut(f.tag.Get("json"), ",")
	at := fmt.Sprintf("%s.%s is a %s with the option %q", request, f.name, f.typ, options)
	switch {
	case required:
		if options != "" {
			t.Errorf("%s, and required: it would not be sent when empty. Leave writeOnly out of a required field, or give it x-omitzero: false in api/go.overlay.yaml", at)
		}
	case strings.HasPrefix(request, "Update"):
		if !strings.HasPrefix(f.typ, "nullable.Nullable[") || options != "omitempty" {
			t.Errorf("%s: make it nullable: true in api/openapi.yaml, so that it becomes a nullable.Nullable with omitempty", at)
		}
	case strings.HasPrefix(f.typ, "*") || options != "omitzero":
		t.Errorf("%s: in api/go.overlay.yaml, give it x-go-type-skip-optional-pointer: true and x-omitempty: false", at)
	}
}

type structField struct {
	name, typ string
	tag       reflect.StructTag
}

// property is the name on the wire.
func (f structField) property() string {
	name, _, _ := strings.Cut(f.tag.Get("json"), ",")
	return name
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
