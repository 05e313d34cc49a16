package credentials

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"slices"
	"unicode/utf8"
)

// errObject does not say where the fault is: the text holds secrets.
var errObject = errors.New("not one JSON object in UTF-8 without repeated names")

// Object is a JSON object whose members are replaced one by one. The other members keep their bytes
// and their order. The zero value is the empty object. Methods return a changed copy.
type Object struct{ members []member }

type member struct {
	name  string
	raw   []byte // the name as the text spells it, with its quotes
	value json.RawMessage
}

// Parse reads exactly one JSON object, which a byte order mark may precede. It refuses a name that
// occurs twice, escapes resolved, because two readers could take different values for it.
func Parse(text []byte) (Object, error) {
	text = bytes.TrimPrefix(text, []byte(bom))
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') || !utf8.Valid(text) {
		return Object{}, errObject
	}
	var o Object
	seen := map[string]bool{}
	for d.More() {
		before := d.InputOffset()
		token, err := d.Token()
		name, _ := token.(string) // always one: the decoder accepts no other names
		if err != nil || seen[name] {
			return Object{}, errObject
		}
		seen[name] = true
		raw := text[before:d.InputOffset()] // with the comma and spaces in front of it
		m := member{name: name, raw: raw[bytes.IndexByte(raw, '"'):]}
		if d.Decode(&m.value) != nil {
			return Object{}, errObject
		}
		o.members = append(o.members, m)
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return Object{}, errObject
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Object{}, errObject
	}
	return o, nil
}

// Bytes returns the text of o, without spaces between its members.
func (o Object) Bytes() []byte {
	b := []byte{'{'}
	for i, m := range o.members {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, m.raw...), ':'), m.value...)
	}
	return append(b, '}')
}

// Members yields the names and values of o in their order.
func (o Object) Members() iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		for _, m := range o.members {
			if !yield(m.name, m.value) {
				return
			}
		}
	}
}

func (o Object) index(name string) int {
	return slices.IndexFunc(o.members, func(m member) bool { return m.name == name })
}

// set gives a member another value. name must need no escapes.
func (o Object) set(name string, value json.RawMessage) Object {
	members := slices.Clone(o.members)
	if i := o.index(name); i >= 0 {
		members[i].value = value
	} else {
		members = append(members, member{name, []byte(`"` + name + `"`), value})
	}
	return Object{members}
}

func (o Object) remove(name string) Object {
	i := o.index(name)
	if i < 0 {
		return o
	}
	return Object{slices.Delete(slices.Clone(o.members), i, i+1)}
}
