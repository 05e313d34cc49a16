package command

import (
	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

// newHelp is the help command. That of cobra succeeds for a command that does not exist.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Explain a command", Args: cobra.ArbitraryArgs,
		Long:    "Explains a command, as --help behind it does.",
		Example: "  stytchctl help token get",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				unknown := args[len(args)-max(1, len(rest))]
				var known []string
				for _, child := range found.Commands() {
					known = append(known, child.Name())
				}
				return cli.Usagef("%s has no command %q%s See %s --help. Nothing was done.", found.CommandPath(), unknown, cli.Nearest(unknown, known), found.CommandPath())
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}
