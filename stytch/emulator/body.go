package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stytchkit/m2m/gen/server"
)

// parse reads the JSON body of an operation that has one; what other operations are sent is ignored, because real
// clients send {} with DELETE and a Content-Type with GET.
func (c *call) parse(request any) error {
	model, ok := reflect.TypeOf(request).FieldByName("Body")
	if !ok {
		return nil
	}
	if f := c.readable(); f != nil {
		return f
	}
	p := c.emulator.project
	c.fields = map[string]json.RawMessage{}
	if len(c.body) == 0 && p.mayBeEmpty(model.Type) {
		return nil
	}
	if p.strict && !isJSON(c.r.Header) {
		return because("bad_request", "The Content-Type must be application/json.")
	}
	fields, ok := parseObject(c.body)
	if !ok {
		return because("bad_request", "The request body must be one JSON object.")
	}
	c.fields = fields
	if p.strict {
		return refuseUnknown(fields, fieldNames(model.Type.Elem()))
	}
	return nil
}

// readable reports what went wrong while the body was read.
func (c *call) readable() *failure {
	var tooLarge *http.MaxBytesError
	if errors.As(c.bodyErr, &tooLarge) {
		f := because("bad_request", "The request body is too large.")
		f.status = http.StatusRequestEntityTooLarge
		return f
	}
	if c.bodyErr != nil {
		return because("bad_request", "The request body could not be read.")
	}
	return nil
}

func (p *project) mayBeEmpty(model reflect.Type) bool {
	switch model {
	case reflect.TypeFor[*server.SecretRotationRequest]():
		return true
	case reflect.TypeFor[*server.SearchM2MClientsRequest](), reflect.TypeFor[*server.SearchConnectedAppsRequest]():
		return p.behavior.EmptySearchBody == Allow
	}
	return false
}

func isJSON(h http.Header) bool {
	mediaType, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && mediaType == "application/json"
}

// parseObject takes one JSON object apart. Of a repeated key the last value counts.
func parseObject(data []byte) (map[string]json.RawMessage, bool) {
	var fields map[string]json.RawMessage
	if !utf8.Valid(data) || loneSurrogate(data) || json.Unmarshal(data, &fields) != nil {
		return nil, false
	}
	return fields, fields != nil // null is no object
}

// loneSurrogate reports whether JSON text holds half of a surrogate pair, which no Go string can keep.
func loneSurrogate(data []byte) bool {
	for {
		start := bytes.IndexByte(data, '\\')
		if start < 0 || start+1 >= len(data) {
			return false
		}
		data = data[start:]
		unit, ok := escapedUnit(data)
		switch {
		case !ok:
			data = data[2:]
		case unit&0xF800 != 0xD800:
			data = data[6:]
		default:
			low, ok := escapedUnit(data[6:])
			if unit >= 0xDC00 || !ok || low&0xFC00 != 0xDC00 {
				return true
			}
			data = data[12:]
		}
	}
}

func escapedUnit(data []byte) (uint64, bool) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	return unit, err == nil
}

// fieldNames lists the JSON names of a generated model.
func fieldNames(model reflect.Type) map[string]bool {
	names := map[string]bool{"client_id": true} // repeated by real clients wherever the path has it
	for i := range model.NumField() {
		name, _, _ := strings.Cut(model.Field(i).Tag.Get("json"), ",")
		names[name] = true
	}
	return names
}

func refuseUnknown(fields map[string]json.RawMessage, known map[string]bool) error {
	for name := range fields {
		if !known[name] {
			return because("bad_request", "The request body has a field that is not known.")
		}
	}
	return nil
}

// An input reads the fields of a body and keeps the first complaint, so that an operation reads everything first and
// looks at err once.
type input struct {
	fields map[string]json.RawMessage
	null   Choice // what null means: Clear, Ignore or Refuse
	err    error
}

func (c *call) input(null Choice) *input { return &input{fields: c.fields, null: null} }

// get reads one field. A field is given if the operation has to act on it; it is given as nil to be cleared.
func get[T any](in *input, name string) (value *T, given bool) {
	raw, ok := in.fields[name]
	if !ok {
		return nil, false
	}
	if isNull(raw) {
		if in.null == Refuse {
			in.refuse(because("bad_request", "The field "+name+" must not be null."))
		}
		return nil, in.null == Clear
	}
	value = new(T)
	if json.Unmarshal(raw, value) != nil {
		in.refuse(because("bad_request", "The field "+name+" has the wrong type."))
		return nil, false
	}
	return value, true
}

// texts reads a list of strings, which is never nil when it is given.
func (in *input) texts(name string) (values []string, given bool) {
	items, given := get[[]*string](in, name) // pointers, because null would pass for ""
	values = []string{}
	if !given || items == nil {
		return values, given
	}
	for _, item := range *items {
		if item == nil {
			in.refuse(because("bad_request", "The field "+name+" must be a list of strings."))
			return values, false
		}
		values = append(values, *item)
	}
	return values, true
}

func (in *input) refuse(err error) {
	if in.err == nil {
		in.err = err
	}
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// orZero returns what p points to, or the zero value for nil.
func orZero[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
