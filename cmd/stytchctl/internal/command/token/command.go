// Package token has the commands that get, read and verify access tokens.
package token

import (
	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

const long = `Gets access tokens for M2M clients, and reads and verifies those of others.

A token is a secret, so it is read from stdin or a file, never from an argument: other
users of the machine see the arguments of a program, and shells store them.`

// New is stytchctl token.
func New(app *cli.App) *cobra.Command {
	return cli.Group("token", "Get, read and verify access tokens", long, newGet(app), newInspect(app), newVerify(app))
}
