package rotate

import (
	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/rotate"
)

const setCurrentLong = `Gives the engine the current secret of a client, when no place of --deliver has it. The
secret is proved, which is one billed token, and stored in the journal, encrypted with the
first --journal-key-file, until the rotation ends. If a rotation is in progress, resume
continues with it. Otherwise a rotation is planned, and run or resume begins it; in a
database, workers may begin it at once.

--secret-file holds the secret alone on a line, or what --secret-to file: has written: a
JSON object with client_id and client_secret.

Exit codes: 0; 2 if it is the next secret; 10 if it is refused. Nothing is changed then.`

func newSetCurrent(app *cli.App) *cobra.Command {
	f := &engineFlags{}
	var file string
	cmd := &cobra.Command{
		Use: "set-current ID --secret-file FILE", Short: "Give a rotation the current secret that no place has", Long: setCurrentLong,
		Example: "  stytchctl rotate set-current m2m-client-test-8f1c --secret-file - --journal /var/lib/rotation --journal-key-file key",
		Args:    cli.Args("the ID of a client"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id := args[0]
			if file == "" {
				return cli.Usagef("--secret-file: name the file with the current secret; - is stdin. Nothing was sent.")
			}
			if err := cli.CheckFields(app, rowColumns...); err != nil {
				return err
			}
			current, err := readSecret(app, "--secret-file", file, id, "Nothing was sent.")
			if err != nil {
				return err
			}
			ctx, cancel := app.Context(cmd.Context())
			defer cancel()
			e, err := f.start(ctx, app, need{create: true, noPlaces: true})
			if err != nil {
				return err
			}
			defer e.close()
			r, err := e.watched()
			if err == nil {
				err = r.SetCurrent(ctx, id, current)
			}
			if err != nil {
				return stopped(ctx, err, f.stopContext(id))
			}
			rec, err := e.journal.Read(ctx, id)
			if err != nil {
				return stopped(ctx, &rotate.Error{ClientID: id, Err: err}, f.stopContext(id))
			}
			app.Note("The secret is stored. Next: %s", f.stopContext(id).line(advice{command: "rotate resume ID"}))
			return cli.PrintOne(app, rowOf(rec), rowColumns...)
		},
	}
	f.journalFlags.register(cmd.Flags())
	f.audit.register(cmd.Flags())
	f.rate = 5
	cmd.Flags().BoolVar(&f.app, "app", false, "the id is that of a Connected App")
	cmd.Flags().StringVar(&file, "secret-file", "", "`file` with the secret; - is stdin")
	return cmd
}
