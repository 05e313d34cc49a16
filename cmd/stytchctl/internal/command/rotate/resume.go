package rotate

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/destination"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

const resumeLong = `Continues rotations that are in progress, as run does, and starts none. The journal, Stytch
and proofs are compared first, so it is right after any crash, and after a person fixed
what stopped it. Give the same --deliver and --app as to run.

Exit codes: as of run; 3 if a client has no rotation in progress.

`

// resumeFlags are those of rotate resume.
type resumeFlags struct {
	engineFlags
	all         bool
	concurrency int
	maxFailures int
}

func newResume(app *cli.App) *cobra.Command {
	f := &resumeFlags{}
	cmd := &cobra.Command{
		Use: "resume [ID...]", Short: "Continue rotations in progress", Long: resumeLong + destination.Help,
		Example: `  stytchctl rotate resume m2m-client-test-8f1c --journal /var/lib/rotation --deliver file:/run/billing/credentials.json
  stytchctl rotate resume --all --journal /var/lib/rotation --deliver folder:/run/credentials`,
		RunE: func(cmd *cobra.Command, ids []string) error { return f.run(cmd.Context(), app, ids) },
	}
	f.register(cmd.Flags())
	f.registerGoing(cmd.Flags())
	registerConcurrency(cmd.Flags(), &f.concurrency)
	cmd.Flags().BoolVar(&f.all, "all", false, "every unfinished rotation of the journal")
	cmd.Flags().IntVar(&f.maxFailures, "max-failures", 10, "stop after this many clients have failed")
	return cmd
}

func (f *resumeFlags) run(ctx context.Context, app *cli.App, ids []string) error {
	switch {
	case f.all == (len(ids) > 0):
		return cli.Usagef("say which rotations: one or more IDs, or --all. Nothing was sent.")
	case slices.Contains(ids, ""):
		return cli.Usagef("an id is empty: give a value. Nothing was sent.")
	case f.maxFailures < 1 || f.maxFailures > 10_000:
		return cli.Usagef("--max-failures: it must be 1 to 10000. Nothing was sent.")
	}
	if err := checkConcurrency(f.concurrency); err != nil {
		return err
	}
	ctx, cancel := app.Context(ctx)
	defer cancel()
	e, err := f.start(ctx, app, need{})
	if err != nil {
		return err
	}
	defer e.close()
	switch {
	case f.all:
		results, err := newResults(app)
		if err != nil {
			return err
		}
		return e.fleet(ctx, results, func(fl *fleet.Fleet) (fleet.Report, error) { return fl.Resume(ctx) },
			fleet.WithConcurrency(f.concurrency), fleet.WithMaxFailures(f.maxFailures))
	case len(ids) == 1:
		return e.one(ctx, ids[0], rotate.Completed, func(r *rotate.Rotator) error { return r.Resume(ctx, ids[0]) })
	}
	return e.each(ctx, each(ids), f.concurrency, f.maxFailures, func(ctx context.Context, r *rotate.Rotator, id string) error { return r.Resume(ctx, id) })
}
