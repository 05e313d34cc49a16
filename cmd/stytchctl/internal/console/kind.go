package console

import (
	"context"
	"net/url"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

// A client is an M2M client or a Connected App, as its pages show it.
type client struct {
	ID, Name, Description, Status string
	Scopes                        []string // of an M2M client
	Metadata                      string   // of an M2M client, as JSON
	Type                          string   // of a Connected App
	App                           *stytch.ConnectedApp
	Current, Next                 string // the last four characters of its secrets
	Confidential                  bool   // it has a secret
}

// Rotating reports whether both of its secrets are accepted.
func (c client) Rotating() bool { return c.Next != "" }

// A kind is what M2M clients and Connected Apps differ in.
type kind struct {
	path, section   string
	one, many, lead string
	filter          string // what the filter finds
	scopes          bool

	page    func(context.Context, *stytch.Client, listQuery) (listPage, error)
	get     func(context.Context, *stytch.Client, string) (client, error)
	remove  func(context.Context, *stytch.Client, string) error
	secrets func(*stytch.Client) *stytch.Secrets
	blank   func() form
	filled  func(client) form
	create  func(context.Context, *stytch.Client, *form) (id string, once secret.String, err error)
	update  func(context.Context, *stytch.Client, client, *form) error
}

// Path, One, Many, Lead, Filter and HasScopes are for the templates.
func (k *kind) Path() string    { return Root + k.path }
func (k *kind) One() string     { return k.one }
func (k *kind) Many() string    { return k.many }
func (k *kind) Lead() string    { return k.lead }
func (k *kind) Filter() string  { return k.filter }
func (k *kind) HasScopes() bool { return k.scopes }

// Link is the page of one client.
func (k *kind) Link(id string) string { return Root + k.path + "/" + url.PathEscape(id) }

// A listPage is one page of a list.
type listPage struct {
	Clients []client
	Next    string // cursor of the next page; "" on the last one
	Total   int    // -1 where it is not known
	Looked  int    // how many were looked at, where the console filters by itself
}
