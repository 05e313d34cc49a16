package clients

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/destination"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/importer"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
)

const longImport = `Create the {TITLE}s of a file that the project does not have. FILE is what {GROUP}
export writes, or - for stdin.

Those that exist are left alone; if they differ from the file, that is reported, and
the exit code is 8, as it is if some cannot be created. {FOUND}

The command may be repeated at any time: nothing is created twice. A state file records
what was done after each step, so that an import that was interrupted or killed goes on
where it stopped: FILE.PROJECT-ID.state, or the one of --resume. It holds no secret.

Secrets of new {NOUN}s go to --secret-to{ORDER}.
`

const (
	foundClients = "A client is known by its\nclient_id, which stays the same, or by its name if it has no client_id."
	foundApps    = "An app is known by its\nname, since Stytch gives it a new id; without a secret file it is created as it is."
	orderClients = ",\neach before its client is created, so a crash loses none. While one goes to a program\n(exec:), it is also in a private file beside the state, whose name ends in .pending"
)

// maxImport bounds an import file, which is held in memory.
const maxImport = 512 << 20

type importFlags struct {
	to     destination.Flags
	dryRun bool
	resume string
	scopes []string
}

func (c *commands[T, C]) newImport() *cobra.Command {
	var f importFlags
	long := strings.NewReplacer("{FOUND}", foundApps, "{ORDER}", "").Replace(longImport)
	if c.kind == inventory.Clients {
		long = strings.NewReplacer("{FOUND}", foundClients, "{ORDER}", orderClients).Replace(longImport) + "\n" + inventory.Auth0Help + "\n"
	}
	cmd := &cobra.Command{
		Use: "import FILE", Short: c.fill("Create the {TITLE}s of a file"), Args: cli.Args("FILE"),
		Long: c.fill(long) + "\n" + destination.Help,
		Example: c.fill(`  stytchctl {GROUP} import {GROUP}.ndjson --dry-run
  stytchctl {GROUP} import {GROUP}.ndjson --secret-to folder:/run/stytch`),
		RunE: func(cmd *cobra.Command, args []string) error { return c.load(cmd, args[0], f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.to.To, "secret-to", "", "`destination` of new secrets, such as folder:DIR; never overwritten")
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what would be created, and create nothing")
	flags.StringVar(&f.resume, "resume", "", "`file` with the state of the import; FILE.PROJECT-ID.state by default")
	if c.kind == inventory.Clients {
		flags.StringArrayVar(&f.scopes, "scope", nil, "`scope` of the clients that have none in the file; may be given several times")
	}
	return cmd
}

var resultColumns = []cli.Column[importer.Result]{
	{Field: "line", Title: "LINE"},
	{Field: "client_id", Title: "CLIENT ID", Text: func(r importer.Result) string { return r.ClientID }},
	{Field: "client_name", Title: "NAME", Text: func(r importer.Result) string { return r.Name }},
	{Field: "result", Title: "RESULT", Text: func(r importer.Result) string { return string(r.Outcome) }},
	{Field: "detail", Title: "DETAIL", Text: func(r importer.Result) string {
		if r.SecretTo != "" {
			return "secret -> " + r.SecretTo
		}
		return r.Detail
	}},
}

func (c *commands[T, C]) load(cmd *cobra.Command, name string, f importFlags) error {
	ctx, cancel := c.app.Context(cmd.Context())
	defer cancel()
	if name == "-" && f.resume == "" && !f.dryRun {
		return cli.Usagef("stdin has no name for a state file: give --resume FILE. %s", nothingCreated)
	}
	file, err := c.readImport(name, f)
	if err != nil {
		return err
	}
	var place *destination.Place
	if f.to.To != "" {
		if place, err = f.to.Place(c.app, nothingCreated); err != nil {
			return err
		}
	}
	_, project, err := c.project(ctx)
	if err != nil {
		return err
	}
	open, path := importer.Open, f.resume
	if f.dryRun {
		open = importer.Look
	}
	if path == "" {
		path = name + "." + project.ID() + ".state"
	}
	state, err := open(path, project, c.kind)
	if err != nil {
		return err
	}
	printer, err := cli.NewPrinter(c.app, resultColumns...)
	if err != nil {
		return errors.Join(err, state.Close())
	}
	progress := c.app.Progress()
	defer progress.Close()
	counts := map[importer.Outcome]int{}
	var printErr error
	report := func(r importer.Result) {
		counts[r.Outcome]++
		progress.Show("%d of %d", sum(counts), len(file.Entries)+len(file.Skipped))
		if err := printer.Print(r); printErr == nil { // what is begun goes on, though no one may read it
			printErr = err
		}
	}
	for _, s := range file.Skipped {
		report(importer.Result{Line: s.Line, ClientID: s.ID, Name: s.Name, Outcome: importer.Skipped, Detail: s.Cause})
	}
	run := importer.Import{Project: project, Kind: c.kind, Place: place, State: state, DryRun: f.dryRun, Report: report}
	err = run.Run(ctx, file.Entries)
	if closed := printer.Close(); printErr == nil {
		printErr = closed
	}
	err = errors.Join(err, state.Close())
	progress.Close()
	c.summarize(file, counts)
	if bad := counts[importer.Failed] + counts[importer.Differs]; bad > 0 && err == nil {
		err = cli.Errorf(cli.Partial, "%d of %d entries are not in the project as the file describes them; see their details", bad, len(file.Entries))
	}
	return errors.Join(err, printErr)
}

func (c *commands[T, C]) readImport(name string, f importFlags) (*inventory.File, error) {
	data, err := c.app.ReadFile("FILE", name, maxImport)
	if err != nil {
		return nil, err
	}
	file, err := inventory.ReadFile(name, data, c.kind)
	if err != nil {
		return nil, err
	}
	return file, file.AddScopes(name, f.scopes)
}

// summarize says in a line how many had which outcome, and what of a foreign file was left out.
func (c *commands[T, C]) summarize(file *inventory.File, counts map[importer.Outcome]int) {
	var parts []string
	for _, outcome := range []importer.Outcome{importer.Created, importer.Missing, importer.Exists, importer.Differs, importer.Skipped, importer.Failed} {
		if n := counts[outcome]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, outcome))
		}
	}
	if len(parts) > 0 {
		c.app.Note("%s", strings.Join(parts, ", "))
	}
	if len(file.Ignored) > 0 {
		var fields []string
		for _, field := range slices.Sorted(maps.Keys(file.Ignored)) {
			fields = append(fields, fmt.Sprintf("%s (%d)", field, file.Ignored[field]))
		}
		c.app.Note("These fields have no counterpart in Stytch and were left out: %s", strings.Join(fields, ", "))
	}
	if file.Foreign && len(file.Entries) > 0 {
		c.app.Note("The ids are those of Auth0: a verifier of this SDK must name them (verify.WithClientIDs).")
	}
}

func sum(counts map[importer.Outcome]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}
