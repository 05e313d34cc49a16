package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// schemaType is a schema of the contract and its type in package gen.
type schemaType struct{ Schema, Type string }

// schemaTypes finds the Go type of each schema among those of a generated file. The generator
// changes case and separators of a name, and nothing else.
func schemaTypes(doc *openapi3.T, path string) (all []schemaType, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	types := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			types[plain(spec.Name.Name)] = spec.Name.Name
		}
		return true
	})
	for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas)) {
		found := types[plain(name)]
		if found == "" {
			return nil, fmt.Errorf("api/openapi.yaml: the schema %s has no type in gen/models.gen.go: give it a name of letters and digits", name)
		}
		all = append(all, schemaType{name, found})
	}
	return all, nil
}

func plain(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune("_-. ", r) {
			return -1
		}
		return r
	}, name))
}
