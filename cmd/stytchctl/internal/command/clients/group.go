package clients

import (
	"context"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
	"github.com/stytchkit/m2m/stytch"
)

const longClients = `Create, read, change and delete the M2M clients of the project, export and import
them, and keep them as a file describes them.`

const longApps = `Create, read, change and delete the Connected Apps of the project, export and import
them, and keep them as a file describes them.`

// New are the commands for M2M clients.
func New(app *cli.App) *cobra.Command {
	return group("clients", "Manage M2M clients", longClients, &commands[stytch.M2MClient, createdClient]{
		app: app, kind: inventory.Clients, fields: clientFields, columns: clientColumns,
		example: `--name billing --scope write:invoices`,
		created: func(client stytch.M2MClient, s shown) createdClient { return createdClient{client, s} },
		search: func(api *stytch.Client, ctx context.Context, s search) iter.Seq2[stytch.M2MClient, error] {
			return api.M2M.Search(ctx, stytch.M2MSearch{Filter: s.filter, Cursor: s.cursor, Limit: s.limit, Prefetch: true})
		},
		page: func(api *stytch.Client, ctx context.Context, s search) (*stytch.Page[stytch.M2MClient], error) {
			return api.M2M.SearchPage(ctx, stytch.M2MSearch{Filter: s.filter, Cursor: s.cursor, Limit: s.limit})
		},
		get: func(api *stytch.Client, ctx context.Context, id string) (*stytch.M2MClient, error) {
			return api.M2M.Get(ctx, id)
		},
		appendJSON: appendClient,
	})
}

// NewApps are the commands for Connected Apps.
func NewApps(app *cli.App) *cobra.Command {
	return group("apps", "Manage Connected Apps", longApps, &commands[stytch.ConnectedApp, createdApp]{
		app: app, kind: inventory.Apps, fields: appFields, columns: appColumns,
		example: `--type third_party --name portal --redirect-url https://portal.example.com/callback`,
		created: func(a stytch.ConnectedApp, s shown) createdApp { return createdApp{a, s} },
		search: func(api *stytch.Client, ctx context.Context, s search) iter.Seq2[stytch.ConnectedApp, error] {
			return api.ConnectedApps.Search(ctx, stytch.ConnectedAppSearch{Cursor: s.cursor, Limit: s.limit, Prefetch: true})
		},
		page: func(api *stytch.Client, ctx context.Context, s search) (*stytch.Page[stytch.ConnectedApp], error) {
			return api.ConnectedApps.SearchPage(ctx, stytch.ConnectedAppSearch{Cursor: s.cursor, Limit: s.limit})
		},
		get: func(api *stytch.Client, ctx context.Context, id string) (*stytch.ConnectedApp, error) {
			return api.ConnectedApps.Get(ctx, id)
		},
	})
}

func group[T, C any](use, short, long string, c *commands[T, C]) *cobra.Command {
	return cli.Group(use, short, long, c.newCreate(), c.newList(), c.newGet(), c.newUpdate(), c.newDelete(), c.newExport(), c.newImport(),
		c.newPlan(), c.newApply())
}

var clientColumns = []cli.Column[stytch.M2MClient]{
	{Field: "client_id", Title: "CLIENT ID", Text: func(c stytch.M2MClient) string { return c.ClientID }},
	{Field: "client_name", Title: "NAME", Text: func(c stytch.M2MClient) string { return c.ClientName }},
	{Field: "scopes", Title: "SCOPES", Text: func(c stytch.M2MClient) string { return strings.Join(c.Scopes, ",") }},
	{Field: "status", Title: "STATUS", Text: func(c stytch.M2MClient) string { return string(c.Status) }},
}

var appColumns = []cli.Column[stytch.ConnectedApp]{
	{Field: "client_id", Title: "CLIENT ID", Text: func(a stytch.ConnectedApp) string { return a.ClientID }},
	{Field: "client_name", Title: "NAME", Text: func(a stytch.ConnectedApp) string { return a.ClientName }},
	{Field: "client_type", Title: "TYPE", Text: func(a stytch.ConnectedApp) string { return string(a.ClientType) }},
	{Field: "redirect_urls", Title: "REDIRECT URLS", Text: func(a stytch.ConnectedApp) string { return strings.Join(a.RedirectURLs, ",") }},
}
