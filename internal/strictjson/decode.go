package strictjson

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// Decode is [json.Unmarshal] of a text that [Valid] accepts, with names compared exactly.
// encoding/json takes Tenant for tenant if it sees no tenant after it, so that two readers of one
// text may see two values. Here a member without a field of exactly its name is ignored, at every
// level. dst must not point to an interface that holds a pointer.
func Decode(text []byte, dst any) error {
	v, err := Read(text)
	if err != nil {
		return err
	}
	if t := reflect.TypeOf(dst); t != nil {
		text = appendExact(nil, v, t)
	}
	return json.Unmarshal(text, dst)
}

// appendExact appends v without the members that have no field in t.
func appendExact(out []byte, v Value, t reflect.Type) []byte {
	for t.Kind() == reflect.Pointer && !decodesItself(t) {
		t = t.Elem()
	}
	switch kind := t.Kind(); {
	case decodesItself(t):
	case v.Kind == Object && (kind == reflect.Struct || kind == reflect.Map):
		return appendMembers(out, v, t)
	case v.Kind == Array && (kind == reflect.Slice || kind == reflect.Array):
		elements, _ := Elements(v.Raw, nil) // v was read before
		out = append(out, '[')
		for i, element := range elements {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendExact(out, element, t.Elem())
		}
		return append(out, ']')
	}
	return append(out, v.source()...)
}

func appendMembers(out []byte, v Value, t reflect.Type) []byte {
	members, _ := Members(v.Raw, nil)
	out = append(out, '{')
	start := len(out)
	for _, m := range members {
		of, known := fieldsOf(t).of(string(m.Name))
		if !known {
			continue
		}
		if len(out) > start {
			out = append(out, ',')
		}
		out = append(out, m.Source[:len(m.Source)-len(m.source())]...) // the name and the colon as they are
		out = appendExact(out, m.Value, of)
	}
	return append(out, '}')
}

// source is the value as it stands in the text.
func (v Value) source() []byte {
	if v.Kind == String {
		return append(append([]byte{'"'}, v.Raw...), '"')
	}
	return v.Raw
}

// fields are the types of the fields of a struct by their names in JSON, or the type of the
// elements of a map.
type fields struct {
	named map[string]reflect.Type
	every reflect.Type // nil for a struct
}

func (f *fields) of(name string) (t reflect.Type, known bool) {
	if f.every != nil {
		return f.every, true
	}
	t, known = f.named[name]
	return t, known
}

var known sync.Map // reflect.Type -> *fields

func fieldsOf(t reflect.Type) *fields {
	if f, ok := known.Load(t); ok {
		return f.(*fields)
	}
	f := &fields{named: map[string]reflect.Type{}}
	if t.Kind() == reflect.Map {
		f.every = t.Elem()
	} else {
		f.add(t, map[reflect.Type]bool{})
	}
	known.Store(t, f)
	return f
}

// add adds the fields of a struct, and then those of its embedded structs that have another name.
func (f *fields) add(t reflect.Type, seen map[reflect.Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	var embedded []reflect.Type
	for i := range t.NumField() {
		field := t.Field(i)
		tag := field.Tag.Get("json")
		name, _, _ := strings.Cut(tag, ",")
		of := field.Type
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		switch {
		case tag == "-":
		case field.Anonymous && name == "" && of.Kind() == reflect.Struct:
			embedded = append(embedded, of)
		case field.IsExported():
			f.name(name, field.Type)
			if strings.Trim(name, letters) != "" || name == "" { // encoding/json may not take the tag for a name
				f.name(field.Name, field.Type)
			}
		}
	}
	for _, of := range embedded {
		f.add(of, seen)
	}
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:"

func (f *fields) name(name string, t reflect.Type) {
	if _, taken := f.named[name]; !taken && name != "" {
		f.named[name] = t
	}
}

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// decodesItself reports whether encoding/json leaves a value of the type to the type itself.
func decodesItself(t reflect.Type) bool {
	for _, of := range []reflect.Type{jsonUnmarshaler, textUnmarshaler} {
		if t.Implements(of) || t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(of) {
			return true
		}
	}
	return false
}
