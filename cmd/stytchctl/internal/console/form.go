package console

import (
	"html/template"
	"net/url"
)

// A form is what was entered, and what is wrong with it.
type form struct {
	Values  url.Values
	Problem string // of the form as a whole
	errors  map[string]string
}

// newForm has default values, as name and value in turn.
func newForm(defaults ...string) form {
	f := form{Values: url.Values{}}
	for i := 0; i+1 < len(defaults); i += 2 {
		f.Values.Set(defaults[i], defaults[i+1])
	}
	return f
}

// fail puts an error beside a field. The name "" stands for the whole form.
func (f *form) fail(name, text string) {
	if name == "" {
		f.Problem = text
		return
	}
	if f.errors == nil {
		f.errors = map[string]string{}
	}
	f.errors[name] = text
}

// Failed reports whether something is wrong.
func (f form) Failed() bool { return f.Problem != "" || len(f.errors) > 0 }

// Value is what was entered into a field.
func (f form) Value(name string) string { return f.Values.Get(name) }

// Is reports whether a choice was made.
func (f form) Is(name, value string) bool {
	for _, v := range f.Values[name] {
		if v == value {
			return true
		}
	}
	return false
}

// Error is what is wrong with a field.
func (f form) Error(name string) string { return f.errors[name] }

// Marks are the attributes of an input that say whether it is wrong, and which texts describe it.
func (f form) Marks(name string) template.HTMLAttr {
	if f.errors[name] != "" {
		return template.HTMLAttr(`aria-invalid="true" aria-describedby="` + template.HTMLEscapeString(name) + `-error ` + template.HTMLEscapeString(name) + `-hint"`) //nolint:gosec // escaped
	}
	return template.HTMLAttr(`aria-describedby="` + template.HTMLEscapeString(name) + `-hint"`) //nolint:gosec // escaped
}
