package reference

import (
	"slices"
	"strings"
)

// A Field is a property of an object, a parameter or a header.
type Field struct {
	Name        string
	Type        string // string, integer, list of string, …; with "or null"
	Required    bool
	Certainty   Certainty
	Description string
	Rules       []string // limits, defaults and known values, in words
	Fields      []Field  // of an object, or of the items of a list
}

func certainty(n node) Certainty {
	if mark := n.text("x-certainty"); mark != "" {
		return Certainty(mark)
	}
	return Documented
}

// fields are the properties of an object schema, those of its allOf parts included.
func (d *document) fields(schema node) (all []Field) {
	schema = d.resolve(schema)
	for _, part := range schema.get("allOf").items() {
		for _, f := range d.fields(part) {
			if at := slices.IndexFunc(all, func(known Field) bool { return known.Name == f.Name }); at >= 0 {
				all[at] = f // the later part says more
				continue
			}
			all = append(all, f)
		}
	}
	required := schema.get("required").texts()
	for name, property := range schema.get("properties").entries() {
		all = append(all, d.field(name, property, slices.Contains(required, name)))
	}
	for i := range all {
		all[i].Required = all[i].Required || slices.Contains(required, all[i].Name)
	}
	return all
}

func (d *document) field(name string, schema node, required bool) Field {
	s := d.resolve(schema)
	f := Field{Name: name, Type: d.typeOf(s), Required: required, Certainty: certainty(s), Description: s.text("description"), Rules: d.rules(s)}
	inner := s
	if s.text("type") == "array" {
		inner = d.resolve(s.get("items"))
		f.Rules = append(f.Rules, d.rules(inner)...)
	}
	f.Fields = d.fields(inner)
	return f
}

func (d *document) typeOf(s node) string {
	text := s.text("type")
	switch {
	case text == "array":
		text = "list of " + d.typeOf(d.resolve(s.get("items")))
	case text == "" && (s.get("allOf").present() || s.get("properties").present()):
		text = "object"
	case len(d.knownValues(s)) > 0:
		text = "string"
	case s.text("format") == "password":
		text = "secret " + text
	}
	if s.text("nullable") == "true" {
		text += " or null"
	}
	return text
}

// limits are the keywords whose values are shown, and what stands before the value.
var limits = []struct{ key, words string }{
	{"minimum", "at least "}, {"maximum", "at most "},
	{"minLength", "characters: at least "}, {"maxLength", "characters: at most "}, {"pattern", "matches "},
	{"x-max-bytes", "bytes: at most "}, {"x-max-keys", "keys: at most "},
	{"default", "default: "},
}

// rules are what a value must keep to, in words.
func (d *document) rules(s node) (all []string) {
	if values := s.get("enum").texts(); len(values) > 0 {
		all = append(all, "one of: "+strings.Join(values, ", "))
	}
	if values := d.knownValues(s); len(values) > 0 {
		all = append(all, "known values: "+strings.Join(values, ", "))
	}
	for _, limit := range limits {
		if value := s.text(limit.key); value != "" {
			all = append(all, limit.words+value)
		}
	}
	return all
}

// knownValues are the values of a field that may get others: an anyOf of an enum and any string.
func (d *document) knownValues(s node) []string {
	parts := s.get("anyOf").items()
	if len(parts) != 2 || parts[1].text("type") != "string" {
		return nil
	}
	return d.resolve(parts[0]).get("enum").texts()
}
