// Package dump prints values as the most curious debugging tools do: everything that reflection
// reaches, unexported fields and atomic pointers too, without calling a method. Tests use it to
// show that a value, with all that its connections have buffered, reveals no secret.
package dump

import (
	"reflect"
	"strings"
	"unsafe"
)

// Text returns the strings and bytes that are reachable from v. It looks into everything but
// functions and channels, as debugging tools do.
func Text(v any) string {
	d := dumper{seen: map[visit]bool{}}
	d.value(reflect.ValueOf(v))
	return d.text.String()
}

type visit struct {
	pointer unsafe.Pointer
	of      reflect.Type
}

type dumper struct {
	text strings.Builder
	seen map[visit]bool
}

// enter reports whether a pointer is met for the first time.
func (d *dumper) enter(pointer unsafe.Pointer, of reflect.Type) bool {
	v := visit{pointer, of}
	first := pointer != nil && !d.seen[v]
	d.seen[v] = true
	return first
}

func (d *dumper) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if d.enter(v.UnsafePointer(), v.Type()) {
			d.value(v.Elem())
		}
	case reflect.Interface:
		d.value(v.Elem())
	case reflect.Struct:
		d.fields(v)
	case reflect.Slice:
		if d.enter(v.UnsafePointer(), v.Type()) || v.Type().Elem().Kind() == reflect.Uint8 {
			d.elements(v)
		}
	case reflect.Array:
		d.elements(v)
	case reflect.Map:
		if !d.enter(v.UnsafePointer(), v.Type()) {
			return
		}
		for entry := v.MapRange(); entry.Next(); {
			d.value(entry.Key())
			d.value(entry.Value())
		}
	case reflect.String:
		d.text.WriteString(v.String() + "\n")
	}
}

func (d *dumper) fields(v reflect.Value) {
	if target, ok := atomicTarget(v); ok {
		d.value(target)
		return
	}
	for i := range v.NumField() {
		d.value(v.Field(i))
	}
}

// atomicTarget is the pointer in a [sync/atomic.Pointer], which reflection alone does not follow.
// Its first field has no size and says what it points to.
func atomicTarget(v reflect.Value) (reflect.Value, bool) {
	t := v.Type()
	if t.PkgPath() != "sync/atomic" || !strings.HasPrefix(t.Name(), "Pointer[") {
		return reflect.Value{}, false
	}
	return reflect.NewAt(t.Field(0).Type.Elem().Elem(), v.FieldByName("v").UnsafePointer()), true
}

// elements prints bytes as one text.
func (d *dumper) elements(v reflect.Value) {
	if v.Type().Elem().Kind() != reflect.Uint8 {
		for i := range v.Len() {
			d.value(v.Index(i))
		}
		return
	}
	for i := range v.Len() {
		d.text.WriteByte(byte(v.Index(i).Uint()))
	}
	d.text.WriteByte('\n')
}
