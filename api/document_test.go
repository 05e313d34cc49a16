package api_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
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

// A document finds parts of the contract by name, so that a mutation is one line. It ends the test
// if there is no such part.
type document struct {
	*openapi3.T
	t testing.TB
}

func loadDocument(t testing.TB) document { return document{load(t), t} }

// named is v, or the end of the test if the contract does not have it.
func named[V any](d document, v *V, what string, name ...any) *V {
	d.t.Helper()
	if v == nil {
		d.t.Fatalf("api/openapi.yaml has no "+what+": if it was renamed or removed, change the test that names it", name...)
	}
	return v
}

func (d document) op(id string) *openapi3.Operation {
	d.t.Helper()
	for _, op := range operations(d.T) {
		if op.OperationID == id {
			return op
		}
	}
	return named[openapi3.Operation](d, nil, "operation %s", id)
}

func (d document) path(path string) *openapi3.PathItem {
	d.t.Helper()
	return named(d, d.Paths.Value(path), "path %s", path)
}

func (d document) response(id, status string) *openapi3.Response {
	d.t.Helper()
	return named(d, d.op(id).Responses.Value(status), "response %[2]s of %[1]s", id, status).Value
}

func (d document) request(id string) *openapi3.MediaType {
	d.t.Helper()
	body := named(d, d.op(id).RequestBody, "request body of %s", id).Value
	return named(d, body.Content["application/json"], "JSON request body of %s", id)
}

func (d document) responseBody(id, status string) *openapi3.MediaType {
	d.t.Helper()
	return named(d, d.response(id, status).Content["application/json"], "JSON body of response %[2]s of %[1]s", id, status)
}

func (d document) requestExample(id, name string) map[string]any {
	d.t.Helper()
	return named(d, d.request(id).Examples[name], "example %[2]s of the request of %[1]s", id, name).Value.Value.(map[string]any)
}

func (d document) responseExample(id, status string) map[string]any {
	d.t.Helper()
	example, _ := d.responseBody(id, status).Example.(map[string]any)
	if example == nil {
		named[any](d, nil, "example of response %[2]s of %[1]s", id, status)
	}
	return example
}

func (d document) schema(name string) *openapi3.Schema {
	d.t.Helper()
	return named(d, d.Components.Schemas[name], "schema %s", name).Value
}

// property is one of the schema itself, or of the parts of its allOf that are no references.
func (d document) property(schema, name string) *openapi3.Schema {
	d.t.Helper()
	s := d.schema(schema)
	found := s.Properties[name]
	for _, part := range s.AllOf {
		if found == nil && part.Ref == "" {
			found = part.Value.Properties[name]
		}
	}
	return named(d, found, "property %s.%s", schema, name).Value
}

func (d document) catalogEntry(name string) map[string]any {
	d.t.Helper()
	entry, _ := d.Extensions["x-error-catalog"].(map[string]any)[name].(map[string]any)
	if entry == nil {
		named[any](d, nil, "entry %s of x-error-catalog", name)
	}
	return entry
}

// A part that was renamed ends a test with its name, and does not make it panic.
func TestDocumentNamesWhatIsMissing(t *testing.T) {
	for want, find := range map[string]func(d document){
		"operation NoSuch":                     func(d document) { d.op("NoSuch") },
		"path /no/such":                        func(d document) { d.path("/no/such") },
		"response 299 of GetJWKS":              func(d document) { d.response("GetJWKS", "299") },
		"request body of GetJWKS":              func(d document) { d.request("GetJWKS") },
		"example no such of the request of":    func(d document) { d.requestExample("CreateM2MClient", "no such") },
		"schema NoSuch":                        func(d document) { d.schema("NoSuch") },
		"property M2MClient.no_such":           func(d document) { d.property("M2MClient", "no_such") },
		"property ConnectedApp.no_such":        func(d document) { d.property("ConnectedApp", "no_such") },
		"entry no_such of x-error-catalog":     func(d document) { d.catalogEntry("no_such") },
		"JSON body of response 200 of GetJWKS": func(d document) { clear(d.response("GetJWKS", "200").Content); d.responseBody("GetJWKS", "200") },
		"example of response 200 of GetM2MClient": func(d document) {
			d.responseBody("GetM2MClient", "200").Example = nil
			d.responseExample("GetM2MClient", "200")
		},
	} {
		fake := &fakeTB{TB: t}
		done := make(chan any)
		go func() {
			defer func() { done <- recover() }()
			find(document{load(t), fake})
		}()
		if panicked := <-done; panicked != nil || !strings.Contains(fake.fatal, "api/openapi.yaml has no "+want) {
			t.Errorf("%s: %q, panic %v", want, fake.fatal, panicked)
		}
	}
}

// fakeTB keeps what would end a test.
type fakeTB struct {
	testing.TB
	fatal string
}

func (f *fakeTB) Fatalf(format string, args ...any) {
	f.fatal = fmt.Sprintf(format, args...)
	runtime.Goexit()
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
