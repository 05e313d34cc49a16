package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// holdsSecret reports whether a schema, or any schema below it, is a secret.
func holdsSecret(ref *openapi3.SchemaRef) bool { return search(ref, map[*openapi3.Schema]bool{}) }

// search visits each schema once: a schema may refer to itself.
func search(ref *openapi3.SchemaRef, seen map[*openapi3.Schema]bool) bool {
	if ref == nil || ref.Value == nil || seen[ref.Value] {
		return false
	}
	s := ref.Value
	seen[s] = true
	return s.Format == "password" || slices.ContainsFunc(below(s), func(ref *openapi3.SchemaRef) bool { return search(ref, seen) })
}

// below are the schemas directly below a schema.
func below(s *openapi3.Schema) []*openapi3.SchemaRef {
	all := slices.Concat(s.AllOf, s.OneOf, s.AnyOf, []*openapi3.SchemaRef{s.Items, s.Not, s.AdditionalProperties.Schema})
	return slices.AppendSeq(all, maps.Values(s.Properties))
}

// goField is a field of a generated struct.
type goField struct{ Name, Type string }

// goFields are the fields of the structs in a Go file, by the name of the struct and the JSON name.
func goFields(path string, source any) (map[string]map[string]goField, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	structs := map[string]map[string]goField{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		body, ok := spec.Type.(*ast.StructType)
		if !ok {
			return true
		}
		fields := map[string]goField{}
		for _, f := range body.Fields.List {
			if f.Tag == nil || len(f.Names) != 1 {
				continue
			}
			name, _, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json"), ",")
			fields[name] = goField{f.Names[0].Name, types.ExprString(f.Type)}
		}
		structs[spec.Name.Name] = fields
		return true
	})
	return structs, nil
}

// requestSecrets are the JSON names of the secrets in the request of an operation. It is an error
// if one of them would not be sent as it is, or would be printed: [secret.String] prints and
// encodes as a placeholder, and only secret.Outgoing does the one without the other.
func requestSecrets(op *openapi3.Operation, structs map[string]map[string]goField) ([]string, error) {
	if op.RequestBody == nil {
		return nil, nil
	}
	var names []string
	content := op.RequestBody.Value.Content
	for _, mime := range slices.Sorted(maps.Keys(content)) {
		ref := content[mime].Schema
		if !holdsSecret(ref) {
			continue
		}
		fail := func(property, what string, args ...any) error {
			return fmt.Errorf("api/openapi.yaml: %s: the secret %s of the request %s", op.OperationID, property, fmt.Sprintf(what, args...))
		}
		schema := ref.Ref[strings.LastIndex(ref.Ref, "/")+1:]
		if schema == "" {
			return nil, fail("", "is in a schema without a name: move the schema to components/schemas")
		}
		for _, name := range slices.Sorted(maps.Keys(ref.Value.Properties)) {
			s := ref.Value.Properties[name].Value
			field, sent := structs[schema][name]
			switch {
			case s.Format != "password":
				continue
			case !s.WriteOnly:
				return nil, fail(name, "is not writeOnly: add writeOnly: true")
			case sent && !strings.Contains(field.Type, "secret.Outgoing"):
				return nil, fail(name, "would be sent as a placeholder, because its type in Go is %s: in api/go.overlay.yaml, give it x-go-type: secret.Outgoing", field.Type)
			case sent && mime == "application/x-www-form-urlencoded":
				return nil, fail(name, "cannot be sent in a form, which is encoded by printing each field: remove it in api/go.overlay.yaml")
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		rest := *ref.Value
		rest.Properties = maps.Clone(rest.Properties)
		for _, name := range names {
			delete(rest.Properties, name)
		}
		if holdsSecret(rest.NewRef()) {
			return nil, fail("", "is not one of its own properties: only those are left out of logs; move it to the top of %s", schema)
		}
	}
	return names, nil
}

// secretRequest is a request type in which the caller sends secrets.
type secretRequest struct {
	Name   string
	Fields []string // Go names
}

// secretRequests are the request types that have secrets in Go, each once.
func secretRequests(doc *openapi3.T, structs map[string]map[string]goField) (all []secretRequest) {
	for name, ref := range doc.Components.Schemas {
		r := secretRequest{Name: name}
		for property, s := range ref.Value.Properties {
			if field, sent := structs[name][property]; sent && s.Value.Format == "password" && s.Value.WriteOnly {
				r.Fields = append(r.Fields, field.Name)
			}
		}
		if len(r.Fields) > 0 {
			slices.Sort(r.Fields)
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b secretRequest) int { return strings.Compare(a.Name, b.Name) })
	return all
}
