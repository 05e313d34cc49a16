// Package doctor has the command that looks for what keeps the others from working.
package doctor

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/profile"
)

// New is stytchctl doctor.
func New(app *cli.App) *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Find out why something does not work",
		Long: `Checks, one after the other, the profiles and the permissions of their files, the keyring,
the credentials, the proxy of the environment, whether the name of the API resolves,
whether a connection and TLS succeed, the key set, the clock of this machine, and whether
Stytch accepts the credentials. Each fault comes with what to do about it. A check that
depends on one that failed is skipped.

Nothing is changed and nothing is billed. Exit code 9 means that there is a fault.`,
		Example: "  stytchctl doctor\n  stytchctl doctor -o json --profile prod",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := app.Context(cmd.Context())
			defer cancel()
			e := &examination{app: app, profiles: profile.New(app.Getenv)}
			e.run(ctx)
			if err := ctx.Err(); err != nil {
				return err
			}
			return report(app, e.findings)
		},
	}
}

func report(app *cli.App, findings []finding) error {
	printer, err := cli.NewPrinter(app,
		cli.Column[finding]{Field: "check", Title: "CHECK"},
		cli.Column[finding]{Field: "result", Title: "RESULT"},
		cli.Column[finding]{Field: "message", Title: "WHAT WAS FOUND", Text: func(f finding) string {
			if f.Do == "" {
				return f.Message
			}
			return f.Message + ": " + f.Do
		}})
	if err != nil {
		return err
	}
	faults, printErr := 0, error(nil)
	for _, f := range findings {
		if f.Result == fault {
			faults++
		}
		if err := printer.Print(f); printErr == nil { // what was found counts, whether it can be printed or not
			printErr = err
		}
	}
	if err := printer.Close(); printErr == nil {
		printErr = err
	}
	message := "doctor found a fault"
	switch {
	case faults == 0 && printErr == nil:
		app.Note("No fault was found.")
		return nil
	case faults == 0:
		return printErr
	case faults > 1:
		message = fmt.Sprintf("doctor found %d faults", faults)
	}
	return errors.Join(&cli.Error{Class: cli.Refused, Type: "fault", Message: message}, printErr)
}
