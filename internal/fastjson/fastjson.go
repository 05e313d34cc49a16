// Package fastjson decodes the responses of Stytch several times as fast as encoding/json, and
// falls back to it.
//
// It is fast for objects and lists of plain fields in the order of the struct, which is how Stytch
// sends them. For anything else (a key with escapes, a key that occurs twice or in another case, an
// unknown type, text that is not JSON) it passes the whole text to encoding/json. So the result is
// always that of encoding/json; only the time differs.
package fastjson

import (
	"encoding/json"
	"reflect"
)

// Unmarshal does the same as json.Unmarshal. v must be a pointer to a zero value.
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
