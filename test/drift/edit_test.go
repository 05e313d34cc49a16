package drift

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A tree is a YAML mapping of the contract, or of a part of it.
type tree = map[string]any

// An edit changes one place of the contract. It finds places by their names, so that it does not
// depend on how the file is written.
type edit struct {
	name  string
	apply func(t *testing.T, contract tree)
}

// part is the mapping below the keys.
func part(t *testing.T, contract tree, keys ...string) tree {
	t.Helper()
	for i, key := range keys {
		next, ok := contract[key].(tree)
		if !ok {
			t.Fatalf("api/openapi.yaml has no %s: choose another place for the edit", strings.Join(keys[:i+1], " "))
		}
		contract = next
	}
	return contract
}

func parse(t *testing.T, text string) (v any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// described gives a schema the description that the lint wants.
func described(v any) any {
	if schema, ok := v.(tree); ok && schema["$ref"] == nil && schema["description"] == nil {
		schema["description"] = "For a test."
	}
	return v
}

// field adds a property to a schema.
func field(schema, property, text string) edit {
	return edit{schema + "." + property + ": " + text, func(t *testing.T, contract tree) {
		part(t, contract, "components", "schemas", schema, "properties")[property] = described(parse(t, text))
	}}
}

// requiredField adds a property that must be present.
func requiredField(schema, property, text string) edit {
	return edit{"required " + schema + "." + property + ": " + text, func(t *testing.T, contract tree) {
		field(schema, property, text).apply(t, contract)
		s := part(t, contract, "components", "schemas", schema)
		list, _ := s["required"].([]any)
		s["required"] = append(slices.Clone(list), property)
	}}
}

// schema adds a schema, and a field of M2MClient that uses it.
func schema(name, text string) edit {
	return edit{"schema " + name + ": " + text, func(t *testing.T, contract tree) {
		part(t, contract, "components", "schemas")[name] = described(parse(t, text))
		use := "use_" + strings.Map(func(r rune) rune {
			if strings.ContainsRune(".- ", r) {
				return '_'
			}
			return r
		}, strings.ToLower(name))
		part(t, contract, "components", "schemas", "M2MClient", "properties")[use] = tree{"$ref": "#/components/schemas/" + name}
	}}
}

const clientPath = "/v1/m2m/clients/{client_id}"

// operation adds a copy of GetM2MClient below its path, changed by what text has, at method.
func operation(id, method, text string) edit {
	return edit{"operation " + id + ": " + text, func(t *testing.T, contract tree) {
		op := clone(part(t, contract, "paths", clientPath, "get"))
		op["operationId"] = id
		merge(op, parse(t, text).(tree))
		item := tree{"parameters": part(t, contract, "paths", clientPath)["parameters"], method: op}
		part(t, contract, "paths")[clientPath+"/"+strings.ToLower(id)] = item
	}}
}

func clone(t tree) tree {
	out := tree{}
	for key, value := range t {
		if below, ok := value.(tree); ok {
			value = clone(below)
		}
		out[key] = value
	}
	return out
}

// merge puts what change has over a tree. Null removes a key.
func merge(into, change tree) {
	for key, value := range change {
		below, isTree := value.(tree)
		above, hasTree := into[key].(tree)
		switch {
		case value == nil:
			delete(into, key)
		case isTree && hasTree:
			merge(above, below)
		default:
			into[key] = value
		}
	}
}

// edited is the contract with edits.
func edited(t *testing.T, root string, edits ...edit) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "api", "openapi.yaml"))
	must(t, err)
	contract := parse(t, string(text)).(tree)
	for _, e := range edits {
		e.apply(t, contract)
	}
	out, err := yaml.Marshal(contract)
	must(t, err)
	return string(out)
}
