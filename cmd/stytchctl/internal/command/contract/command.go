// Package contract has the commands that show and compare the contract: the OpenAPI file of the
// API that this program was made for.
package contract

import (
	"encoding/json"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/stytchkit/m2m/api"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

const long = `The contract is the OpenAPI file that describes Stytch's API for machine identities. This
program was generated from it. Each fact in it is marked as documented, observed or
assumed.`

// New is stytchctl contract.
func New(app *cli.App) *cobra.Command {
	return cli.Group("contract", "Show and compare the contract of the API", long, newShow(app), newDiff(app))
}

func newShow(app *cli.App) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show", Short: "Print the contract that this program was made for",
		Long:    "Prints the OpenAPI file: YAML with its comments, or JSON with --json or -o json. Nothing is sent.",
		Example: "  stytchctl contract show --json | jq '.paths | keys'",
		Args:    cli.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if !asJSON && !app.Machine() && app.Flags.Fields == nil {
				_, err := app.Out.Write(api.OpenAPI)
				return cli.PipeError(err)
			}
			text, err := toJSON(api.OpenAPI)
			if err != nil {
				return err
			}
			if !app.Machine() {
				app.Flags.Output = cli.JSON
			}
			return cli.PrintOne(app, json.RawMessage(text))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// toJSON converts a YAML document whose keys are texts.
func toJSON(text []byte) ([]byte, error) {
	var document any
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	return json.Marshal(document)
}
