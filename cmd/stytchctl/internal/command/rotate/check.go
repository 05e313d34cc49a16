package rotate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/destination"
	"github.com/stytchkit/m2m/stytch/rotate"
)

const checkLong = `Shows whether a rotation could begin, and changes nothing: it reads and checks every place
of --deliver, asks Stytch whether something is pending, and proves the current secret. It
costs one billed token per client whose secret works, and otherwise none.

Exit codes: 0 if every client is ready; 9 if one is not; 10 if a person must decide; 6 if
Stytch or the journal cannot be reached; 3 if a client does not exist.

`

// A checked is what was found about one client.
type checked struct {
	ClientID     string         `json:"client_id"`
	Ready        bool           `json:"ready"`
	State        rotate.State   `json:"state,omitempty"`
	Places       []checkedPlace `json:"places"`
	Current      string         `json:"current"`
	Source       string         `json:"source,omitempty"`
	Pending      bool           `json:"pending"`
	Run          *forecast      `json:"run,omitempty"`
	Requests     int            `json:"requests"`
	BilledTokens int            `json:"billed_tokens"`
	Class        cli.Class      `json:"error_class,omitempty"`
	Stop         string         `json:"error_type,omitempty"`
	Problem      string         `json:"problem,omitempty"`
}

type checkedPlace struct {
	Name     string `json:"name"`
	Readable bool   `json:"readable"`
	Writable bool   `json:"writable"`
	Empty    bool   `json:"empty"`
	Current  bool   `json:"holds_current"`
	Problem  string `json:"problem,omitempty"`
}

var checkedColumns = []cli.Column[checked]{
	{Field: "client_id", Title: "CLIENT ID"},
	{Field: "ready", Title: "READY"},
	{Field: "state", Title: "STATE"},
	{Field: "current", Title: "CURRENT SECRET"},
	{Field: "pending", Title: "PENDING"},
	{Field: "error_type", Title: "STOP"},
	{Field: "problem", Title: "PROBLEM"},
}

func newCheck(app *cli.App) *cobra.Command {
	f := &engineFlags{}
	cmd := &cobra.Command{
		Use: "check ID...", Short: "Show whether a rotation could begin", Long: checkLong + destination.Help,
		Example: "  stytchctl rotate check m2m-client-test-8f1c --journal /var/lib/rotation --deliver file:/run/billing/credentials.json",
		Args:    cli.Args("the ID of a client..."),
		RunE:    func(cmd *cobra.Command, ids []string) error { return f.checkAll(cmd.Context(), app, ids) },
	}
	f.register(cmd.Flags())
	cmd.Flags().BoolVar(&f.unknownCurrent, "unknown-current", false, "as of rotate run: the current secret is lost")
	cmd.Flags().BoolVar(&f.takeOver, "take-over", false, "as of rotate run: a pending rotation may be replaced")
	return cmd
}

func (f *engineFlags) checkAll(ctx context.Context, app *cli.App, ids []string) error {
	ctx, cancel := app.Context(ctx)
	defer cancel()
	e, err := f.start(ctx, app, need{looks: true})
	if err != nil {
		return err
	}
	defer e.close()
	print, end, err := checkedPrinter(app)
	if err != nil {
		return err
	}
	var worst, printErr error
	notReady := 0
	for _, id := range ids {
		report, err := e.rotator.Check(ctx, id)
		if ctx.Err() != nil {
			return stopped(ctx, errors.Join(err, ctx.Err()), f.stopContext(id))
		}
		c := f.checked(id, report, err)
		if err := print(c); printErr == nil { // what was found counts, whether it can be printed or not
			printErr = err
		}
		if c.Ready {
			continue
		}
		notReady++
		failure := &explained{cli.Error{Class: c.Class, Type: c.Stop, Message: f.notReady(id, err)}, err}
		if worst == nil || c.Class == cli.NeedsHuman && cli.Classify(worst) != cli.NeedsHuman {
			worst = failure
		}
	}
	if err := end(); printErr == nil {
		printErr = err
	}
	if notReady > 1 {
		worst = cli.Errorf(cli.Classify(worst), "%d of %d clients are not ready. Nothing was changed.", notReady, len(ids))
	}
	return errors.Join(worst, printErr)
}

// notReady is why a client is not ready, and what helps.
func (f *engineFlags) notReady(id string, err error) string {
	text := strings.TrimSuffix(describe(err), " Nothing was begun.") + " Nothing was changed."
	if s := stopOf(err); s != nil && s.class == cli.NeedsHuman {
		for _, a := range s.fixes(err) {
			text += "\n  fix: " + f.stopContext(id).line(a)
		}
	}
	return text
}

// checked is a report in the words of the command line.
func (f *engineFlags) checked(id string, report rotate.CheckReport, err error) checked {
	c := checked{
		ClientID: id, Ready: err == nil, State: report.State, Current: report.Current.String(), Source: report.Source,
		Pending: report.Pending, Requests: report.Calls, BilledTokens: report.BilledTokens, Places: []checkedPlace{},
	}
	for _, p := range report.Places {
		place := checkedPlace{Name: p.Name, Readable: p.Readable, Writable: p.Writable, Empty: p.Empty, Current: p.Current}
		if p.Err != nil {
			place.Problem = strings.ReplaceAll(flat(p.Err), "delivery failed: "+p.Name+": ", "")
		}
		c.Places = append(c.Places, place)
	}
	if err == nil {
		c.Run = &forecast{}
		c.Run.add(report.Run, float64(f.rate))
		return c
	}
	c.Class, c.Problem = cli.Classify(err), describe(err)
	if s := stopOf(err); s != nil {
		c.Class, c.Stop = s.class, s.name
		if s.err == rotate.ErrDelivery { //nolint:errorlint // it is the sentinel itself
			c.Class = cli.Refused // a place that does not work is what was looked for
		}
	}
	return c
}

// checkedPrinter prints plain words on a table's place, and records in the other formats.
func checkedPrinter(app *cli.App) (print func(checked) error, end func() error, err error) {
	if app.Flags.Output == cli.Table && app.Flags.Fields == nil {
		return func(c checked) error {
			_, err := fmt.Fprint(app.Out, c.words())
			return cli.PipeError(err)
		}, func() error { return nil }, nil
	}
	printer, err := cli.NewPrinter(app, checkedColumns...)
	if err != nil {
		return nil, nil, err
	}
	return printer.Print, printer.Close, nil
}

// words are what a person reads.
func (c checked) words() string {
	var b strings.Builder
	verdict := "ready"
	if !c.Ready {
		verdict = "not ready"
	}
	fmt.Fprintf(&b, "%s: %s\n", c.ClientID, verdict)
	row := func(what, text string) { fmt.Fprintf(&b, "  %-16s %s\n", what, text) }
	if c.State != "" {
		row("in progress", string(c.State))
	}
	for _, p := range c.Places {
		row("place", p.words())
	}
	current := c.Current
	if c.Source != "" {
		current += ", from " + c.Source
	}
	row("current secret", current)
	pending := "nothing"
	if c.Pending {
		pending = "a next secret"
	}
	row("pending", pending)
	if c.Run != nil {
		row("a run costs", counted(c.Run.Requests, "request")+", "+counted(c.Run.BilledTokens, "billed token"))
	}
	row("this check cost", counted(c.Requests, "request")+", "+counted(c.BilledTokens, "billed token"))
	return b.String()
}

func (p checkedPlace) words() string {
	var parts []string
	for _, part := range []struct {
		is   bool
		text string
	}{
		{p.Readable, "readable"}, {p.Writable, "writable"}, {p.Empty, "empty"}, {p.Current, "holds the current secret"}, {p.Problem != "", p.Problem},
	} {
		if part.is {
			parts = append(parts, part.text)
		}
	}
	if len(parts) == 0 {
		parts = []string{"cannot be checked"}
	}
	return p.Name + ": " + strings.Join(parts, ", ")
}
