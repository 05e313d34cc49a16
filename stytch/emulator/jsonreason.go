package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"unicode/utf8"
)

// jsonFault says why data is not one JSON object, without showing any of it.
func jsonFault(data []byte) string {
	var value json.RawMessage
	var syntax *json.SyntaxError
	err := json.Unmarshal(data, &value)
	switch {
	case len(data) == 0:
		return "is empty: it must be a JSON object"
	case !utf8.Valid(data):
		return "is not valid UTF-8"
	case errors.As(err, &syntax):
		return fmt.Sprintf("is not valid JSON: byte %d of %d cannot stand there", syntax.Offset, len(data))
	case loneSurrogate(data):
		return "has an escape with half of a surrogate pair"
	}
	return "must be a JSON object, and it is " + jsonKind(value)
}

// jsonKind names the type of a JSON value.
func jsonKind(raw json.RawMessage) string {
	if len(raw) == 0 {
		return "nothing"
	}
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// wantedKind names the JSON type that a field of Go type t is read from.
func wantedKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int32:
		return "a whole number of 32 bits"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Pointer {
			return "a list of strings"
		}
		return "a list"
	}
	return "of another type"
}
