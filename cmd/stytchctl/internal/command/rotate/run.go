package rotate

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/destination"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

const runLong = `Rotates the secrets of clients: of those named, of all M2M clients with a scope, or of a
list of ids. What is in progress already is continued. Run it again after any failure: it
continues where the journal says. Of one client it waits until the end of --grace; of many it
works on others meanwhile.

It costs 8 requests and 3 billed tokens per client, with --grace 10 and 4; --dry-run says
what it would cost, and sends nothing that is billed. Connected Apps cannot be proved by a
token: with --app the last four characters are compared, which proves little.

It prints a record per client: state, outcome (completed, skipped, busy, canceled, gone,
failed, needs_human, interrupted or not_started) and the class of the error. An interrupt
finishes the steps in progress and says how to go on.

Exit codes: 0; 8 if some of several failed; 10 if a person must decide; 130 after an
interrupt. Of one client: the class of its failure, such as 3 if it is gone, 5 if another
process rotates it, 6 if a place or Stytch cannot be reached.

`

const runExample = `  stytchctl rotate run m2m-client-test-8f1c --journal /var/lib/rotation \
    --journal-key-file /etc/rotation.key --deliver file:/run/billing/credentials.json --grace 10m
  stytchctl rotate run --scope write:invoices --older-than 90d --dry-run \
    --journal postgres://rotator@db/ops --journal-key-file key --deliver 'vault:secret/stytch/{client_id}'`

// runFlags are those of rotate run.
type runFlags struct {
	engineFlags
	selection   selection
	concurrency int
	maxFailures int
	olderThan   span
	dryRun      bool
}

func newRun(app *cli.App) *cobra.Command {
	f := &runFlags{}
	cmd := &cobra.Command{
		Use:     "run [ID...]",
		Short:   "Rotate the secrets of clients, and continue what is in progress",
		Long:    runLong + destination.Help,
		Example: runExample,
		RunE:    func(cmd *cobra.Command, ids []string) error { return f.run(cmd.Context(), app, ids) },
	}
	set := cmd.Flags()
	f.register(set)
	f.registerGoing(set)
	f.selection.register(set)
	registerConcurrency(set, &f.concurrency)
	set.IntVar(&f.maxFailures, "max-failures", 10, "stop after this many clients have failed")
	set.Var(&f.olderThan, "older-than", "leave out clients that were rotated less than this ago, such as 90d")
	set.BoolVar(&f.dryRun, "dry-run", false, "say what it would cost; nothing is changed and nothing is billed")
	return cmd
}

func (f *runFlags) run(ctx context.Context, app *cli.App, ids []string) error {
	if err := errors.Join(f.selection.check(ids, f.app), f.check()); err != nil {
		return err
	}
	if err := f.selection.open(app); err != nil {
		return err
	}
	ctx, cancel := app.Context(ctx)
	defer cancel()
	e, err := f.start(ctx, app, need{create: !f.dryRun, looks: f.dryRun})
	if err != nil {
		return err
	}
	defer e.close()
	clients := f.selection.clients(ctx, e.api)
	id, single := f.selection.one()
	switch {
	case f.dryRun && single:
		return f.forecastOne(ctx, e, id)
	case f.dryRun:
		return f.forecast(ctx, e, clients)
	case single:
		return f.runOne(ctx, e, id)
	case f.compromised: // a fleet would wait for grace periods that began before
		return e.each(ctx, clients, f.concurrency, f.maxFailures, func(ctx context.Context, r *rotate.Rotator, id string) error { return r.Run(ctx, id) })
	}
	return f.runMany(ctx, e, clients)
}

func (f *runFlags) check() error {
	switch {
	case f.compromised && f.olderThan > 0:
		return cli.Usagef("--older-than: a compromised secret is rotated however new it is: leave it out. Nothing was sent.")
	case f.maxFailures < 1 || f.maxFailures > 10_000:
		return cli.Usagef("--max-failures: it must be 1 to 10000. Nothing was sent.")
	case f.dryRun && f.audit.path != "":
		return cli.Usagef("--audit: a dry run does nothing that could be logged: leave it out. Nothing was sent.")
	}
	return checkConcurrency(f.concurrency)
}

// runOne rotates one client.
func (f *runFlags) runOne(ctx context.Context, e *engine, id string) error {
	if rec, err := e.journal.Read(ctx, id); err == nil && f.olderThan > 0 && rec.State == rotate.Completed &&
		e.now().Sub(rec.UpdatedAt) < time.Duration(f.olderThan) {
		return cli.PrintOne(e.app, result{ClientID: id, State: rec.State, Outcome: isSkipped}, resultColumns...)
	}
	return e.one(ctx, id, rotate.Completed, func(r *rotate.Rotator) error { return r.Run(ctx, id) })
}

// runMany rotates a fleet.
func (f *runFlags) runMany(ctx context.Context, e *engine, clients iter.Seq2[string, error]) error {
	results, err := newResults(e.app)
	if err != nil {
		return err
	}
	listed := func(yield func(string, error) bool) {
		for id, err := range clients {
			if err == nil {
				results.listed(id)
			}
			if !yield(id, err) {
				return
			}
		}
	}
	return e.fleet(ctx, results, func(fl *fleet.Fleet) (fleet.Report, error) { return fl.Run(ctx, listed) },
		fleet.WithConcurrency(f.concurrency), fleet.WithMaxFailures(f.maxFailures), fleet.WithOlderThan(time.Duration(f.olderThan)))
}
