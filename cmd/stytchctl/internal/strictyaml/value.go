package strictyaml

import (
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

// value decodes a node into a Go value.
func (r *reader) value(n *yaml.Node, into reflect.Value, path string, depth int) error {
	n, err := r.enter(n, path, depth)
	if err != nil || n.Tag == "!!null" {
		return err
	}
	if into.Kind() == reflect.Pointer {
		into.Set(reflect.New(into.Type().Elem()))
		into = into.Elem()
	}
	if decoder, ok := into.Addr().Interface().(json.Unmarshaler); ok {
		return r.unmarshal(n, decoder, path, depth)
	}
	switch into.Kind() {
	case reflect.Struct:
		return r.structure(n, into, path, depth)
	case reflect.Slice:
		return r.list(n, into, path, depth)
	case reflect.Map, reflect.Interface:
		value, err := r.plain(n, path, depth)
		if err != nil {
			return err
		}
		if into.Kind() == reflect.Map && n.Kind != yaml.MappingNode {
			return r.fail(n, path, "it must be a mapping, and is %s", kind(n))
		}
		into.Set(reflect.ValueOf(value))
		return nil
	default:
		return r.scalar(n, into, path)
	}
}

func (r *reader) structure(n *yaml.Node, into reflect.Value, path string, depth int) error {
	if n.Kind != yaml.MappingNode {
		return r.fail(n, path, "it must be a mapping, and is %s", kind(n))
	}
	fields := map[string]reflect.Value{}
	var known []string
	for _, field := range reflect.VisibleFields(into.Type()) {
		if field.Type == reflect.TypeFor[Line]() {
			into.FieldByIndex(field.Index).SetInt(int64(n.Line))
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "" && name != "-" && field.IsExported() {
			fields[name] = into.FieldByIndex(field.Index)
			known = append(known, name)
		}
	}
	return r.pairs(n, path, func(key, value *yaml.Node, inner string) error {
		field, ok := fields[key.Value]
		if !ok {
			return r.fail(key, path, "unknown key %q%s The keys are %s.", key.Value, cli.Nearest(key.Value, known), strings.Join(known, ", "))
		}
		return r.value(value, field, inner, depth+1)
	})
}

// pairs calls f for each key of a mapping.
func (r *reader) pairs(n *yaml.Node, path string, f func(key, value *yaml.Node, inner string) error) error {
	seen := map[string]int{}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			return r.fail(key, path, "a key must be a text")
		}
		if line, ok := seen[key.Value]; ok {
			return r.fail(key, path, "the key %q is in line %d already", key.Value, line)
		}
		seen[key.Value] = key.Line
		inner := key.Value
		if path != "" {
			inner = path + "." + key.Value
		}
		if err := f(key, n.Content[i+1], inner); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) list(n *yaml.Node, into reflect.Value, path string, depth int) error {
	if n.Kind != yaml.SequenceNode {
		return r.fail(n, path, "it must be a list, and is %s", kind(n))
	}
	list := reflect.MakeSlice(into.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		inner := path + "[" + strconv.Itoa(i) + "]"
		if item.Tag == "!!null" {
			return r.fail(item, inner, "it is empty: remove it, or give it a value")
		}
		if err := r.value(item, list.Index(i), inner, depth+1); err != nil {
			return err
		}
	}
	into.Set(list)
	return nil
}

func (r *reader) scalar(n *yaml.Node, into reflect.Value, path string) error {
	wanted, tag := "a text", "!!str"
	switch into.Kind() {
	case reflect.Bool:
		wanted, tag = "true or false", "!!bool"
	case reflect.Int, reflect.Int32, reflect.Int64:
		wanted, tag = "a whole number", "!!int"
	}
	if n.Kind != yaml.ScalarNode || n.Tag != tag {
		hint := ""
		if n.Kind == yaml.ScalarNode && tag == "!!str" {
			hint = ": put it in quotes"
		}
		return r.fail(n, path, "it must be %s, and is %s%s", wanted, kind(n), hint)
	}
	switch into.Kind() {
	case reflect.Bool:
		into.SetBool(strings.EqualFold(n.Value, "true"))
	case reflect.String:
		into.SetString(n.Value)
	default:
		number, err := strconv.ParseInt(n.Value, 10, into.Type().Bits())
		if err != nil {
			return r.fail(n, path, "it must be a whole number, written in decimal")
		}
		into.SetInt(number)
	}
	return nil
}

// unmarshal gives a value to its UnmarshalJSON. The value itself stays out of the error: it may be
// a secret.
func (r *reader) unmarshal(n *yaml.Node, decoder json.Unmarshaler, path string, depth int) error {
	value, err := r.plain(n, path, depth)
	if err != nil {
		return err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return r.fail(n, path, "it is %s, which has no spelling in JSON", kind(n))
	}
	err = decoder.UnmarshalJSON(text)
	var other *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &other):
		return r.fail(n, path, "it must be %s, and is %s", typeName(other.Type), kind(n))
	}
	return r.fail(n, path, "%w", err)
}

// typeName is what a type is called in an error.
func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a mapping"
	}
	return "a whole number"
}

// plain is a node as encoding/json would decode it with UseNumber.
func (r *reader) plain(n *yaml.Node, path string, depth int) (any, error) {
	n, err := r.enter(n, path, depth)
	if err != nil {
		return nil, err
	}
	switch n.Kind {
	case yaml.MappingNode:
		object := map[string]any{}
		err := r.pairs(n, path, func(key, value *yaml.Node, inner string) (err error) {
			object[key.Value], err = r.plain(value, inner, depth+1)
			return err
		})
		return object, err
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			if list[i], err = r.plain(item, path+"["+strconv.Itoa(i)+"]", depth+1); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	switch n.Tag {
	case "!!null":
		return nil, nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true"), nil
	case "!!int", "!!float":
		if !json.Valid([]byte(n.Value)) {
			return nil, r.fail(n, path, "the number must be written as in JSON")
		}
		return json.Number(n.Value), nil
	case "!!str", "!!timestamp":
		return n.Value, nil
	}
	return nil, r.fail(n, path, "it must be a text, a number, true or false, a list or a mapping")
}
