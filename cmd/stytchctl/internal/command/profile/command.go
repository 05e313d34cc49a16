// Package profile has the commands that keep profiles.
package profile

import (
	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/profile"
)

const long = `A profile is a project, the address of its API, and where its secret is: in the keyring
of the operating system, or in a file that only you can read. The profiles are in
$XDG_CONFIG_HOME/stytchctl/config.yaml, which holds no secret.

Commands use the profile of --profile, else the environment (STYTCH_PROJECT_ID and
STYTCH_PROJECT_SECRET), else the profile of STYTCH_PROFILE, else the profile in use.`

// New is stytchctl profile.
func New(app *cli.App) *cobra.Command {
	profiles := profile.New(app.Getenv)
	return cli.Group("profile", "Keep the credentials of projects", long,
		newAdd(app, profiles), newList(app, profiles), newUse(app, profiles), newRemove(app, profiles))
}

// row is a profile as it is printed.
type row struct {
	Name        string        `json:"name"`
	ProjectID   string        `json:"project_id"`
	Environment string        `json:"environment"`
	Store       profile.Store `json:"store"`
	BaseURL     string        `json:"base_url,omitempty"`
	InUse       bool          `json:"in_use"`
}

var columns = []cli.Column[row]{
	{Field: "name", Title: "NAME"},
	{Field: "project_id", Title: "PROJECT ID"},
	{Field: "environment", Title: "ENVIRONMENT"},
	{Field: "store", Title: "SECRET IN"},
	{Field: "base_url", Title: "BASE URL"},
	{Field: "in_use", Title: "IN USE", Text: func(r row) string {
		if r.InUse {
			return "yes"
		}
		return ""
	}},
}
