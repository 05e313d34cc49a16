package profile

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/profile"
	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/stytch/secret"
)

func newAdd(app *cli.App, profiles *profile.Profiles) *cobra.Command {
	var secretFile, store string
	var replace bool
	cmd := &cobra.Command{
		Use:   "add NAME --project-id ID --secret-file F|-",
		Short: "Add a profile, and store its secret",
		Long: `Adds a profile for the project of --project-id, at the address of --base-url if it is not
Stytch's own. The secret of the project is read from --secret-file, or asked for on a
terminal, and stored in the keyring or, with --store file, in a file that only you can
read. Nothing is sent: stytchctl whoami --profile NAME tries the profile.

The first profile is the one in use. A name that is taken is refused (exit code 5)
without --replace. A keyring that cannot be reached is an error (exit code 4): there is
no other place that is chosen instead.`,
		Example: `  stytchctl profile add prod --project-id project-live-… --secret-file secret.txt
  pass show stytch | stytchctl profile add ci --project-id project-test-… --secret-file - --store file`,
		Args: cli.Args("the NAME of the profile"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := app.Context(cmd.Context())
			defer cancel()
			p := profile.Profile{Name: args[0], ProjectID: app.Flags.ProjectID, BaseURL: app.Flags.BaseURL, Store: profile.Store(store)}
			switch {
			case cli.CheckFields(app, columns...) != nil:
				return cli.CheckFields(app, columns...)
			case p.ProjectID == "":
				return cli.Usagef("profile add needs --project-id. Nothing was stored.")
			case !slices.Contains(profile.Stores, p.Store):
				return cli.Usagef("--store: %q is not keyring or file. Nothing was stored.", store)
			case app.Flags.ProjectSecretFile != "" && secretFile != "":
				return cli.Usagef("--secret-file and --project-secret-file name the same secret: give one. Nothing was stored.")
			}
			flag, name := "--secret-file", secretFile
			if name == "" {
				flag, name = "--project-secret-file", app.Flags.ProjectSecretFile
			}
			var s secret.String
			var err error
			switch {
			case name != "":
				s, err = app.ReadSecret(flag, name)
			case app.Interactive():
				s, err = app.AskSecret(ctx, "Secret of "+p.ProjectID+":")
			default:
				err = cli.Usagef("profile add needs --secret-file: a file with the secret of the project, or - for stdin. Nothing was stored.")
			}
			if err != nil {
				return err
			}
			inUse, err := profiles.Add(ctx, p, s, replace)
			if err != nil {
				return err
			}
			return cli.PrintOne(app, rowOf(p, inUse), columns...)
		},
	}
	cmd.Flags().StringVar(&secretFile, "secret-file", "", "`file` with the secret of the project; - is stdin")
	cmd.Flags().StringVar(&store, "store", string(profile.Keyring), "`where` to keep the secret: keyring or file")
	cmd.Flags().BoolVar(&replace, "replace", false, "replace the profile if it exists")
	return cmd
}

func rowOf(p profile.Profile, inUse bool) row {
	return row{p.Name, p.ProjectID, project.Environment(p.ProjectID), p.Store, p.BaseURL, inUse}
}
