package rotate

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/journal"
	"github.com/stytchkit/m2m/stytch/rotate/audit"
)

const fsckLong = `Looks for what is wrong in the journal: records that cannot be read or decrypted, or that
belong to another project or client; claims of processes that died; in a folder, files that
are none of the journal's. With --audit it verifies the chain of the audit log too. It
changes nothing, and sends nothing.

It prints the findings. Exit codes: 0 without any; 9 with some; 6 if the journal cannot be
looked at.`

// A finding is something that is wrong.
type finding struct {
	Problem string `json:"problem"`
	Type    string `json:"error_type,omitempty"`
}

func newFsck(app *cli.App) *cobra.Command {
	f := &journalFlags{}
	var auditPath string
	cmd := &cobra.Command{
		Use: "fsck", Short: "Look for what is wrong in the journal", Long: fsckLong,
		Example: "  stytchctl rotate fsck --journal /var/lib/rotation --journal-key-file key --audit /var/log/rotation.ndjson",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.onJournal(cmd.Context(), app, func(ctx context.Context, j *journal.Opened) error {
				return f.fsck(ctx, app, j, auditPath)
			})
		},
	}
	f.register(cmd.Flags())
	cmd.Flags().StringVar(&auditPath, "audit", "", "`file` of an audit log to verify")
	return cmd
}

func (f *journalFlags) fsck(ctx context.Context, app *cli.App, j *journal.Opened, auditPath string) error {
	found, err := j.Inspect(ctx)
	if err != nil {
		return stopped(ctx, err, f.stopContext(""))
	}
	if auditPath != "" {
		summary, err := verify(auditPath)
		switch {
		case errors.Is(err, audit.ErrBroken):
			found = append(found, fmt.Errorf("%s: %w", auditPath, err))
		case err != nil:
			return err
		default:
			app.Note("The audit log has %d lines; the last one has SHA-256 %s.", summary.Lines, summary.Last)
		}
	}
	printer, err := cli.NewPrinter(app, cli.Column[finding]{Field: "problem", Title: "PROBLEM"}, cli.Column[finding]{Field: "error_type", Title: "STOP"})
	if err != nil {
		return err
	}
	for _, problem := range found {
		one := finding{Problem: describe(problem)}
		if s := stopOf(problem); s != nil {
			one.Type = s.name
		}
		if err = printer.Print(one); err != nil {
			break // its error comes again from Close
		}
	}
	err = printer.Close()
	if len(found) > 0 { // what was found counts, whether it can be printed or not
		err = errors.Join(cli.Errorf(cli.Refused, "%s in the journal", counted(len(found), "problem")), err)
	}
	return err
}

func verify(path string) (audit.Summary, error) {
	file, err := os.Open(path) //nolint:gosec // the user names it
	if err != nil {
		return audit.Summary{}, cli.Usagef("--audit: %w", err)
	}
	defer func() { _ = file.Close() }()
	return audit.Verify(file)
}
