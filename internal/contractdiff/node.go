package contractdiff

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// missing stands for a member that an object does not have. A member that is null is nil.
type missing struct{}

var absent any = missing{}

// normalize makes documents comparable, as decoders differ: keys are strings, numbers float64.
func normalize(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, member := range v {
			out[key] = normalize(member)
		}
		return out
	case map[any]any:
		out := make(map[string]any, len(v))
		for key, member := range v {
			out[fmt.Sprint(key)] = normalize(member)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = normalize(item)
		}
		return out
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case uint64:
		return float64(v)
	}
	return value
}

func equal(a, b any) bool { return reflect.DeepEqual(a, b) }

func contains(items []any, item any) bool {
	return slices.ContainsFunc(items, func(other any) bool { return equal(item, other) })
}

func member(object any, key string) any {
	if m, ok := object.(map[string]any); ok {
		if value, ok := m[key]; ok {
			return value
		}
	}
	return absent
}

// text is a member that is a string, or "".
func text(object any, key string) string {
	s, _ := member(object, key).(string)
	return s
}

// list is a list, where an absent one is empty.
func list(value any) ([]any, bool) {
	if value == absent {
		return nil, true
	}
	items, ok := value.([]any)
	return items, ok
}

func unionKeys(a, b map[string]any) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

// short is a value as a line shows it: of an object, the names of its members, of a list of objects
// how many there are.
func short(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case map[string]any:
		if ref := text(v, "$ref"); ref != "" {
			return ref
		}
		return "{" + strings.Join(slices.Sorted(maps.Keys(v)), ", ") + "}"
	case []any:
		isObject := func(item any) bool { _, ok := item.(map[string]any); return ok }
		if slices.ContainsFunc(v, isObject) {
			return fmt.Sprintf("[%d items]", len(v))
		}
	}
	out, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(out)
}

// site is a place in the document, and who meets it there.
type site struct {
	path       []string
	request    bool // callers send what is here
	response   bool // callers get what is here
	operations []string
}

func (s site) child(name string) site {
	s.path = append(slices.Clip(s.path), name)
	return s
}

func (s site) String() string { return strings.Join(s.path, " ") }

// document finds its way in an OpenAPI document.
type document struct{ root any }

// resolve follows a reference within the document. It returns what is no reference as it is, and
// absent for a reference that leads nowhere.
func (d document) resolve(value any) any {
	for range 16 { // a longer chain is a circle
		ref := text(value, "$ref")
		if ref == "" {
			return value
		}
		value = d.at(ref)
	}
	return absent
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~") // RFC 6901

// at is what a local reference such as #/components/schemas/M2MClient points at.
func (d document) at(ref string) any {
	pointer, local := strings.CutPrefix(ref, "#/")
	if !local {
		return absent
	}
	value := d.root
	for _, key := range strings.Split(pointer, "/") {
		value = member(value, unescape.Replace(key))
	}
	return value
}

// known are the values of a schema that lists some and allows others: anyOf an enum and any string,
// or a string with x-known-values.
func (d document) known(schema any) (values any, ok bool) {
	if values := member(schema, "x-known-values"); values != absent {
		return values, true
	}
	parts, _ := member(schema, "anyOf").([]any)
	if len(parts) != 2 || !equal(parts[1], map[string]any{"type": "string"}) {
		return absent, false
	}
	values = member(d.resolve(parts[0]), "enum")
	return values, values != absent
}
