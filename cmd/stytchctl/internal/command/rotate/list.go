package rotate

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/journal"
	"github.com/stytchkit/m2m/stytch/rotate"
)

const listLong = `Lists the rotations in progress, according to the journal; with --all also those that
ended. Filters can be combined: a client is listed if one of them applies. Nothing is sent
to Stytch, and no secret is read.

Exit codes: 0; 10 if a record cannot be read, after the others were listed.`

// listFlags are those of rotate list.
type listFlags struct {
	journalFlags
	all        bool
	needsHuman bool
	stuck      span
	olderThan  span
}

func newList(app *cli.App) *cobra.Command {
	f := &listFlags{}
	cmd := &cobra.Command{
		Use: "list", Short: "List rotations", Long: listLong,
		Example: `  stytchctl rotate list --needs-human --stuck 1h --journal /var/lib/rotation
  stytchctl rotate list --older-than 90d -o tsv --fields client_id --journal /var/lib/rotation`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.onJournal(cmd.Context(), app, func(ctx context.Context, j *journal.Opened) error { return f.run(ctx, app, j) })
		},
	}
	f.register(cmd.Flags())
	cmd.Flags().BoolVar(&f.all, "all", false, "every client that was ever rotated")
	cmd.Flags().BoolVar(&f.needsHuman, "needs-human", false, "those where a person must decide")
	cmd.Flags().Var(&f.stuck, "stuck", "those in progress that have not moved for this long, such as 1h, and do not wait for their grace period")
	cmd.Flags().Var(&f.olderThan, "older-than", "those whose last rotation ended longer ago than this, such as 90d")
	return cmd
}

func (f *listFlags) run(ctx context.Context, app *cli.App, j *journal.Opened) error {
	printer, err := cli.NewPrinter(app, rowColumns...)
	if err != nil {
		return err
	}
	unreadable, err := eachRecord(ctx, app, j, func(r rotate.Record) error {
		now := app.Now()
		if clock, ok := j.Journal.(interface{ Now() time.Time }); ok {
			now = clock.Now()
		}
		if !f.wants(r, now) {
			return nil
		}
		return printer.Print(rowOf(r))
	})
	if err != nil {
		return errors.Join(printer.Cut(), stopped(ctx, err, f.stopContext("")))
	}
	return errors.Join(printer.Close(), f.unreadable(unreadable))
}

// wants reports whether a record is listed.
func (f *listFlags) wants(r rotate.Record, now time.Time) bool {
	active := r.State != "" && !r.State.Final()
	age := now.Sub(r.UpdatedAt)
	switch {
	case f.all:
		return true
	case f.needsHuman && r.State == rotate.NeedsHuman:
		return true
	case f.stuck > 0 && active && age > time.Duration(f.stuck) && (r.State != rotate.Grace || now.Sub(r.GraceUntil) > time.Duration(f.stuck)):
		return true
	case f.olderThan > 0 && r.State.Final() && age > time.Duration(f.olderThan):
		return true
	}
	return active && !f.needsHuman && f.stuck == 0 && f.olderThan == 0
}
