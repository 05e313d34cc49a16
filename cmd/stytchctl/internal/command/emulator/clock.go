package emulator

import (
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

func newClock(r *remote) *cobra.Command {
	return r.group("clock", "Travel in time", `The clock of the emulator: tokens, keys and the request log use it. It always ticks.`,
		newClockShow(r), newClockSet(r), newClockAdvance(r), newClockReal(r))
}

func newClockShow(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Show the clock", Long: `Prints what the clock shows, and how far it is from real time.`,
		Example: "  stytchctl emulator clock show", Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.clock(cmd, http.MethodGet, nil) },
	}
}

func (r *remote) clock(cmd *cobra.Command, method string, body any) error {
	c, err := call[admin.Clock](cmd.Context(), r, method, "/clock", body)
	if err != nil {
		return err
	}
	return cli.PrintOne(r.app, c,
		cli.Column[admin.Clock]{Field: "now", Title: "NOW", Text: func(c admin.Clock) string { return c.Now.Format(time.RFC3339) }},
		cli.Column[admin.Clock]{Field: "offset", Title: "FROM REAL TIME"})
}

func newClockSet(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "set TIME", Short: "Let the clock show a time",
		Long:    `Sets the clock to a time of RFC 3339, from 1970 to the end of 2199. It ticks from there.`,
		Example: "  stytchctl emulator clock set 2030-01-01T00:00:00Z", Args: cli.Args("TIME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := time.Parse(time.RFC3339, args[0])
			if err != nil {
				return cli.Usagef("TIME: it must be a time such as 2030-01-01T00:00:00Z. Nothing was sent.")
			}
			return r.clock(cmd, http.MethodPut, admin.SetClockRequest{Now: &to})
		},
	}
}

func newClockAdvance(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "advance DURATION", Short: "Move the clock",
		Long: `Moves the clock forward by a duration such as 90s, 15m or 1h30m.
After --, a negative one moves it back.`,
		Example: "  stytchctl emulator clock advance 1h\n  stytchctl emulator clock advance -- -30m", Args: cli.Args("DURATION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := time.ParseDuration(args[0]); err != nil {
				return cli.Usagef("DURATION: it must be a duration such as 90s, 15m or 1h30m. Nothing was sent.")
			}
			return r.clock(cmd, http.MethodPut, admin.SetClockRequest{Advance: args[0]})
		},
	}
}

func newClockReal(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "real", Short: "Return the clock to real time", Long: `Returns the clock to real time.`,
		Example: "  stytchctl emulator clock real", Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return r.clock(cmd, http.MethodPut, admin.SetClockRequest{Real: true})
		},
	}
}
