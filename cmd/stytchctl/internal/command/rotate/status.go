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

// A row is the record of a client, without its secrets.
type row struct {
	ClientID   string       `json:"client_id"`
	RotationID string       `json:"rotation_id"`
	State      rotate.State `json:"state"`
	Stopped    rotate.State `json:"stopped,omitempty"`
	Reason     string       `json:"reason,omitempty"`
	Canceling  bool         `json:"canceling"`
	Delivered  []string     `json:"delivered"`
	Restarts   int          `json:"restarts"`
	PlannedAt  time.Time    `json:"planned_at,omitzero"`
	UpdatedAt  time.Time    `json:"updated_at,omitzero"`
	GraceUntil time.Time    `json:"grace_until,omitzero"`
}

func rowOf(r rotate.Record) row {
	return row{
		ClientID: r.ClientID, RotationID: r.RotationID, State: r.State, Stopped: r.Stopped, Reason: flagNames.Replace(r.Reason), Canceling: r.Abort,
		Delivered: append([]string{}, r.Delivered...), Restarts: r.Restarts, PlannedAt: r.PlannedAt, UpdatedAt: r.UpdatedAt, GraceUntil: r.GraceUntil,
	}
}

var rowColumns = []cli.Column[row]{
	{Field: "client_id", Title: "CLIENT ID"},
	{Field: "state", Title: "STATE"},
	{Field: "updated_at", Title: "SINCE", Text: func(r row) string { return at(r.UpdatedAt) }},
	{Field: "grace_until", Title: "GRACE UNTIL", Text: func(r row) string {
		if r.State != rotate.Grace {
			return ""
		}
		return at(r.GraceUntil)
	}},
	{Field: "delivered", Title: "DELIVERED TO"},
	{Field: "reason", Title: "REASON"},
}

func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// A tally is how many clients are in a state.
type tally struct {
	State   rotate.State `json:"state"`
	Clients int          `json:"clients"`
}

// states are all of them, in their order.
var states = []rotate.State{
	rotate.Planned, rotate.Starting, rotate.Started, rotate.Delivered, rotate.Verified, rotate.Grace, rotate.Completing, rotate.NeedsHuman,
	rotate.Completed, rotate.Canceled, rotate.Gone,
}

const statusLong = `Shows how far the latest rotation of a client has come, according to the journal. Without
an ID, it counts the clients in each state. Nothing is sent to Stytch, and no secret is
read.

Exit codes: 0, also if the rotation needs a person; 3 if the client was never rotated.`

func newStatus(app *cli.App) *cobra.Command {
	f := &journalFlags{}
	cmd := &cobra.Command{
		Use: "status [ID]", Short: "Show how far a rotation has come", Long: statusLong,
		Example: "  stytchctl rotate status m2m-client-test-8f1c --journal /var/lib/rotation",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return cli.Args("the ID of a client")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.onJournal(cmd.Context(), app, func(ctx context.Context, j *journal.Opened) error {
				if len(args) == 0 {
					return f.count(ctx, app, j)
				}
				rec, err := j.Read(ctx, args[0])
				if errors.Is(err, rotate.ErrNoRotation) {
					return cli.Errorf(cli.NotFound, "client %.256q has no record in this journal: it was never rotated, or its record was purged.", args[0])
				}
				if err != nil {
					return stopped(ctx, &rotate.Error{ClientID: args[0], Err: err}, f.stopContext(args[0]))
				}
				return cli.PrintOne(app, rowOf(rec), rowColumns...)
			})
		},
	}
	f.register(cmd.Flags())
	return cmd
}

// count prints how many clients are in each state.
func (f *journalFlags) count(ctx context.Context, app *cli.App, j *journal.Opened) error {
	counts := map[rotate.State]int{}
	unreadable, err := eachRecord(ctx, app, j, func(r rotate.Record) error {
		counts[r.State]++
		return nil
	})
	if err != nil {
		return stopped(ctx, err, f.stopContext(""))
	}
	printer, err := cli.NewPrinter(app, cli.Column[tally]{Field: "state", Title: "STATE"}, cli.Column[tally]{Field: "clients", Title: "CLIENTS"})
	if err != nil {
		return err
	}
	for _, state := range states {
		if n := counts[state]; n > 0 {
			if err := printer.Print(tally{state, n}); err != nil {
				return err
			}
		}
	}
	return errors.Join(printer.Close(), f.unreadable(unreadable))
}

// eachRecord calls f for each record of the journal, and warns of those that cannot be read.
func eachRecord(ctx context.Context, app *cli.App, j *journal.Opened, f func(rotate.Record) error) (unreadable int, err error) {
	for r, err := range j.Records(ctx) {
		switch {
		case ctx.Err() != nil:
			return unreadable, errors.Join(ctx.Err(), err)
		case err != nil && stopOf(err) != nil && stopOf(err).class == cli.NeedsHuman:
			app.Warn("%s", describe(err))
			unreadable++
		case err != nil:
			return unreadable, err
		default:
			if err := f(r); err != nil {
				return unreadable, err
			}
		}
	}
	return unreadable, nil
}

// unreadable is the failure of a command that left records out.
func (f *journalFlags) unreadable(n int) error {
	if n == 0 {
		return nil
	}
	return cli.Errorf(cli.NeedsHuman, "%d records cannot be read\n  look: %s", n, f.stopContext("").line(advice{command: "rotate fsck"}))
}
