package fastjson

import (
	"encoding/json"
	"reflect"
	"strings"
)

// decoder decodes what its lexer reads. Its methods report whether everything was plain; after
// false, the result is void.
type decoder struct{ lexer }

func (d *decoder) value(v reflect.Value, p *plan) bool {
	d.space()
	if p.kind != reflect.Interface && d.literal("null") {
		return true // null leaves the zero value for every kind here
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
		case next < 0: // a field that the struct does not have
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

// find finds a field by name; -1 means that there is none. ok is false for a name that differs in
// case only.
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

// maxFirstGrow bounds how many items a list reserves after its first item, whose length estimates
// their number.
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
