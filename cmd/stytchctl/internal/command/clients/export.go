package clients

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
)

const longExport = `Write all {TITLE}s to stdout as NDJSON, for {GROUP} import: each line is one object
with its kind, its id and the fields that can be set. No secret is in it, since Stytch
shows none. If the command fails, the file is not complete.`

func (c *commands[T, C]) newExport() *cobra.Command {
	return &cobra.Command{
		Use: "export", Short: c.fill("Write all {TITLE}s to a file"), Long: c.fill(longExport), Args: cli.NoArgs,
		Example: c.fill("  stytchctl {GROUP} export >{GROUP}.ndjson"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("output") && c.app.Flags.Output != cli.NDJSON || c.app.Flags.JQ != "" || c.app.Flags.Fields != nil {
				return cli.Usagef("an export is NDJSON with all fields: leave out -o, --jq and --fields, or use list. %s", nothingSent)
			}
			return c.export(cmd.Context())
		},
	}
}

func (c *commands[T, C]) export(ctx context.Context) error {
	ctx, cancel := c.app.Context(ctx)
	defer cancel()
	_, project, err := c.project(ctx)
	if err != nil {
		return err
	}
	c.app.Flags.Output = cli.NDJSON
	printer, err := cli.NewPrinter[json.RawMessage](c.app)
	if err != nil {
		return err
	}
	progress := c.app.Progress()
	defer progress.Close()
	count := 0
	for object, err := range project.All(ctx, c.kind) {
		var line []byte
		if err == nil {
			line, err = c.kind.Export(object)
		}
		if err == nil {
			err = printer.Print(line)
		}
		if err != nil {
			return cli.Errorf("", "the export is not complete: %w", errors.Join(err, printer.Close()))
		}
		count++
		progress.Show("%d %ss exported", count, c.kind.Noun)
	}
	if err := printer.Close(); err != nil {
		return err
	}
	progress.Close()
	c.app.Note("%s", inventory.Count(count, c.kind.Noun)+" exported.")
	return nil
}
