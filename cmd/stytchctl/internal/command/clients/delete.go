package clients

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
	"github.com/stytchkit/m2m/internal/project"
)

const longDelete = `Delete {TITLE}s for good. Tokens that they already have stay valid until they expire.

A terminal is asked first; in a live project each id must be typed. Elsewhere give
--yes. If one of several cannot be deleted, the others are deleted all the same, each
failure is named, and the exit code is 8.`

// A deletion is what became of one id.
type deletion struct {
	ClientID string    `json:"client_id"`
	Deleted  bool      `json:"deleted"`
	Class    cli.Class `json:"class,omitempty"`
	Error    string    `json:"error,omitempty"`
}

var deletionColumns = []cli.Column[deletion]{
	{Field: "client_id", Title: "CLIENT ID"},
	{Field: "deleted", Title: "RESULT", Text: func(d deletion) string {
		if d.Deleted {
			return "deleted"
		}
		return "not deleted: " + d.Error
	}},
}

func (c *commands[T, C]) newDelete() *cobra.Command {
	return &cobra.Command{
		Use: "delete ID...", Short: c.fill("Delete {TITLE}s"), Long: c.fill(longDelete), Args: cli.Args("ID..."),
		Example: c.fill("  stytchctl {GROUP} delete {ID}"),
		RunE:    func(cmd *cobra.Command, ids []string) error { return c.remove(cmd, ids) },
	}
}

func (c *commands[T, C]) remove(cmd *cobra.Command, ids []string) error {
	ctx, cancel := c.app.Context(cmd.Context())
	defer cancel()
	if twice := repeated(ids); twice != "" {
		return cli.Usagef("%s is there twice. Nothing was deleted.", twice)
	}
	_, p, err := c.project(ctx)
	if err != nil {
		return err
	}
	if err := c.confirmDelete(ctx, p, ids); err != nil {
		return err
	}
	printer, err := cli.NewPrinter(c.app, deletionColumns...)
	if err != nil {
		return err
	}
	var failures []error
	var printErr error
	for i, id := range ids {
		err := p.Delete(ctx, c.kind, id)
		class := cli.Classify(err)
		switch {
		case err != nil && (len(ids) == 1 || class == cli.Auth || class == cli.Interrupted):
			return errors.Join(stoppedBefore(c.kind, ids[i:], err), printer.Close())
		case err != nil:
			failures = append(failures, fmt.Errorf("%s: %w", id, err))
			err = printer.Print(deletion{ClientID: id, Class: class, Error: err.Error()})
		default:
			err = printer.Print(deletion{ClientID: id, Deleted: true})
		}
		if printErr == nil { // what is begun goes on, though no one may read it
			printErr = err
		}
	}
	if err := printer.Close(); printErr == nil {
		printErr = err
	}
	if len(failures) > 0 {
		err = cli.Errorf(cli.Partial, "%d of %d %ss were not deleted:\n%w", len(failures), len(ids), c.kind.Noun, errors.Join(failures...))
	}
	return errors.Join(err, printErr)
}

// stoppedBefore says which of several ids are left when the command cannot go on.
func stoppedBefore(k *inventory.Kind, left []string, err error) error {
	if len(left) < 2 {
		return err
	}
	return fmt.Errorf("%w\nThese %ss were not deleted: %s", err, k.Noun, strings.Join(left, " "))
}

// confirmDelete asks once for all, or in a live project for each.
func (c *commands[T, C]) confirmDelete(ctx context.Context, p inventory.Project, ids []string) error {
	if project.Environment(p.ID()) != "live" {
		what := c.kind.Noun + " " + ids[0]
		if len(ids) > 1 {
			what = fmt.Sprintf("%d %ss", len(ids), c.kind.Noun)
		}
		return c.app.Confirm(ctx, "Delete "+what+" for good?", "")
	}
	for _, id := range ids {
		if err := c.app.Confirm(ctx, fmt.Sprintf("Delete %s %s of the live project for good?", c.kind.Noun, id), id); err != nil {
			return err
		}
	}
	return nil
}

func repeated(ids []string) string {
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id] {
			return id
		}
		seen[id] = true
	}
	return ""
}
