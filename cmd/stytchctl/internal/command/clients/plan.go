package clients

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/destination"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/reconcile"
	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/internal/redact"
)

const manifestHelp = `The file is YAML with two lists, m2m_clients and connected_apps; one may be missing. Each
entry has the fields of the API:

  m2m_clients:
    - client_name: billing
      scopes: [write:invoices]
      trusted_metadata: {team: a}
  connected_apps:
    - client_name: portal
      client_type: third_party
      redirect_urls: ["https://portal.example.com/callback"]

An entry is known by its client_id, or else by its name, which must then be the only one
of the project. A field that an entry leaves out is left alone; a field that it has is
the whole value: scopes and metadata keys that are not in it are removed. What is in
no entry is left alone, unless --prune deletes it. --prune touches only the kinds whose
list is in the file, be it empty.`

const longPlan = `Compare the project with a file, print the differences, and change nothing. The exit code
is 0 if there are none, and 8 if there are.

`

const longApply = `Make the project what a file describes: print the differences, ask, and create, update
and, with --prune, delete. Applied twice, the second time does nothing. New secrets go to
--secret-to. If a step fails the others are done all the same, and the exit code is 8.

A terminal is asked first; elsewhere give --yes. In a live project, a plan that deletes
something is confirmed by typing the project id.

`

// maxManifest is far more than people write.
const maxManifest = 16 << 20

type planFlags struct {
	file  string
	prune bool
	to    string
}

func (c *commands[T, C]) newPlan() *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use: "plan -f FILE", Short: "Show how the project differs from a file", Long: longPlan + manifestHelp, Args: cli.NoArgs,
		Example: c.fill("  stytchctl {GROUP} plan -f clients.yaml"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := c.app.Context(cmd.Context())
			defer cancel()
			_, steps, err := c.plan(ctx, f)
			if err != nil {
				return err
			}
			err = c.printPlan(steps)
			if len(steps) > 0 { // drift counts, whether it can be printed or not
				return errors.Join(cli.Errorf(cli.Partial, "the project differs from the file: %s", reconcile.Summary(steps)), err)
			}
			if err == nil {
				c.app.Note("The project is as the file describes it.")
			}
			return err
		},
	}
	f.register(cmd)
	return cmd
}

func (f *planFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.file, "file", "f", "", "`file` with the desired state; - is stdin")
	cmd.Flags().BoolVar(&f.prune, "prune", false, "delete what the file does not have")
}

func (c *commands[T, C]) plan(ctx context.Context, f planFlags) (p inventory.Project, steps []reconcile.Step, err error) {
	if f.file == "" {
		return p, nil, cli.Usagef("--file is missing: name the file with the desired state. %s", nothingSent)
	}
	text, err := c.app.ReadFile("--file", f.file, maxManifest)
	if err != nil {
		return p, nil, err
	}
	m, err := inventory.ReadManifest(f.file, text)
	if err != nil {
		return p, nil, err
	}
	if _, p, err = c.project(ctx); err != nil {
		return p, nil, err
	}
	steps, err = reconcile.Plan(ctx, p, f.file, m, f.prune)
	return p, steps, err
}

var stepColumns = []cli.Column[reconcile.Step]{
	{Field: "action", Title: "ACTION"}, {Field: "kind", Title: "KIND"}, {Field: "client_id", Title: "CLIENT ID"},
	{Field: "client_name", Title: "NAME"}, {Field: "changes", Title: "CHANGES", Text: func(s reconcile.Step) string {
		return strings.Join(changes(s), "; ")
	}},
}

// printPlan prints the steps to stdout: as a diff for people, else in the format of -o.
func (c *commands[T, C]) printPlan(steps []reconcile.Step) error {
	if c.app.Flags.Output == cli.Table && c.app.Flags.Fields == nil {
		return cli.PipeError(writeDiff(c.app.Out, steps))
	}
	printer, err := cli.NewPrinter(c.app, stepColumns...)
	if err != nil {
		return err
	}
	for _, step := range steps {
		if err := printer.Print(step); err != nil {
			return err
		}
	}
	return printer.Close()
}

var marks = map[reconcile.Action]string{reconcile.Create: "+", reconcile.Update: "~", reconcile.Delete: "-"}

func writeDiff(to io.Writer, steps []reconcile.Step) error {
	for _, step := range steps {
		head := fmt.Sprintf("%s %s %s", marks[step.Action], step.Action, step.Kind)
		if step.ID != "" {
			head += " " + step.ID
		}
		if step.Name != "" {
			head += fmt.Sprintf(" (%s)", step.Name)
		}
		for i, line := range append([]string{head}, changes(step)...) {
			if i > 0 {
				line = "    " + line
			}
			if _, err := fmt.Fprintln(to, redact.Printable(line, 0)); err != nil {
				return err
			}
		}
	}
	return nil
}

// changes are the changes of a step, a line for each.
func changes(step reconcile.Step) (lines []string) {
	for _, change := range step.Changes {
		if step.Action == reconcile.Create {
			lines = append(lines, fmt.Sprintf("%s: %s", change.Field, change.To))
		} else {
			lines = append(lines, fmt.Sprintf("%s: %s -> %s", change.Field, change.From, change.To))
		}
	}
	return lines
}

var appliedColumns = []cli.Column[reconcile.Result]{
	{Field: "action", Title: "ACTION"}, {Field: "kind", Title: "KIND"}, {Field: "client_id", Title: "CLIENT ID"}, {Field: "client_name", Title: "NAME"},
	{Field: "done", Title: "RESULT", Text: func(r reconcile.Result) string {
		switch {
		case !r.Done:
			return "failed: " + r.Error
		case r.SecretTo != "":
			return "done, secret -> " + r.SecretTo
		}
		return "done"
	}},
}

func (c *commands[T, C]) newApply() *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use: "apply -f FILE", Short: "Make the project what a file describes", Long: longApply + manifestHelp + "\n\n" + destination.Help, Args: cli.NoArgs,
		Example: c.fill("  stytchctl {GROUP} apply -f clients.yaml --secret-to folder:/run/stytch"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.apply(cmd.Context(), f) },
	}
	f.register(cmd)
	cmd.Flags().StringVar(&f.to, "secret-to", "", "`destination` of new secrets, such as folder:DIR; never overwritten")
	return cmd
}

func (c *commands[T, C]) apply(ctx context.Context, f planFlags) error {
	ctx, cancel := c.app.Context(ctx)
	defer cancel()
	var place *destination.Place
	if f.to != "" {
		var err error
		if place, err = (&destination.Flags{To: f.to}).Place(c.app, "Nothing was changed."); err != nil {
			return err
		}
	}
	p, steps, err := c.plan(ctx, f)
	if err != nil {
		return err
	}
	if err := reconcile.CheckPlace(ctx, steps, place); err != nil {
		return err
	}
	if err := c.confirmApply(ctx, p, steps); err != nil {
		return err
	}
	printer, err := cli.NewPrinter(c.app, appliedColumns...)
	if err != nil {
		return err
	}
	failed := 0
	var printErr error
	err = reconcile.Apply(ctx, p, steps, place, func(r reconcile.Result) {
		if !r.Done {
			failed++
		}
		if err := printer.Print(r); printErr == nil { // what is begun goes on, though no one may read it
			printErr = err
		}
	})
	if len(steps) > 0 || c.app.Machine() {
		if err := printer.Close(); printErr == nil {
			printErr = err
		}
	}
	if err == nil && failed > 0 {
		err = cli.Errorf(cli.Partial, "%d of %d steps failed; see their results", failed, len(steps))
	}
	return errors.Join(err, printErr)
}

// confirmApply shows what a person is asked about.
func (c *commands[T, C]) confirmApply(ctx context.Context, p inventory.Project, steps []reconcile.Step) error {
	if len(steps) == 0 {
		c.app.Note("The project is as the file describes it: nothing is to be done.")
		return nil
	}
	if c.app.Interactive() && !c.app.Flags.Yes {
		if err := writeDiff(c.app.Err, steps); err != nil {
			return err
		}
	}
	word := ""
	if reconcile.Deletes(steps) && project.Environment(p.ID()) == "live" {
		word = p.ID()
	}
	return c.app.Confirm(ctx, fmt.Sprintf("Change project %s: %s?", p.ID(), reconcile.Summary(steps)), word)
}
