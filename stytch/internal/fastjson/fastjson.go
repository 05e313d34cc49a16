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
	"unicode/utf8"
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

// decoder reads data from i on. Its methods report whether all was plain; after false, nothing counts.
type decoder struct {
	data []byte
	i    int
}

func (d *decoder) value(v reflect.Value, p *plan) bool {
	d.space()
	if p.kind != reflect.Interface && d.literal("null") {
		return true // leaves the zero value, which is what null means for every kind here
	}
	switch p.kind {
	case reflect.Struct:
		return d.object(v, p)
	case reflect.Slice:
		return d.list(v, p.elem)
	case reflect.Pointer:
		target := reflect.New(v.Type().Elem())
		v.Set(target)
		return d.value(target.Elem(), p.elem)
	case reflect.String:
		text, ok := d.text()
		v.SetString(text)
		return ok
	case reflect.Bool:
		if d.literal("true") {
			v.SetBool(true)
			return true
		}
		return d.literal("false")
	case reflect.Int:
		n, ok := d.integer()
		v.SetInt(n)
		return ok
	case reflect.Interface:
		raw, ok := d.raw()
		return ok && v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(raw) == nil
	}
	return false
}

func (d *decoder) object(v reflect.Value, p *plan) bool {
	if !d.byte('{') {
		return false
	}
	d.space()
	if d.byte('}') {
		return true
	}
	var seen uint64
	for next := 0; ; next++ {
		d.space()
		key, ok := d.plainString()
		if d.space(); !ok || !d.byte(':') {
			return false
		}
		if next >= len(p.fields) || string(key) != p.fields[next].name {
			if next, ok = find(p.fields, key); !ok {
				return false
			}
		}
		switch {
		case next < 0: // a field that this version does not know
			if _, ok := d.raw(); !ok {
				return false
			}
		case seen&(1<<next) != 0 || !d.value(v.Field(p.fields[next].index), p.fields[next].plan):
			return false
		default:
			seen |= 1 << next
		}
		if d.space(); !d.byte(',') {
			return d.byte('}')
		}
	}
}

// find looks for a field by name, -1 if there is none. A name that differs in case only is not plain.
func find(fields []field, key []byte) (i int, ok bool) {
	for i := range fields {
		if string(key) == fields[i].name {
			return i, true
		}
	}
	for i := range fields {
		if strings.EqualFold(string(key), fields[i].name) {
			return 0, false
		}
	}
	return -1, true
}

// maxFirstGrow bounds what the length of the first item makes a list reserve.
const maxFirstGrow = 1000

func (d *decoder) list(v reflect.Value, elem *plan) bool {
	if !d.byte('[') {
		return false
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	d.space()
	if d.byte(']') {
		return true
	}
	for n := 0; ; n++ {
		if n == v.Cap() {
			v.Grow(max(1, n))
		}
		v.SetLen(n + 1)
		start := d.i
		if !d.value(v.Index(n), elem) {
			return false
		}
		if n == 0 && elem.kind == reflect.Struct {
			v.Grow(min(maxFirstGrow, len(d.data[d.i:])/(d.i-start)))
		}
		if d.space(); !d.byte(',') {
			return d.byte(']')
		}
	}
}

func (d *decoder) text() (string, bool) {
	start := d.i
	if text, ok := d.plainString(); ok {
		return string(text), true
	}
	d.i = start
	raw, ok := d.raw()
	if !ok || raw[0] != '"' {
		return "", false
	}
	var text string
	return text, json.Unmarshal(raw, &text) == nil
}

// plainString reads a string without escapes, in valid UTF-8.
func (d *decoder) plainString() ([]byte, bool) {
	if !d.byte('"') {
		return nil, false
	}
	start, ascii := d.i, true
	for ; d.i < len(d.data); d.i++ {
		switch c := d.data[d.i]; {
		case c == '"':
			text := d.data[start:d.i]
			d.i++
			return text, ascii || utf8.Valid(text)
		case c == '\\' || c < ' ':
			return nil, false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, false
}

// integer reads what fits an int32 and is written plainly.
func (d *decoder) integer() (n int64, ok bool) {
	negative := d.byte('-')
	start := d.i
	for d.i < len(d.data) && '0' <= d.data[d.i] && d.data[d.i] <= '9' {
		n = n*10 + int64(d.data[d.i]-'0')
		if d.i++; d.i-start > 9 {
			return 0, false
		}
	}
	if d.i == start || d.data[start] == '0' && d.i-start > 1 || d.i < len(d.data) && strings.IndexByte(".eE", d.data[d.i]) >= 0 {
		return 0, false
	}
	if negative {
		n = -n
	}
	return n, true
}

// raw reads any value and makes sure that it is JSON.
func (d *decoder) raw() ([]byte, bool) {
	d.space()
	start, depth := d.i, 0
	for ; d.i < len(d.data); d.i++ {
		switch d.data[d.i] {
		case '"':
			d.i++
			for d.i < len(d.data) && d.data[d.i] != '"' {
				if d.data[d.i] == '\\' {
					d.i++
				}
				d.i++
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		case ' ', '\t', '\r', '\n', ',', ':':
			continue
		default: // a number or a word
			for d.i+1 < len(d.data) && !strings.ContainsRune(" \t\r\n,:]}[{\"", rune(d.data[d.i+1])) {
				d.i++
			}
		}
		if depth <= 0 {
			d.i = min(d.i+1, len(d.data))
			return d.data[start:d.i], json.Valid(d.data[start:d.i])
		}
	}
	return nil, false
}

func (d *decoder) byte(c byte) bool {
	if d.i < len(d.data) && d.data[d.i] == c {
		d.i++
		return true
	}
	return false
}

func (d *decoder) literal(word string) bool {
	if len(d.data)-d.i >= len(word) && string(d.data[d.i:d.i+len(word)]) == word {
		d.i += len(word)
		return true
	}
	return false
}

func (d *decoder) space() {
	for d.i < len(d.data) && (d.data[d.i] == ' ' || d.data[d.i] == '\n' || d.data[d.i] == '\r' || d.data[d.i] == '\t') {
		d.i++
	}
}

func (d *decoder) end() bool {
	d.space()
	return d.i == len(d.data)
}
