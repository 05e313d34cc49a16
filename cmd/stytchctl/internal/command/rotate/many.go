package rotate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

func registerConcurrency(set *pflag.FlagSet, n *int) {
	set.IntVar(n, "concurrency", 8, "how many clients to work on at once")
}

func checkConcurrency(n int) error {
	if n < 1 || n > 1000 {
		return cli.Usagef("--concurrency: it must be 1 to 1000. Nothing was sent.")
	}
	return nil
}

// now is the time by which the journal is kept.
func (e *engine) now() time.Time {
	if clock, ok := e.journal.Journal.(interface{ Now() time.Time }); ok {
		return clock.Now()
	}
	return time.Now()
}

// one makes a call for one client, and prints what became of it.
func (e *engine) one(ctx context.Context, id string, end rotate.State, call func(*rotate.Rotator) error) error {
	if err := cli.CheckFields(e.app, resultColumns...); err != nil {
		return err
	}
	progress := e.app.Progress()
	r, err := e.watched(func(_ context.Context, event rotate.Event) {
		if event.Err == nil {
			progress.Show("%s: %s", id, event.To)
		}
	})
	if err != nil {
		return err
	}
	err = call(r)
	progress.Close()
	if err != nil {
		end = "" // the state is that of the error, if it has one
	}
	one := resultOf(ctx, id, end, err)
	one.Message = ""
	return errors.Join(cli.PrintOne(e.app, one, resultColumns...), stopped(ctx, err, e.flags.stopContext(id)), e.logged())
}

// fleet makes a call for many clients.
func (e *engine) fleet(ctx context.Context, results *results, call func(*fleet.Fleet) (fleet.Report, error), options ...fleet.Option) error {
	r, err := e.rotator.With(rotate.WithObserver(results.observe))
	if err != nil {
		return err
	}
	progress := e.app.Progress()
	options = append(options, fleet.WithProgress(time.Second, func(p fleet.Progress) {
		progress.Show("%d done, %d failed, %d waiting for their grace period, %.1f per second", p.Done, p.Failed, p.Waiting, p.Rate)
	}))
	if e.log != nil {
		options = append(options, fleet.WithAudit(e.log))
	}
	f, err := fleet.New(r, options...)
	if err != nil {
		return err
	}
	_, err = call(f)
	progress.Close()
	return errors.Join(results.finish(ctx, e.journal, err != nil), e.ended(ctx, results, err))
}

// ended is the failure of a command for many clients.
func (e *engine) ended(ctx context.Context, results *results, err error) error {
	counts := results.counts
	bad := counts[isFailed] + counts[isNeedsHuman] + counts[string(rotate.Canceled)]
	e.app.Note("%d completed, %d failed, %d skipped, %d busy, %d gone, %d left.", counts[string(rotate.Completed)], bad, counts[isSkipped],
		counts[isBusy], counts[string(rotate.Gone)], counts[isLeft]+counts[isUntouched])
	c := e.flags.stopContext("")
	if err != nil && !errors.Is(err, fleet.ErrTooManyFailures) {
		return stopped(ctx, err, c)
	}
	text := fmt.Sprintf("%d of the clients failed", bad)
	if err != nil {
		text = fmt.Sprintf("stopped after %d clients had failed (--max-failures)", bad)
	}
	switch {
	case results.person:
		return cli.Errorf(cli.NeedsHuman, "%s; a person must decide\n  look: %s", text, c.line(advice{command: "rotate list --needs-human"}))
	case err != nil:
		return &explained{cli.Error{Class: cli.Partial, Type: "too_many_failures", Message: text + "\n  fix: " + c.line(advice{"rotate resume --all", "when the cause is fixed"})}, err}
	case bad > 0:
		return cli.Errorf(cli.Partial, "%s\n  fix: %s", text, c.line(advice{"rotate resume --all", "when the cause is fixed"}))
	}
	return nil
}

// each makes a call for each client, several at once, until too many have failed.
func (e *engine) each(ctx context.Context, clients iter.Seq2[string, error], n, most int, call func(context.Context, *rotate.Rotator, string) error) error {
	results, err := newResults(e.app)
	if err != nil {
		return err
	}
	r, err := e.watched()
	if err != nil {
		return err
	}
	var ids []string
	for id, err := range clients {
		if err != nil {
			return stopped(ctx, err, e.flags.stopContext(""))
		}
		results.listed(id)
		ids = append(ids, id)
	}
	var group sync.WaitGroup
	slots := make(chan struct{}, n)
	for _, id := range ids {
		slots <- struct{}{}
		if ctx.Err() != nil || results.bad() >= most {
			break
		}
		group.Go(func() {
			defer func() { <-slots }()
			results.add(resultOf(ctx, id, rotate.Completed, call(ctx, r, id)))
		})
	}
	group.Wait()
	if err = ctx.Err(); err == nil && results.bad() >= most {
		err = fleet.ErrTooManyFailures
	}
	return errors.Join(results.finish(ctx, e.journal, err != nil), e.ended(ctx, results, err), e.logged())
}

// bad is how many clients have failed.
func (r *results) bad() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[isFailed] + r.counts[isNeedsHuman]
}
