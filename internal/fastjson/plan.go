package fastjson

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// plan is how a type is decoded.
type plan struct {
	kind   reflect.Kind // Struct, Slice, Pointer, String, Bool, Int or Interface, which means a json.Unmarshaler; Invalid: unknown
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
