package contract

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/stytchkit/m2m/api"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/internal/contractdiff"
)

const (
	maxContract = 16 << 20
	embedded    = "embedded"
)

func newDiff(app *cli.App) *cobra.Command {
	var all, breaks bool
	cmd := &cobra.Command{
		Use: "diff OLD NEW", Short: "Compare two contracts",
		Long: `Compares two OpenAPI files and prints what was added, removed and changed, and what it means
to callers: a break is something that worked or could be relied on before, an addition is
something that callers can do or get, and the rest is documentation, which is left out
without --all. What no rule knows counts as a break. -o json says why. Either may be
"embedded", the contract of this program, and one may be - for stdin. Nothing is sent. Exit
code 8 means that they differ.`,
		Example: "  stytchctl contract diff embedded new.yaml\n  stytchctl contract diff embedded new.yaml --breaks --jq '.[].why'",
		Args:    cli.Args("OLD, a file", "NEW, a file"),
		RunE: func(_ *cobra.Command, args []string) error {
			if all && breaks {
				return cli.Usagef("--all and --breaks contradict each other: use one of them. Nothing was compared.")
			}
			before, err := read(app, "OLD", args[0])
			if err != nil {
				return err
			}
			after, err := read(app, "NEW", args[1])
			if err != nil {
				return err
			}
			changes := slices.DeleteFunc(contractdiff.Compare(before, after), func(c contractdiff.Change) bool {
				return breaks && c.Kind != contractdiff.Break || !all && c.Kind == contractdiff.Documentation
			})
			return printChanges(app, changes)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "print documentation, too: texts, examples, and the order of lists")
	cmd.Flags().BoolVar(&breaks, "breaks", false, "print breaks alone, and exit with 8 only for them")
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

func printChanges(app *cli.App, changes []contractdiff.Change) error {
	type column = cli.Column[contractdiff.Change]
	printer, err := cli.NewPrinter(app,
		column{Field: "kind", Title: "KIND"}, column{Field: "change", Title: "CHANGE"}, column{Field: "path", Title: "WHERE"},
		column{Field: "old", Title: "OLD"}, column{Field: "new", Title: "NEW"})
	if err != nil {
		return err
	}
	breaks := 0
	for _, c := range changes {
		if c.Kind == contractdiff.Break {
			breaks++
		}
		if err := printer.Print(c); err != nil {
			return err
		}
	}
	if err := printer.Close(); err != nil || len(changes) == 0 {
		return err
	}
	return &cli.Error{Class: cli.Partial, Type: "differ", Message: fmt.Sprintf("the contracts differ in %d places, of which %d break callers", len(changes), breaks)}
}
