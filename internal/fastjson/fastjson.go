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
)

// Unmarshal does what json.Unmarshal does. v must be a pointer to a zero value.
func Unmarshal(data []byte, v any) error {
	value := reflect.ValueOf(v)
	if value.Kind() == reflect.Pointer && !value.IsNil() {
		d := decoder{lexer{data: data}}
		if d.value(value.Elem(), planOf(value.Type().Elem())) && d.end() {
			return nil
		}
		value.Elem().SetZero()
	}
	return json.Unmarshal(data, v)
}
