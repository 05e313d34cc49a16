package profile

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/profile"
)

func newList(app *cli.App, profiles *profile.Profiles) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the profiles",
		Long:    "Lists the profiles by name. No secret is read, and the keyring is not touched.",
		Example: "  stytchctl profile list -o json",
		Args:    cli.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			all, inUse, err := profiles.List()
			if err != nil {
				return err
			}
			printer, err := cli.NewPrinter(app, columns...)
			if err != nil {
				return err
			}
			for _, p := range all {
				if err := printer.Print(rowOf(p, p.Name == inUse)); err != nil {
					return err
				}
			}
			return printer.Close()
		},
	}
}

func newUse(app *cli.App, profiles *profile.Profiles) *cobra.Command {
	return &cobra.Command{
		Use:   "use NAME",
		Short: "Choose the profile that commands use",
		Long: `Chooses the profile that commands use if neither --profile, STYTCH_PROFILE nor
STYTCH_PROJECT_ID names another.`,
		Example: "  stytchctl profile use prod",
		Args:    cli.Args("the NAME of a profile"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := profiles.Use(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return cli.PrintOne(app, rowOf(p, true), columns...)
		},
	}
}

func newRemove(app *cli.App, profiles *profile.Profiles) *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove a profile and its stored secret",
		Long: `Removes a profile, and its secret from the keyring or its file. It asks first, because
this may be the only place that has the secret; --yes answers. The secret stays valid:
to end it, delete it in the dashboard of Stytch.`,
		Example: "  stytchctl profile remove old --yes",
		Args:    cli.Args("the NAME of a profile"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := profiles.Get(args[0])
			if err != nil {
				return err
			}
			ctx, cancel := app.Context(cmd.Context())
			defer cancel()
			question := fmt.Sprintf("Remove profile %s and its secret of %s?", p.Name, p.ProjectID)
			if err := app.Confirm(ctx, question, ""); err != nil {
				return err
			}
			if err := profiles.Remove(ctx, args[0]); err != nil {
				return err
			}
			app.Note("Removed profile %s.", args[0])
			return nil
		},
	}
}
