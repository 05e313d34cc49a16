package contract

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/stytchkit/m2m/api"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

const (
	maxContract = 16 << 20
	embedded    = "embedded"
)

func newDiff(app *cli.App) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "diff OLD NEW", Short: "Compare two contracts",
		Long: `Compares two OpenAPI files, value by value, and prints what was added, removed and changed.
Either may be "embedded", the contract of this program, and one may be - for stdin. Texts
and examples are left out without --all. Nothing is sent. Exit code 8 means that they
differ.`,
		Example: "  stytchctl contract diff embedded new.yaml",
		Args:    cli.Args("OLD, a file", "NEW, a file"),
		RunE: func(_ *cobra.Command, args []string) error {
			before, err := read(app, "OLD", args[0])
			if err != nil {
				return err
			}
			after, err := read(app, "NEW", args[1])
			if err != nil {
				return err
			}
			c := &comparison{all: all}
			c.compare("", before, after)
			return printChanges(app, c.changes)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "compare texts and examples, too")
	return cmd
}

func read(app *cli.App, argument, name string) (any, error) {
	text := api.OpenAPI
	if name != embedded {
		var err error
		if text, err = app.ReadFile(argument, name, maxContract); err != nil {
			return nil, err
		}
	}
	var document map[string]any
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, cli.Usagef("%s: it is not YAML or JSON: %s. Nothing was compared.", argument, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if document["openapi"] == nil {
		return nil, cli.Usagef("%s: it is not an OpenAPI file: the key openapi is missing. Nothing was compared.", argument)
	}
	return document, nil
}

func printChanges(app *cli.App, changes []change) error {
	printer, err := cli.NewPrinter(app,
		cli.Column[change]{Field: "change", Title: "CHANGE"},
		cli.Column[change]{Field: "path", Title: "WHERE"},
		cli.Column[change]{Field: "old", Title: "OLD"},
		cli.Column[change]{Field: "new", Title: "NEW"})
	if err != nil {
		return err
	}
	for _, c := range changes {
		if err := printer.Print(c); err != nil {
			return err
		}
	}
	if err := printer.Close(); err != nil || len(changes) == 0 {
		return err
	}
	return &cli.Error{Class: cli.Partial, Type: "differ", Message: fmt.Sprintf("the contracts differ in %d places", len(changes))}
}
