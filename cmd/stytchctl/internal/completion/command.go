// Package completion lets shells complete command lines: commands and flags as cobra does, and the
// names of profiles, ids of clients and values of flags.
package completion

import (
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

const long = `Prints a script that lets a shell complete commands, flags, profiles and the ids of
clients. Ids are looked up with the credentials in use, for at most a second; without
credentials or an answer there are none. Completion never asks a question and never
reads stdin.`

const example = `  source <(stytchctl completion bash)
  stytchctl completion zsh > "${fpath[1]}/_stytchctl"
  stytchctl completion fish > ~/.config/fish/completions/stytchctl.fish
  stytchctl completion powershell | Out-String | Invoke-Expression`

var shells = map[string]func(*cobra.Command, io.Writer) error{
	"bash":       func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
	"zsh":        (*cobra.Command).GenZshCompletion,
	"fish":       func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
	"powershell": (*cobra.Command).GenPowerShellCompletionWithDesc,
}

// New is stytchctl completion.
func New(app *cli.App) *cobra.Command {
	names := slices.Sorted(maps.Keys(shells))
	return &cobra.Command{
		Use: "completion SHELL", Short: "Print the completion script of a shell",
		Long:    long + "\n\nThe shells are " + strings.Join(names, ", ") + ".",
		Example: example,
		Args:    cli.Args("a SHELL: " + strings.Join(names, ", ")), ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			generate, ok := shells[args[0]]
			if !ok {
				return cli.Usagef("there is no completion for %q%s The shells are %s. Nothing was printed.", args[0], cli.Nearest(args[0], names), strings.Join(names, ", "))
			}
			return cli.PipeError(generate(cmd.Root(), app.Out))
		},
	}
}
