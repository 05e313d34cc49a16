// Package whoami has the command that shows which credentials are used, and proves them.
package whoami

import (
	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/stytch"
)

// identity is what is printed.
type identity struct {
	ProjectID   string `json:"project_id"`
	Environment string `json:"environment"`
	BaseURL     string `json:"base_url"`
	Source      string `json:"source"`
	RequestID   string `json:"request_id"`
}

// New is stytchctl whoami.
func New(app *cli.App) *cobra.Command {
	return &cobra.Command{
		Use: "whoami", Short: "Show the project in use, and prove its credentials",
		Long: `Prints the project, its environment, the address of the API, and where the credentials
were found. One search for a single client proves them: it changes nothing and is not
billed. Exit code 4 means that there are no credentials, or that they are refused.`,
		Example: "  stytchctl whoami --profile prod",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := app.Context(cmd.Context())
			defer cancel()
			credentials, err := app.Credentials(ctx)
			if err != nil {
				return err
			}
			api, err := app.Client(credentials)
			if err != nil {
				return err
			}
			var response stytch.Response
			if _, err := api.M2M.SearchPage(stytch.WithResponse(ctx, &response), stytch.M2MSearch{Limit: 1}); err != nil {
				return err
			}
			return cli.PrintOne(app, identity{
				credentials.ProjectID, project.Environment(credentials.ProjectID), api.BaseURL(), credentials.Source, response.RequestID,
			},
				cli.Column[identity]{Field: "project_id", Title: "PROJECT ID"},
				cli.Column[identity]{Field: "environment", Title: "ENVIRONMENT"},
				cli.Column[identity]{Field: "base_url", Title: "BASE URL"},
				cli.Column[identity]{Field: "source", Title: "CREDENTIALS FROM"})
		},
	}
}
