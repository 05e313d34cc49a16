// Package inventory describes M2M clients and Connected Apps as files and flags name them: fields
// by their names in the API, each set or left alone. It reads files, compares them with what a
// project has, and makes the project have them.
//
// The fields come from the models of the SDK, so a field that is added to the contract is known
// here.
package inventory

import (
	"reflect"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/stytch"
)

// A Kind is one of the two kinds of identities.
type Kind struct {
	Name  string // in files
	Noun  string // for people
	Group string // the commands for it

	fields  []string // that an entry can set, sorted
	only    []string // of these, those that only a creation sets
	late    []string // of these, those that only an update sets
	other   []string // fields of an existing one that cannot be set
	backend func(*stytch.Client) backend
	update  reflect.Type
}

// The kinds.
var (
	Clients = newKind[stytch.M2MCreate, stytch.M2MUpdate, stytch.M2MClient](
		Kind{Name: "m2m_client", Noun: "client", Group: "clients", backend: func(c *stytch.Client) backend { return m2mBackend{c.M2M} }})
	Apps = newKind[stytch.ConnectedAppCreate, stytch.ConnectedAppUpdate, stytch.ConnectedApp](
		Kind{Name: "connected_app", Noun: "app", Group: "apps", backend: func(c *stytch.Client) backend { return appBackend{c.ConnectedApps} }})
)

// Kinds are both kinds.
var Kinds = []*Kind{Clients, Apps}

const (
	fieldID     = "client_id"
	fieldSecret = "client_secret"
	fieldName   = "client_name"
	fieldMeta   = "trusted_metadata"
	fieldType   = "client_type"
	fieldStatus = "status"
	fieldScopes = "scopes"
)

func newKind[Create, Update, Existing any](k Kind) *Kind {
	created, updated := names[Create](), names[Update]()
	created = slices.DeleteFunc(created, func(name string) bool { return name == fieldID || name == fieldSecret })
	k.fields = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(created), updated...))))
	for _, name := range k.fields {
		if !slices.Contains(updated, name) {
			k.only = append(k.only, name)
		}
		if !slices.Contains(created, name) {
			k.late = append(k.late, name)
		}
	}
	for _, name := range names[Existing]() {
		if name != fieldID && !slices.Contains(k.fields, name) {
			k.other = append(k.other, name)
		}
	}
	k.update = reflect.TypeFor[Update]()
	return &k
}

// names are the fields of a struct in JSON.
func names[T any]() (all []string) {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		all = append(all, name)
	}
	return all
}

// Fields are the names that an entry can set.
func (k *Kind) Fields() []string { return slices.Clone(k.fields) }

// Emptyable are the fields that an update can empty.
func (k *Kind) Emptyable() (fields []string) {
	for _, name := range k.fields {
		if _, ok := k.Empty(name); ok {
			fields = append(fields, name)
		}
	}
	return fields
}

// Empty is the JSON of an empty value of a field. Texts, lists and metadata have one.
func (k *Kind) Empty(name string) (string, bool) {
	if slices.Contains(k.only, name) || name == fieldStatus {
		return "", false
	}
	switch value := k.valueType(name); {
	case name == fieldMeta:
		return "{}", true
	case value == nil:
		return "", false
	case value.Kind() == reflect.String:
		return `""`, true
	case value.Kind() == reflect.Slice:
		return "[]", true
	}
	return "", false
}

// valueType is the type of a field in an update, without what makes it nullable.
func (k *Kind) valueType(name string) reflect.Type {
	for _, field := range reflect.VisibleFields(k.update) {
		if tag, _, _ := strings.Cut(field.Tag.Get("json"), ","); tag == name {
			return field.Type.Elem()
		}
	}
	return nil
}
