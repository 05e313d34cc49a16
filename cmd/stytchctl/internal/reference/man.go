package reference

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

// NewMan is stytchctl man.
func NewMan(app *cli.App) *cobra.Command {
	return &cobra.Command{
		Use: "man DIR", Short: "Write the man pages",
		Long: `Writes a man page for each command into DIR, which is created if it does not exist. Pages
with the same names are replaced. SOURCE_DATE_EPOCH sets their date, for builds that must
be reproducible.`,
		Example: "  stytchctl man /usr/local/share/man/man1",
		Args:    cli.Args("the DIR for the pages"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // for everybody to read
				return cli.Usagef("%w. Nothing was written.", err)
			}
			n, err := writePages(app, cmd.Root(), args[0])
			if err != nil {
				return err
			}
			app.Note("Wrote %d pages to %s.", n, args[0])
			return nil
		},
	}
}

func writePages(app *cli.App, root *cobra.Command, dir string) (int, error) {
	date := app.Now()
	if text := app.Getenv("SOURCE_DATE_EPOCH"); text != "" {
		var err error
		if date, err = epoch(text); err != nil {
			return 0, cli.Usagef("SOURCE_DATE_EPOCH: %w. Nothing was written.", err)
		}
	}
	n := 0
	for cmd := range commands(root) {
		if err := cli.WriteFile(filepath.Join(dir, pageName(cmd)+".1"), []byte(manPage(cmd, date)), 0o644); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func epoch(text string) (time.Time, error) {
	var seconds int64
	if _, err := fmt.Sscanf(text, "%d", &seconds); err != nil {
		return time.Time{}, fmt.Errorf("it must be a number of seconds since 1970")
	}
	return time.Unix(seconds, 0).UTC(), nil
}
