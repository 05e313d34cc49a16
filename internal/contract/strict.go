package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// drift lists where a valid response goes beyond the contract.
func drift(response *openapi3.Response, status int, data []byte) []string {
	media := response.Content.Get("application/json")
	if media == nil && len(response.Content) > 0 {
		return []string{"the contract has no application/json for this response: the client reads nothing else, so declare it in api/openapi.yaml"}
	}
	var value any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if media == nil || dec.Decode(&value) != nil {
		return nil
	}
	found := strays(media.Schema, value, nil)
	object, _ := value.(map[string]any)
	if code := object["status_code"]; code != nil && fmt.Sprint(code) != fmt.Sprint(status) {
		found = append(found, "body /status_code is not the status of the response")
	}
	if types, ok := response.Extensions["x-error-types"].([]any); ok {
		for _, name := range []string{"error_type", "error"} {
			if kind, ok := object[name]; ok && !slices.Contains(types, kind) {
				found = append(found, "body /"+name+" is none of the error types of this response")
			}
		}
	}
	return found
}

// strays lists unknown fields, and values that are none of the known values.
func strays(ref *openapi3.SchemaRef, value any, path []string) (found []string) {
	complain := func(what string) { found = append(found, "body "+pointer(path)+what) }
	if known := KnownValues(ref.Value); known != nil && !slices.Contains(known, value) {
		complain("is none of the known values")
	}
	switch value := value.(type) {
	case []any:
		for i, item := range value {
			if ref.Value.Items != nil {
				found = append(found, strays(ref.Value.Items, item, append(path[:len(path):len(path)], fmt.Sprint(i)))...)
			}
		}
	case map[string]any:
		fields, open := members(ref)
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if fields[name] == nil && !open {
				complain(unknownField(name))
			}
			if further := ref.Value.AdditionalProperties.Schema; fields[name] == nil && further != nil {
				found = append(found, strays(further, value[name], append(path[:len(path):len(path)], name))...)
			}
			for _, field := range fields[name] {
				found = append(found, strays(field, value[name], append(path[:len(path):len(path)], name))...)
			}
		}
	}
	return found
}

// members returns the fields of an object, each with the schemas of all parts of an allOf that
// declare it. An object is open if its schema allows additional properties or declares no fields.
func members(ref *openapi3.SchemaRef) (fields map[string][]*openapi3.SchemaRef, open bool) {
	fields = map[string][]*openapi3.SchemaRef{}
	seen := map[*openapi3.Schema]bool{}
	var collect func(s *openapi3.Schema)
	collect = func(s *openapi3.Schema) {
		if seen[s] {
			return
		}
		seen[s] = true
		extra := s.AdditionalProperties
		open = open || extra.Schema != nil || extra.Has != nil && *extra.Has
		for name, field := range s.Properties {
			fields[name] = append(fields[name], field)
		}
		for _, part := range slices.Concat(s.AllOf, s.OneOf, s.AnyOf) {
			collect(part.Value)
		}
	}
	collect(ref.Value)
	return fields, open || len(fields) == 0
}
