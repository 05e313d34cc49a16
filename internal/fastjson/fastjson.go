// Package fastjson decodes the answers of Stytch several times as fast as encoding/json, which it falls back to.
//
// It knows one shape well: objects and lists of plain fields, in the order of the struct, as Stytch sends and the generator
// writes them. Whatever else it meets (an escape it would have to think about, a key that occurs twice or in another case, a
// type it was not taught, anything that is not JSON) makes it hand the whole text to encoding/json, whose verdict is final. So
// the result is always that of encoding/json; only the time differs.
package fastjson

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// Unmarshal does what json.Unmarshal does. v must be a pointer to a zero value.
func Unmarshal(data []byte, v any) error {
	value := reflect.ValueOf(v)
	if value.Kind() == reflect.Pointer && !value.IsNil() {
		d := decoder{data: data}
		if d.value(value.Elem(), planOf(value.Type().Elem())) && d.end() {
			return nil
		}
		value.Elem().SetZero()
	}
	return json.Unmarshal(data, v)
}

// plan is how a type is decoded.
type plan struct {
	kind   reflect.Kind // Struct, Slice, Pointer, String, Bool, Int or Interface, which means a json.Unmarshaler; Invalid: not known
	elem   *plan        // of a slice or pointer
	fields []field      // of a struct
}

type field struct {
	name  string
	index int
	plan  *plan
}

var (
	plans       sync.Map // reflect.Type -> *plan
	unmarshaler = reflect.TypeFor[json.Unmarshaler]()
)

func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p := makePlan(t)
	plans.Store(t, p)
	return p
}

func makePlan(t reflect.Type) *plan {
	if reflect.PointerTo(t).Implements(unmarshaler) {
		return &plan{kind: reflect.Interface}
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool:
		return &plan{kind: t.Kind()}
	case reflect.Int32, reflect.Int64:
		return &plan{kind: reflect.Int}
	case reflect.Pointer, reflect.Slice:
		return &plan{kind: t.Kind(), elem: planOf(t.Elem())}
	case reflect.Struct:
		return structPlan(t)
	}
	return &plan{}
}

func structPlan(t reflect.Type) *plan {
	p := &plan{kind: reflect.Struct}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || !f.IsExported() || name == "" || name == "-" || strings.Contains(options, "string") || len(p.fields) == 64 {
			return &plan{}
		}
		p.fields = append(p.fields, field{name, i, planOf(f.Type)})
	}
	return p
}
