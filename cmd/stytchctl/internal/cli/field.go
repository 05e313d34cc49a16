package cli

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// choose are the columns of --fields, in their order. A field without a column of its own shows its JSON.
func choose[T any](columns []Column[T], fields []string) ([]Column[T], error) {
	known := jsonNames(reflect.TypeFor[T]())
	for _, column := range columns {
		known = append(known, column.Field)
	}
	slices.Sort(known)
	known = slices.Compact(known)
	var chosen []Column[T]
	for _, field := range fields {
		i := slices.IndexFunc(columns, func(c Column[T]) bool { return c.Field == field })
		if i >= 0 {
			chosen = append(chosen, columns[i])
			continue
		}
		first, _, _ := strings.Cut(field, ".")
		if len(known) > 0 && !slices.Contains(known, first) {
			return nil, Usagef("--fields: there is no field %q%s The fields are %s.", field, Nearest(field, known), strings.Join(known, ", "))
		}
		chosen = append(chosen, Column[T]{Field: field, Title: strings.ToUpper(strings.ReplaceAll(field, "_", " "))})
	}
	return chosen, nil
}

// jsonNames are the names of the fields of a struct in JSON.
func jsonNames(t reflect.Type) (names []string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.IsExported() && name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

func needsObject[T any](columns []Column[T]) bool {
	return slices.ContainsFunc(columns, func(c Column[T]) bool { return c.Text == nil })
}

// decode turns a record into maps and lists, with numbers as they are written.
func decode(record any) (any, error) {
	text, err := marshal(record)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var value any
	err = decoder.Decode(&value)
	return value, err
}

// lookup finds a field by its path: trusted_metadata.team.
func lookup(value any, path string) any {
	for part := range strings.SplitSeq(path, ".") {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[part]
	}
	return value
}

// restrict keeps the fields of an object, by the paths that --fields named.
func restrict(value any, fields []string) any {
	kept := map[string]any{}
	for _, field := range fields {
		kept[field] = lookup(value, field)
	}
	return kept
}

// scalar is a value as a cell shows it.
func scalar(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any:
		texts := make([]string, len(v))
		for i, item := range v {
			texts[i] = scalar(item)
		}
		return strings.Join(texts, ",")
	case map[string]any:
		text, _ := marshal(v) // decoded from JSON
		return string(text)
	default:
		return fmt.Sprint(v)
	}
}
