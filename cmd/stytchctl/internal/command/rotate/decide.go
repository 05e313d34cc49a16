package rotate

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/destination"
	"github.com/stytchkit/m2m/stytch/rotate"
)

const cancelLong = `Gives up the rotation of a client that is in the journal: it proves the current secret,
gives it back to the places, and cancels the next one. The services keep, or get back, the
current secret. A rotation that was completed already cannot be canceled. For a rotation
that is in no journal there is "rotate step cancel".

Exit codes: 0; 3 if no rotation is in progress; 10 if the current secret cannot be proved.

`

func newCancel(app *cli.App) *cobra.Command {
	f := &engineFlags{}
	cmd := &cobra.Command{
		Use: "cancel ID", Short: "Give up a rotation in progress", Long: cancelLong + destination.Help,
		Example: "  stytchctl rotate cancel m2m-client-test-8f1c --journal /var/lib/rotation --deliver file:/run/billing/credentials.json",
		Args:    cli.Args("the ID of a client"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.onOne(cmd.Context(), app, need{}, args[0], rotate.Canceled, (*rotate.Rotator).Cancel)
		},
	}
	f.register(cmd.Flags())
	return cmd
}

const adoptLong = `Continues a rotation whose journal was lost, and takes it to its end. It is for a client
whose run stops with other_rotation although its places hold both secrets. They are
compared with what Stytch reports, both are proved, and a record is written. If a place
cannot be read, a secret is missing or refused, or a proof fails, nothing is changed.

Exit codes: as of run; 3 if nothing is pending at Stytch.

`

func newAdopt(app *cli.App) *cobra.Command {
	f := &engineFlags{}
	cmd := &cobra.Command{
		Use: "adopt ID", Short: "Continue a rotation whose journal was lost", Long: adoptLong + destination.Help,
		Example: "  stytchctl rotate adopt m2m-client-test-8f1c --journal /var/lib/rotation --deliver file:/run/billing/credentials.json",
		Args:    cli.Args("the ID of a client"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.onOne(cmd.Context(), app, need{create: true}, args[0], rotate.Completed, (*rotate.Rotator).Adopt)
		},
	}
	f.register(cmd.Flags())
	f.registerGoing(cmd.Flags())
	return cmd
}

const forgetLong = `Erases the record of a rotation in progress that nothing else can end. Nothing is changed at
Stytch or in the places: what is pending there stays. First it proves that a secret that
works is held outside of the journal, in a place of --deliver, or that none in the record
works; otherwise it refuses.

It asks first; in a live project the id must be typed. Without a terminal, give --yes.

Exit codes: 0; 3 if no rotation is in progress; 10 if the record holds the only secret that
works.

`

func newForget(app *cli.App) *cobra.Command {
	f := &engineFlags{}
	cmd := &cobra.Command{
		Use: "forget ID", Short: "Erase the record of a rotation that nothing else can end", Long: forgetLong + destination.Help,
		Example: "  stytchctl rotate forget m2m-client-test-8f1c --journal /var/lib/rotation --deliver file:/run/billing/credentials.json",
		Args:    cli.Args("the ID of a client"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id := args[0]
			if err := confirm(cmd.Context(), app, "Erase the record of the rotation of "+id+"?", id); err != nil {
				return err
			}
			return f.onOne(cmd.Context(), app, need{noPlaces: true}, id, rotate.Gone, (*rotate.Rotator).Forget)
		},
	}
	f.register(cmd.Flags())
	return cmd
}

// confirm asks. In a live project the word must be typed.
func confirm(ctx context.Context, app *cli.App, question, word string) error {
	project, err := app.Project(ctx)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(project.ProjectID, "project-live-") {
		word = ""
	}
	return app.Confirm(ctx, question, word)
}

// onOne makes a call of the engine for one client, and prints what became of it.
func (f *engineFlags) onOne(ctx context.Context, app *cli.App, needs need, id string, end rotate.State, call func(*rotate.Rotator, context.Context, string) error) error {
	ctx, cancel := app.Context(ctx)
	defer cancel()
	e, err := f.start(ctx, app, needs)
	if err != nil {
		return err
	}
	defer e.close()
	return e.one(ctx, id, end, func(r *rotate.Rotator) error { return call(r, ctx, id) })
}
