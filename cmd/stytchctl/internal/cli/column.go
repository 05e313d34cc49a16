package cli

import (
	"reflect"
	"slices"
	"strings"
)

// A Column is one field of a record as people see it.
type Column[T any] struct {
	Field string         // its name in JSON, which --fields takes
	Title string         // the head of its column
	Text  func(T) string // nil shows the value of the field
}

// choose are the columns of --fields, in their order. A field without a column of its own shows its
// JSON.
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

// CheckFields refuses names in --fields that a record does not have. A command that changes
// something calls it first, because the result could not be printed.
func CheckFields[T any](a *App, columns ...Column[T]) error {
	if _, err := choose(columns, a.Flags.Fields); err != nil {
		return Errorf("", "%w Nothing was done.", err)
	}
	return nil
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
