// Package metadata keeps trusted_metadata, the JSON object that Stytch stores
// with a client, as the bytes that came until somebody asks for a value. A
// search over many clients pays only for the metadata it looks at, and a number
// that float64 cannot hold reaches its reader unchanged.
//
// # Writing
//
// Stytch documents how an update treats the object it is sent: it is merged
// into the stored one at the top level. A key set to null is removed, a key
// that is not named stays, and a nested object is replaced as a whole, not
// merged. So this sets plan, removes old and leaves the rest:
//
//	change, err := metadata.From(map[string]any{"plan": "pro", "old": nil})
//
// # Limits
//
// Stytch documents at most 20 top-level keys and 4 KB for one client. They
// apply to the merged result, which only Stytch knows, so nothing is checked
// here.
package metadata

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// Object is one JSON object as raw text. The zero value is absent, which is
// not the same as {}. Get an Object from [From] or by decoding JSON; one made
// by converting arbitrary bytes is refused when it is used.
type Object []byte

// From encodes v, which must give a JSON object: a struct, a map, or JSON at
// hand as [json.RawMessage] or Object (a plain []byte is a string to
// encoding/json). Anything else is an error that says what it gave, nil and
// nil maps included; write map[string]any{} for {}.
func From(v any) (Object, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	return trim(buf.Bytes())
}

// Decode stores the object in dst, a pointer, as [json.Unmarshal] does, except
// that a number bound for an any becomes a [json.Number], which keeps every
// digit. An absent object leaves dst as it is.
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

// Map returns the object as a new map, with numbers as [json.Number]. It is
// nil if the object is absent.
func (o Object) Map() (map[string]any, error) {
	var m map[string]any
	if err := o.Decode(&m); err != nil {
		return nil, err
	}
	return m, nil
}

// IsZero reports whether the object is absent. encoding/json's omitzero uses it.
func (o Object) IsZero() bool { return len(o) == 0 }

// String returns the JSON text, "" if the object is absent.
func (o Object) String() string { return string(o) }

// Equal reports whether both hold the same members, whatever the order of keys
// and the white space. Numbers are compared as they are written: 1 is not 1.0.
// An absent object equals only an absent one.
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

// MarshalJSON returns the text as it is, and null for an absent object.
func (o Object) MarshalJSON() ([]byte, error) {
	if o.IsZero() {
		return []byte("null"), nil
	}
	return trim(o)
}

// UnmarshalJSON keeps a copy of data, which must be an object or null; null
// makes o absent. Only the first byte is looked at, because encoding/json
// hands over nothing but valid JSON and a search calls this for each client.
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

// trim cuts the white space around data and refuses what does not begin as an
// object. The error names the kind of value, never the data.
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
