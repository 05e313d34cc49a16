// Package clients has the commands for M2M clients and for Connected Apps, which are the same but
// for their fields.
package clients

import (
	"context"
	"encoding/json"
	"iter"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
	"github.com/stytchkit/m2m/stytch"
)

// commands are the commands for one kind: T is a client or an app, C the same with its secret.
type commands[T, C any] struct {
	app     *cli.App
	kind    *inventory.Kind
	fields  []field
	columns []cli.Column[T]
	example string // flags of a creation

	created    func(T, shown) C
	search     func(*stytch.Client, context.Context, search) iter.Seq2[T, error]
	page       func(*stytch.Client, context.Context, search) (*stytch.Page[T], error)
	get        func(*stytch.Client, context.Context, string) (*T, error)
	appendJSON func([]byte, *T) ([]byte, error) // nil leaves it to encoding/json
}

// search is what a list selects, and where it begins.
type search struct {
	filter stytch.M2MFilter
	cursor string
	limit  int // of a page
}

// project opens the project.
func (c *commands[T, C]) project(ctx context.Context) (*stytch.Client, inventory.Project, error) {
	api, err := c.app.API(ctx)
	if err != nil {
		return nil, inventory.Project{}, err
	}
	return api, inventory.In(api), nil
}

// fill replaces the words for the kind in a help text.
func (c *commands[T, C]) fill(text string) string {
	title := map[*inventory.Kind]string{inventory.Clients: "M2M client", inventory.Apps: "Connected App"}[c.kind]
	id := map[*inventory.Kind]string{
		inventory.Clients: "m2m-client-test-8f1c2e6a-6d1b-4a55-9a3c-2f60d4c0b1aa", inventory.Apps: "connected-app-test-8f1c2e6a-6d1b-4a55-9a3c-2f60d4c0b1aa",
	}[c.kind]
	return strings.NewReplacer("{GROUP}", c.kind.Group, "{NOUN}", c.kind.Noun, "{TITLE}", title, "{FLAGS}", c.example, "{ID}", id).Replace(text)
}

// model turns fields into a client or an app.
func model[T any](fields inventory.Object) (item T, err error) {
	text, err := json.Marshal(fields)
	if err == nil {
		err = json.Unmarshal(text, &item)
	}
	return item, err
}
