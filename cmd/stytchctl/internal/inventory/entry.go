package inventory

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch/secret"
)

// An Object is a client or an app: its fields in JSON.
type Object map[string]json.RawMessage

// Text is a field that is a text, or "".
func (o Object) Text(name string) (text string) {
	_ = json.Unmarshal(o[name], &text)
	return text
}

// Texts is a field that is a list of texts.
func (o Object) Texts(name string) (texts []string) {
	_ = json.Unmarshal(o[name], &texts)
	return texts
}

// Set sets a field to a value that encodes to JSON.
func (o Object) Set(name string, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		panic("inventory: a value without JSON: " + err.Error()) // only texts, lists and numbers
	}
	o[name] = text
}

// An Entry is what a client or an app should be. Fields that it does not have are left alone.
type Entry struct {
	Kind   *Kind
	ID     string // "" if it is known by its name alone
	Fields Object
	Secret secret.String // a chosen one; zero if a new one is to be made
	Line   int           // in its file
}

// Name is the desired name, or "" if the entry leaves it alone.
func (e Entry) Name() string { return e.Fields.Text(fieldName) }

// Public reports whether the entry is an app that has no secret.
func (e Entry) Public() bool { return strings.HasSuffix(e.Fields.Text(fieldType), "_public") }

// Label names the entry for people.
func (e Entry) Label() string {
	switch {
	case e.ID != "" && e.Name() != "":
		return fmt.Sprintf("%s %s (%s)", e.Kind.Noun, e.ID, e.Name())
	case e.ID != "":
		return e.Kind.Noun + " " + e.ID
	}
	return fmt.Sprintf("%s %q", e.Kind.Noun, e.Name())
}

// Parse makes an entry of an object. Fields that no one can set, such as the last four characters
// of the secret, are passed over if they are known, and refused if they are not.
func (k *Kind) Parse(object Object) (Entry, error) {
	e := Entry{Kind: k, Fields: Object{}}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value := object[name]
		switch {
		case name == "kind" || slices.Contains(k.other, name) || string(value) == "null":
		case name == fieldID:
			if err := json.Unmarshal(value, &e.ID); err != nil {
				return e, cli.Usagef("client_id: it must be a text")
			}
		case name == fieldSecret:
			return e, cli.Usagef("client_secret: a file of stytchctl holds no secret: remove it")
		case !slices.Contains(k.fields, name):
			known := append(k.Fields(), fieldID)
			return e, cli.Usagef("unknown field %q%s The fields are %s", name, cli.Nearest(name, known), strings.Join(known, ", "))
		default:
			if err := k.checkValue(name, value); err != nil {
				return e, err
			}
			e.Fields[name] = value
		}
	}
	return e, e.Check()
}

// Check refuses an entry that no request could carry out.
func (e Entry) Check() error {
	if e.ID != "" {
		if err := operation.CheckID(e.ID); err != nil {
			return cli.Usagef("client_id: it %w", err)
		}
	}
	if e.ID == "" && e.Name() == "" {
		return cli.Usagef("it has neither a client_id nor a client_name, by which it could be found")
	}
	return nil
}

// checkValue refuses a value of another type.
func (k *Kind) checkValue(name string, value json.RawMessage) error {
	want := k.valueType(name)
	if want == nil { // a field of creations alone
		want = reflect.TypeFor[string]()
	}
	into := reflect.New(want)
	err := json.Unmarshal(value, into.Interface())
	var other *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case want.Kind() == reflect.Slice && name != fieldMeta:
		return cli.Usagef("%s: it must be a list of texts", name)
	case name == fieldMeta:
		return cli.Usagef("%s: it must be a JSON object", name)
	case want.Kind() == reflect.String:
		return cli.Usagef("%s: it must be a text", name)
	case want.Kind() == reflect.Bool:
		return cli.Usagef("%s: it must be true or false", name)
	case errors.As(err, &other):
		return cli.Usagef("%s: it must be a whole number", name)
	}
	return cli.Usagef("%s: %w", name, err)
}
