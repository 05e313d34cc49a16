// Package command puts the commands of stytchctl together. Each group of commands has a package of
// its own below.
package command

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/command/api"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/command/clients"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/command/contract"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/command/doctor"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/command/emulator"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/command/keys"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/command/profile"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/command/proxy"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/command/rotate"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/command/token"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/command/whoami"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/completion"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/reference"
)

const long = `stytchctl manages the machine identities of a Stytch project: M2M clients, Connected
Apps, tokens, and the rotation of secrets. It also serves a local Stytch for tests.

Credentials come from STYTCH_PROJECT_ID and STYTCH_PROJECT_SECRET, or from a profile.
Secrets are read from files or stdin, never from arguments, and shown only when asked
for by name.`

// New is the root command. It does nothing until it is executed.
func New(app *cli.App) *cobra.Command {
	root := cli.Group("stytchctl", "Manage the machine identities of a Stytch project", long,
		clients.New(app),
		clients.NewApps(app),
		api.New(app),
		completion.New(app),
		contract.New(app),
		doctor.New(app),
		keys.New(app),
		emulator.New(app),
		profile.New(app),
		proxy.New(app),
		reference.NewMan(app),
		rotate.New(app),
		token.New(app),
		whoami.New(app),
		newVersion(app),
	)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return app.Flags.Check(cmd.Flags()) }
	app.Flags.Register(root.PersistentFlags())
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(newHelp())
	completion.Attach(app, root)
	return root
}

// flagError names the flag that was meant. The flags of a command that does not exist are not the
// mistake.
func flagError(cmd *cobra.Command, err error) error {
	if words := cmd.Flags().Args(); cmd.HasSubCommands() && len(words) > 0 {
		return cmd.RunE(cmd, words)
	}
	text := err.Error()
	name, ok := strings.CutPrefix(text, "unknown flag: --")
	if !ok {
		return cli.Usagef("%w. See %s --help. Nothing was done.", err, cmd.CommandPath())
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
	return cli.Usagef("unknown flag --%s%s See %s --help. Nothing was done.", name, cli.Nearest("--"+name, known), cmd.CommandPath())
}
