// Package api has the command that sends any request of the contract.
package api

import (
	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/destination"
)

const long = `Sends a request of the contract (stytchctl contract show) with the project's credentials
and prints the JSON of the response. It has what every command has: retries where a
repetition is safe, time limits, typed errors and exit codes. {project_id} in PATH stands
for the id of the project. It does not ask before it deletes.

The body is the file of -d @FILE, stdin with -d -, or made of --field: name=value, where
true, false, null, whole numbers, and JSON objects and lists are what they look like, and
anything else is a text. --paginate sends a search again and again with the next cursor
and prints one line for each page.

A request whose response shows a secret is refused, before it is sent, without --reveal
or --secret-to; with --secret-to the printed response has a placeholder for it. A secret
is never an argument: a body with one comes from a file or stdin.

Exit code 7 means that the request may have taken effect.

` + destination.Help

const example = `  stytchctl api GET /v1/m2m/clients/m2m-client-test-…
  stytchctl api POST /v1/m2m/clients/search --field limit=1000 --paginate --jq '.m2m_clients[].client_id'
  stytchctl api POST /v1/m2m/clients -d @client.json --secret-to file:/run/billing/cred.json`

// New is stytchctl api.
func New(app *cli.App) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use: "api METHOD PATH", Short: "Send a request to the API of Stytch", Long: long, Example: example,
		Args: cli.Args("a METHOD, such as GET", "the PATH of an operation"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := app.Context(cmd.Context())
			defer cancel()
			return run(ctx, app, &f, args[0], args[1])
		},
	}
	cmd.Flags().StringVarP(&f.data, "data", "d", "", "`body`: @FILE, - for stdin, or JSON")
	cmd.Flags().StringArrayVar(&f.fields, "field", nil, "`name=value` of the body; may be repeated")
	cmd.Flags().BoolVar(&f.paginate, "paginate", false, "follow the cursor of a search to its end")
	f.secret.Register(cmd.Flags())
	return cmd
}
