package contractdiff_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/contractdiff"
)

// wrap makes a document of one operation that sends and gets the schema A.
const (
	head = `{"openapi": "3.0.3", "paths": {"/a": {"post": {"operationId": "DoA", "x-safety": "idempotent",
		"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}},
		"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/B"}}}}}}}},
		"components": {"schemas": `
	tail = `}}`
)

func decode(t testing.TB, text string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return value
}

// The mutation test of tools/contractdiff has every kind of edit of the contract itself. These are
// the kinds that it cannot show.
func TestCompare(t *testing.T) {
	const plain = `{"A": {"type": "string"}, "B": {"type": "string"}}`
	for _, tt := range []struct {
		name, old, next string // the schemas
		want            string // kind, rule and path of each change
	}{
		{"nothing", plain, plain, ""},
		{"a request takes more", plain, `{"A": {"type": "string", "minLength": 0}, "B": {"type": "string"}}`, "documentation limit components schemas A minLength"},
		{"a request takes less", plain, `{"A": {"type": "string", "minLength": 1}, "B": {"type": "string"}}`, "break limit components schemas A minLength"},
		{"a response has less", plain, `{"A": {"type": "string"}, "B": {"type": "string", "minLength": 1}}`, "addition limit components schemas B minLength"},
		{"a pattern is exchanged", `{"A": {"pattern": "a"}, "B": {"pattern": "a"}}`, `{"A": {"pattern": "b"}, "B": {"pattern": "b"}}`,
			"break limit components schemas A pattern; break limit components schemas B pattern"},
		{"a bound excludes itself", `{"A": {"maximum": 1}, "B": {"maximum": 1}}`, `{"A": {"maximum": 1, "exclusiveMaximum": true}, "B": {"maximum": 1, "exclusiveMaximum": true}}`,
			"break limit components schemas A exclusiveMaximum; addition limit components schemas B exclusiveMaximum"},
		{"a bound that is no number", plain, `{"A": {"type": "string", "minLength": "1"}, "B": {"type": "string"}}`, "break unknown components schemas A minLength"},
		{"an enum grows", `{"A": {"enum": ["a"]}, "B": {"enum": ["a"]}}`, `{"A": {"enum": ["a", "b"]}, "B": {"enum": ["a", "b"]}}`,
			"addition enum components schemas A enum b; break enum components schemas B enum b"},
		{"nobody uses it", `{"A": {}, "B": {}, "C": {"maxLength": 2}}`, `{"A": {}, "B": {}, "C": {"maxLength": 3}}`, "break limit components schemas C maxLength"},
		{"it refers to itself", `{"A": {"properties": {"next": {"$ref": "#/components/schemas/A"}}}, "B": {}}`,
			`{"A": {"properties": {"next": {"$ref": "#/components/schemas/A"}}, "maxProperties": 1}, "B": {}}`, "break limit components schemas A maxProperties"},
		{"a reference to nothing", `{"A": {"items": {"$ref": "#/components/schemas/B"}}, "B": {}}`, `{"A": {"items": {"$ref": "elsewhere.yaml"}}, "B": {}}`,
			"break reference components schemas A items"},
		{"other fields get a type", `{"A": {"additionalProperties": true}, "B": {}}`, `{"A": {"additionalProperties": {"type": "string"}}, "B": {}}`,
			"break additional-properties components schemas A additionalProperties"},
		{"other fields get another type", `{"A": {}, "B": {"additionalProperties": {"type": "string"}}}`, `{"A": {}, "B": {"additionalProperties": {"type": "integer"}}}`,
			"break type components schemas B additionalProperties type"},
		{"oneOf in another way", `{"A": {"oneOf": [{"type": "string"}, {"type": "integer"}]}, "B": {}}`, `{"A": {"oneOf": [{"type": "string"}, {"type": "number"}]}, "B": {}}`,
			"break type components schemas A oneOf [1] type"},
		{"a property called description", `{"A": {}, "B": {"properties": {"description": {"type": "string"}}}}`, `{"A": {}, "B": {"properties": {"description": {"type": "integer"}}}}`,
			"break type components schemas B properties description type"},
		{"known values grow", `{"A": {}, "B": {"anyOf": [{"enum": ["a"]}, {"type": "string"}]}}`, `{"A": {}, "B": {"anyOf": [{"enum": ["a", "b"]}, {"type": "string"}]}}`,
			"addition known-values components schemas B known-values b"},
		{"named known values grow", `{"A": {}, "B": {"anyOf": [{"$ref": "#/components/schemas/C"}, {"type": "string"}]}, "C": {"enum": ["a"]}}`,
			`{"A": {}, "B": {"anyOf": [{"$ref": "#/components/schemas/C"}, {"type": "string"}]}, "C": {"enum": ["a", "b"]}}`, "addition enum components schemas C enum b"},
		{"named known values shrink", `{"A": {}, "B": {"anyOf": [{"$ref": "#/components/schemas/C"}, {"type": "string"}]}, "C": {"enum": ["a", "b"]}}`,
			`{"A": {}, "B": {"anyOf": [{"$ref": "#/components/schemas/C"}, {"type": "string"}]}, "C": {"enum": ["a"]}}`, "break enum components schemas C enum b"},
		{"known values in another form", `{"A": {}, "B": {"type": "string", "x-known-values": ["a"]}}`, `{"A": {}, "B": {"anyOf": [{"enum": ["a"]}, {"type": "string"}]}}`,
			"documentation known-values components schemas B known-values"},
		{"values become known", `{"A": {}, "B": {"type": "string"}}`, `{"A": {}, "B": {"anyOf": [{"enum": ["a"]}, {"type": "string"}]}}`,
			"addition known-values components schemas B known-values"},
		{"known values become all values", `{"A": {}, "B": {"anyOf": [{"enum": ["a"]}, {"type": "string"}]}}`, `{"A": {}, "B": {"type": "string", "enum": ["a"]}}`,
			"break composition components schemas B anyOf; break enum components schemas B enum; break type components schemas B type"},
		{"no object", plain, `{"A": 1, "B": {"type": "string"}}`, "break unknown components schemas A"},
		{"a schema that is null", plain, `{"A": {"type": "string"}, "B": {"type": "string"}, "C": null}`, "addition name components schemas C"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			changes := contractdiff.Compare(decode(t, head+tt.old+tail), decode(t, head+tt.next+tail))
			if got := summary(changes); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func summary(changes []contractdiff.Change) string {
	var lines []string
	for _, c := range changes {
		lines = append(lines, string(c.Kind)+" "+c.Rule+" "+c.Path)
	}
	return strings.Join(lines, "; ")
}

// A change names the operations that it concerns, over all references.
func TestOperations(t *testing.T) {
	old := decode(t, head+`{"A": {}, "B": {"items": {"$ref": "#/components/schemas/C"}}, "C": {}}`+tail)
	next := decode(t, head+`{"A": {}, "B": {"items": {"$ref": "#/components/schemas/C"}}, "C": {"type": "string"}}`+tail)
	changes := contractdiff.Compare(old, next)
	if len(changes) != 1 || !slices.Equal(changes[0].Operations, []string{"DoA"}) {
		t.Errorf("%+v", changes)
	}
}

// Decoders differ in their types of keys and numbers, and documents in nothing.
func TestDecoders(t *testing.T) {
	one := map[string]any{"paths": map[any]any{1: map[string]any{"a": []any{1, int64(2), uint64(3)}}}}
	other := map[string]any{"paths": map[string]any{"1": map[any]any{"a": []any{1.0, 2.0, 3.0}}}}
	if changes := contractdiff.Compare(one, other); len(changes) > 0 {
		t.Errorf("%+v", changes)
	}
}

// FuzzCompare holds two properties for any two documents: equal ones have no change, and others
// have at least one, which says where and why.
func FuzzCompare(f *testing.F) {
	seeds := []string{`{}`, `null`, `[]`, head + `{"A": {"required": ["a"], "properties": {"a": {"nullable": true}}}, "B": {"allOf": [{}]}}` + tail,
		head + `{"A": {"anyOf": [{"enum": ["a"]}, {"type": "string"}]}, "B": {"type": "string", "x-known-values": ["a"]}}` + tail,
		`{"paths": {"/a": {"parameters": [{"in": "path", "name": "a"}], "get": {"security": [], "responses": {"200": {"headers": {}, "x-error-types": ["a"]}}}}}}`,
		`{"servers": [{"url": "a"}], "security": [{"a": []}], "tags": [], "x-error-catalog": {"a": {"status": 1, "certainty": "assumed"}}}`}
	for _, old := range seeds {
		for _, next := range seeds {
			f.Add(old, next)
		}
	}
	f.Fuzz(func(t *testing.T, old, next string) {
		var before, after any
		if json.Unmarshal([]byte(old), &before) != nil || json.Unmarshal([]byte(next), &after) != nil {
			return
		}
		changes := contractdiff.Compare(before, after)
		if same := reflect.DeepEqual(before, after); same != (len(changes) == 0) {
			t.Errorf("the documents are equal: %t; changes: %+v", same, changes)
		}
		for _, c := range changes {
			if c.Why == "" || c.Rule == "" || c.Kind == "" {
				t.Errorf("says too little: %+v", c)
			}
		}
	})
}
