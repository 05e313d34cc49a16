// Package metadata has a type for trusted_metadata, the JSON object that Stytch stores with a
// client. It keeps the raw JSON until a value is needed, so a search over many clients decodes only
// the metadata it uses, and large numbers keep every digit.
//
// # Writing
//
// As Stytch documents it, an update merges the object into the stored one at the top level: a null
// removes its key, keys that are left out stay, and a nested object is replaced as a whole. So this
// sets plan, removes old and keeps the rest:
//
//	change, err := metadata.From(map[string]any{"plan": "pro", "old": nil})
//
// # Limits
//
// Stytch documents at most 20 top-level keys and 4 KB for one client. The limits apply to the
// merged object, which only Stytch knows, so this package does not check them.
package metadata

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// Object is a JSON object as raw text. The zero value means that there is none, which is not the
// same as {}. Get an Object from [From] or by decoding JSON. If other bytes are converted to an
// Object, its methods return an error.
type Object []byte

// From encodes v, which must become a JSON object: a struct, a map, or raw JSON as
// [json.RawMessage] or Object. A plain []byte is a string to encoding/json, so it is refused like
// anything else that is no object. So are nil and nil maps; use map[string]any{} for {}.
func From(v any) (Object, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	return trim(buf.Bytes())
}

// Decode stores the object in dst, a pointer, as [json.Unmarshal] does, except that a number in an
// any becomes a [json.Number], which keeps every digit. An absent object does not change dst.
func (o Object) Decode(dst any) error {
	if o.IsZero() {
		return nil
	}
	data, err := trim(o)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(dst); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("metadata: more data after the JSON object")
	}
	return nil
}

// Map returns the object as a new map, with numbers as [json.Number], or nil if the object is
// absent.
func (o Object) Map() (map[string]any, error) {
	var m map[string]any
	if err := o.Decode(&m); err != nil {
		return nil, err
	}
	return m, nil
}

// IsZero reports whether the object is absent. It makes omitzero work in encoding/json.
func (o Object) IsZero() bool { return len(o) == 0 }

// String returns the JSON text, or "" if the object is absent.
func (o Object) String() string { return string(o) }

// Equal reports whether both have the same members, in any order and with any white space. Numbers
// are compared as written: 1 is not 1.0. An absent object equals only an absent one.
func (o Object) Equal(other Object) bool {
	if o.IsZero() || other.IsZero() {
		return o.IsZero() && other.IsZero()
	}
	a, errA := o.Map()
	b, errB := other.Map()
	if errA != nil || errB != nil {
		return bytes.Equal(o, other)
	}
	return reflect.DeepEqual(a, b)
}

// MarshalJSON returns the text unchanged, or null for an absent object.
func (o Object) MarshalJSON() ([]byte, error) {
	if o.IsZero() {
		return []byte("null"), nil
	}
	return trim(o)
}

// UnmarshalJSON stores a copy of data, which must be an object or null; null makes o absent. It
// checks only the first byte, because encoding/json passes valid JSON only, and a search calls this
// for each client.
func (o *Object) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*o = nil
		return nil
	}
	data, err := trim(data)
	if err != nil {
		return err
	}
	*o = bytes.Clone(data)
	return nil
}

// trim removes the white space around data, and refuses data that does not begin as an object. The
// error names the kind of value and never quotes the data.
func trim(data []byte) ([]byte, error) {
	data = bytes.Trim(data, " \t\r\n")
	if len(data) > 0 && data[0] == '{' {
		return data, nil
	}
	return nil, errors.New("metadata: must be a JSON object, got " + kind(data))
}

func kind(data []byte) string {
	if len(data) == 0 {
		return "nothing"
	}
	switch c := data[0]; {
	case c == '[':
		return "an array"
	case c == '"':
		return "a string"
	case c == 'n':
		return "null"
	case c == 't', c == 'f':
		return "a boolean"
	case c == '-', '0' <= c && c <= '9':
		return "a number"
	}
	return "no JSON"
}
