package deliver

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"unicode/utf8"
)

// errObject does not say what is wrong where: the text holds secrets.
var errObject = errors.New("it is not one JSON object without repeated names")

// object is a JSON object that is changed member by member: the others stay what they were, byte for byte and in their order.
type object []member

type member struct {
	name   string
	source []byte // name as it stood in the text, with its quotes
	value  json.RawMessage
}

func parseObject(data []byte) (object, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil || open != json.Delim('{') || !utf8.Valid(data) {
		return nil, errObject
	}
	o := object{}
	seen := map[string]bool{}
	for d.More() {
		before := d.InputOffset()
		token, err := d.Token()
		name, ok := token.(string)
		if err != nil || !ok || seen[name] {
			return nil, errObject
		}
		seen[name] = true
		source := data[before:d.InputOffset()] // with the comma and spaces in front of it
		m := member{name: name, source: source[bytes.IndexByte(source, '"'):]}
		if d.Decode(&m.value) != nil {
			return nil, errObject
		}
		o = append(o, m)
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return nil, errObject
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errObject
	}
	return o, nil
}

func (o object) index(name string) int {
	return slices.IndexFunc(o, func(m member) bool { return m.name == name })
}

// text is a member that is a string; "" also if it is absent or null.
func (o object) text(name string) (text string, ok bool) {
	i := o.index(name)
	if i < 0 || string(o[i].value) == "null" {
		return "", true
	}
	return text, json.Unmarshal(o[i].value, &text) == nil
}

// with is a copy of o in which a member has another value. Without a value it has no such member.
func (o object) with(name string, value json.RawMessage) object {
	i := o.index(name)
	switch {
	case value == nil && i < 0:
		return o
	case value == nil:
		return slices.Delete(slices.Clone(o), i, i+1)
	case i < 0:
		return append(slices.Clip(o), member{name, []byte(`"` + name + `"`), value}) // our names need no escapes
	}
	o = slices.Clone(o)
	o[i].value = value
	return o
}

func (o object) bytes() []byte {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, m.source...), ':'), m.value...)
	}
	return append(b, '}')
}
