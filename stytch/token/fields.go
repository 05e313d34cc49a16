package token

import (
	"strconv"

	"github.com/stytchkit/m2m/internal/strictjson"
)

// fields are the members of a JSON object, by their exact names.
type fields map[string]strictjson.Value

// parseObject reads data as one object. Its error never quotes data.
func parseObject(data []byte) (fields, error) {
	members, err := strictjson.Members(data, nil)
	if err != nil {
		return nil, err
	}
	f := make(fields, len(members))
	for _, m := range members {
		f[string(m.Name)] = m.Value
	}
	return f, nil
}

// has reports whether the field is present and not null.
func (f fields) has(name string) bool {
	v, ok := f[name]
	return ok && v.Kind != strictjson.Null
}

// text reads a string. It is "" if the field is absent or null. ok is false for any other value.
func (f fields) text(name string) (s string, ok bool) {
	if !f.has(name) {
		return "", true
	}
	b, ok := f[name].Text()
	if !ok {
		return "", false
	}
	return string(b), true
}

// number reads a number, which may have a fraction. ok is false for any other value, or for none.
func (f fields) number(name string) (n float64, ok bool) {
	v := f[name]
	if v.Kind != strictjson.Number {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(v.Raw), 64) // out of range is infinite, and an error
	return n, err == nil
}
