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

const rekeyLong = `Encrypts the secrets of all rotations in progress with the first --journal-key-file. Give
the keys that encrypted them as further ones. Afterwards the old keys can be destroyed:
records of rotations that ended hold no secret.

Exit codes: 0; 5 if another process holds some of the records: run it again; 10 if none of
the keys opens a record.`

func newRekey(app *cli.App) *cobra.Command {
	f := &journalFlags{}
	cmd := &cobra.Command{
		Use: "rekey", Short: "Encrypt the journal with another key", Long: rekeyLong,
		Example: "  stytchctl rotate rekey --journal /var/lib/rotation --journal-key-file new.key --journal-key-file old.key",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := app.Context(cmd.Context())
			defer cancel()
			place, err := f.complete(app, journal.Place{})
			if err != nil {
				return err
			}
			if len(place.Keys) == 0 {
				return cli.Usagef("--journal-key-file: give the new key, and then those that encrypted the journal. Nothing was changed.")
			}
			project, err := app.Project(ctx)
			if err != nil {
				return err
			}
			place.ProjectID = project.ProjectID
			j, err := place.Open(ctx)
			if err != nil {
				return stopped(ctx, err, f.stopContext(""))
			}
			defer j.Close()
			return f.rekey(ctx, app, j)
		},
	}
	f.register(cmd.Flags())
	return cmd
}

// A rekeyed is what rekey did.
type rekeyed struct {
	Rekeyed    int `json:"rekeyed"`
	Busy       int `json:"busy"`
	Unreadable int `json:"unreadable"`
}

// claimLife is far longer than a record takes to write.
const claimLife = time.Minute

func (f *journalFlags) rekey(ctx context.Context, app *cli.App, j *journal.Opened) error {
	var done rekeyed
	for id, err := range j.Unfinished(ctx) {
		if err == nil {
			err = rewrite(ctx, j, id)
		}
		switch s := stopOf(err); {
		case err == nil:
			done.Rekeyed++
		case errors.Is(err, errEnded):
		case errors.Is(err, rotate.ErrBusy):
			done.Busy++
		case s != nil && s.class == cli.NeedsHuman:
			app.Warn("%s", describe(&rotate.Error{ClientID: id, Err: err}))
			done.Unreadable++
		default:
			return stopped(ctx, err, f.stopContext(""))
		}
	}
	if err := cli.PrintOne(app, done, cli.Column[rekeyed]{Field: "rekeyed", Title: "REKEYED"}, cli.Column[rekeyed]{Field: "busy", Title: "BUSY"},
		cli.Column[rekeyed]{Field: "unreadable", Title: "UNREADABLE"}); err != nil {
		return err
	}
	switch {
	case done.Unreadable > 0:
		return cli.Errorf(cli.NeedsHuman, "%d records cannot be read with these keys: keep the old keys, and add the one that is missing.\n  look: %s",
			done.Unreadable, f.stopContext("").line(advice{command: "rotate fsck"}))
	case done.Busy > 0:
		return cli.Errorf(cli.Conflict, "%d records are in use by another process: keep the old keys, and run rekey again.", done.Busy)
	}
	return nil
}

// errEnded is that a rotation has ended since it was listed.
var errEnded = errors.New("the rotation has ended")

// rewrite stores a record as it is, which encrypts it with the first key.
func rewrite(ctx context.Context, j *journal.Opened, id string) (err error) {
	claim, err := j.Claim(ctx, id, claimLife)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, claim.Release(context.WithoutCancel(ctx))) }()
	rec := claim.Record()
	if rec.State == "" || rec.State.Final() {
		return errEnded
	}
	return claim.Write(ctx, rec)
}

const purgeLong = `Deletes the records of rotations that ended long ago. Rotations in progress stay, and so do
those that need a person. A client without a record counts as never rotated: run
--older-than rotates it again. Keep records for longer than that.`

func newPurge(app *cli.App) *cobra.Command {
	f := &journalFlags{}
	var olderThan span
	cmd := &cobra.Command{
		Use: "purge --older-than DURATION", Short: "Delete the records of rotations that ended long ago", Long: purgeLong,
		Example: "  stytchctl rotate purge --older-than 365d --journal /var/lib/rotation",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if time.Duration(olderThan) < time.Hour {
				return cli.Usagef("--older-than: say how long records are kept, at least 1h, such as 365d. Nothing was deleted.")
			}
			return f.onJournal(cmd.Context(), app, func(ctx context.Context, j *journal.Opened) error {
				n, err := j.Purge(ctx, time.Duration(olderThan))
				type purged struct {
					Deleted int `json:"deleted"`
				}
				return errors.Join(cli.PrintOne(app, purged{n}, cli.Column[purged]{Field: "deleted", Title: "DELETED"}), stopped(ctx, err, f.stopContext("")))
			})
		},
	}
	f.register(cmd.Flags())
	cmd.Flags().Var(&olderThan, "older-than", "how long ago a rotation must have ended, such as 365d")
	return cmd
}
