package api_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stytchkit/m2m/api"
	"github.com/stytchkit/m2m/internal/contract"
)

// load returns a new copy of the contract, which the caller may break.
func load(t testing.TB) *openapi3.T {
	t.Helper()
	data, err := contractJSON()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// contractJSON returns the contract as JSON, which loads several times faster than YAML.
var contractJSON = sync.OnceValues(func() ([]byte, error) {
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI)
	if err != nil {
		return nil, err
	}
	return doc.MarshalJSON()
})

// A document finds parts of the contract by name, so that a mutation is one line.
type document struct{ *openapi3.T }

func (d document) op(id string) *openapi3.Operation {
	for _, op := range operations(d.T) {
		if op.OperationID == id {
			return op
		}
	}
	return nil
}

func (d document) response(id, status string) *openapi3.Response {
	return d.op(id).Responses.Value(status).Value
}

func (d document) request(id string) *openapi3.MediaType {
	return d.op(id).RequestBody.Value.Content["application/json"]
}

func (d document) responseBody(id, status string) *openapi3.MediaType {
	return d.response(id, status).Content["application/json"]
}

func (d document) requestExample(id, name string) map[string]any {
	return d.request(id).Examples[name].Value.Value.(map[string]any)
}

func (d document) responseExample(id, status string) map[string]any {
	return d.responseBody(id, status).Example.(map[string]any)
}

func (d document) schema(name string) *openapi3.Schema { return d.Components.Schemas[name].Value }

func (d document) property(schema, name string) *openapi3.Schema {
	return d.schema(schema).Properties[name].Value
}

func (d document) catalogEntry(name string) map[string]any {
	return d.Extensions["x-error-catalog"].(map[string]any)[name].(map[string]any)
}

func errorTypes(names ...any) map[string]any { return map[string]any{"x-error-types": names} }

// operations yields every operation, with "METHOD /path".
func operations(doc *openapi3.T) iter.Seq2[string, *openapi3.Operation] {
	return func(yield func(string, *openapi3.Operation) bool) {
		for path, item := range doc.Paths.Map() {
			for method, op := range item.Operations() {
				if !yield(method+" "+path, op) {
					return
				}
			}
		}
	}
}

type body struct {
	where, status string // status is that of a response
	request       bool
	media         *openapi3.MediaType
}

// bodies yields every body of every operation, for each media type.
func bodies(doc *openapi3.T) iter.Seq[body] {
	return func(yield func(body) bool) {
		for where, op := range operations(doc) {
			if op.RequestBody != nil {
				for mime, media := range op.RequestBody.Value.Content {
					if !yield(body{where: where + " " + mime, request: true, media: media}) {
						return
					}
				}
			}
			for status, ref := range op.Responses.Map() {
				for mime, media := range ref.Value.Content {
					if !yield(body{where: where + " " + status + " " + mime, status: status, media: media}) {
						return
					}
				}
			}
		}
	}
}

func exampleValues(media *openapi3.MediaType) iter.Seq[any] {
	return func(yield func(any) bool) {
		if media == nil || media.Example != nil && !yield(media.Example) {
			return
		}
		for _, example := range media.Examples {
			if !yield(example.Value.Value) {
				return
			}
		}
	}
}

// walk visits a schema and all schemas below it, once per path. property is its name there, if it
// is a property. A schema that refers to itself ends its path.
func walk(at, property string, ref *openapi3.SchemaRef, visit func(at, property string, s *openapi3.Schema)) {
	walkFrom(map[*openapi3.Schema]bool{}, at, property, ref, visit)
}

func walkFrom(above map[*openapi3.Schema]bool, at, property string, ref *openapi3.SchemaRef, visit func(at, property string, s *openapi3.Schema)) {
	if ref == nil || ref.Value == nil || above[ref.Value] {
		return
	}
	s := ref.Value
	visit(at, property, s)
	if contract.KnownValues(s) != nil {
		return // its parts are not alternatives that a value is one of
	}
	above[s] = true
	defer delete(above, s)
	for name, p := range s.Properties {
		walkFrom(above, at+"."+name, name, p, visit)
	}
	for _, part := range slices.Concat(s.AllOf, s.OneOf, s.AnyOf, openapi3.SchemaRefs{s.Not}) {
		walkFrom(above, at, property, part, visit)
	}
	walkFrom(above, at+"[]", "", s.Items, visit)
	walkFrom(above, at+".*", "", s.AdditionalProperties.Schema, visit)
}

// objects yields every JSON object of the document with its JSON pointer. Examples are data, not
// contract, and left out.
func objects(doc *openapi3.T, report reportFunc) iter.Seq2[string, map[string]any] {
	return func(yield func(string, map[string]any) bool) {
		var root any
		data, err := doc.MarshalJSON()
		if err == nil {
			err = json.Unmarshal(data, &root)
		}
		if err != nil {
			report("document", "%v", err)
		}
		var visit func(at string, v any) bool
		visit = func(at string, v any) bool {
			switch v := v.(type) {
			case map[string]any:
				if !yield(at, v) {
					return false
				}
				for key, member := range v {
					if key != "example" && key != "examples" && !visit(at+"/"+key, member) {
						return false
					}
				}
			case []any:
				for i, item := range v {
					if !visit(fmt.Sprint(at, "/", i), item) {
						return false
					}
				}
			}
			return true
		}
		visit("", root)
	}
}

// texts reads a list of strings. It drops anything else, which the caller then reports as missing.
func texts(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, item := range list {
		if text, ok := item.(string); ok {
			out = append(out, text)
		}
	}
	return out
}
