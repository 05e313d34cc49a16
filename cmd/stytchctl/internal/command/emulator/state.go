package emulator

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

const maxState = 256 << 20

func newState(r *remote) *cobra.Command {
	return r.group("state", "Export and import the content of the project", `The content of the project: clients, apps, counters, behavior, clock and faults.`,
		newExport(r), newImport(r))
}

func newExport(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "export", Short: "Print the content of the project",
		Long: `Prints the content of the project as one JSON object, for state import. Secrets of clients are
in it as hashes. The secret of the project and the private keys are not in it.`,
		Example: "  stytchctl emulator state export > state.json",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := r.app.Context(cmd.Context())
			defer cancel()
			response, err := r.open(ctx, http.MethodGet, "/state", nil, nil)
			if err != nil {
				return err
			}
			defer response.Body.Close()
			text, err := io.ReadAll(io.LimitReader(response.Body, maxReply))
			if err != nil {
				return noAnswer(ctx, http.MethodGet, "the emulator", err)
			}
			return cli.PrintText(r.app, text)
		},
	}
}

func newImport(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "import FILE", Short: "Replace the content of the project",
		Long: `Replaces the content of the project with a file that state export wrote; - is stdin. Id, secret,
issuer and signing keys of the project stay. If a part of the file cannot be used, nothing is
changed (exit code 2). The request log is emptied.`,
		Example: "  stytchctl emulator state import state.json",
		Args:    cli.Args("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := r.app.ReadFile("FILE", args[0], maxState)
			if err != nil {
				return err
			}
			if !json.Valid(text) {
				return cli.Usagef("FILE: it is not JSON: give a file that stytchctl emulator state export wrote. Nothing was sent.")
			}
			summary, err := call[admin.Summary](cmd.Context(), r, http.MethodPut, "/state", json.RawMessage(text))
			if err != nil {
				return err
			}
			return printSummary(r.app, summary)
		},
	}
}

func newReset(r *remote) *cobra.Command {
	var request admin.ResetRequest
	var keep []string
	cmd := &cobra.Command{
		Use: "reset", Short: "Start the project again, without a restart",
		Long: `Returns to the seed, or to an empty project with --to empty. The clock, the counters and the
request log start again too. Id and secret of the project stay.`,
		Example: "  stytchctl emulator reset\n  stytchctl emulator reset --to empty --keep keys,faults",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !request.To.Valid() {
				return cli.Usagef("--to: it must be seed or empty. Nothing was sent.")
			}
			request.Keep = nil
			for _, name := range keep {
				k := admin.ResetRequestKeep(name)
				if !k.Valid() {
					return cli.Usagef("--keep: %q is not keys or faults. Nothing was sent.", name)
				}
				request.Keep = append(request.Keep, k)
			}
			summary, err := call[admin.Summary](cmd.Context(), r, http.MethodPost, "/reset", request)
			if err != nil {
				return err
			}
			return printSummary(r.app, summary)
		},
	}
	cmd.Flags().StringVar((*string)(&request.To), "to", "seed", "`what` to return to: seed or empty")
	cmd.Flags().StringSliceVar(&keep, "keep", nil, "`what` stays, separated by commas: keys, faults")
	return r.command(cmd)
}

func printSummary(app *cli.App, summary admin.Summary) error {
	return cli.PrintOne(app, summary,
		cli.Column[admin.Summary]{Field: "project_id", Title: "PROJECT"},
		cli.Column[admin.Summary]{Field: "m2m_clients", Title: "M2M CLIENTS"},
		cli.Column[admin.Summary]{Field: "connected_apps", Title: "CONNECTED APPS"},
		cli.Column[admin.Summary]{Field: "keys", Title: "KEYS"},
		cli.Column[admin.Summary]{Field: "faults", Title: "FAULTS"})
}

func newHealthcheck(r *remote) *cobra.Command {
	return r.command(&cobra.Command{
		Use: "healthcheck", Short: "Check that the emulator is ready",
		Long: `Succeeds if the emulator can serve requests, and fails with exit code 6 if it cannot, or if there
is none: for the health check of a container. It needs no admin token.`,
		Example: "  stytchctl emulator healthcheck --timeout 2s",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			health, err := call[admin.Health](cmd.Context(), r, http.MethodGet, "/ready", nil)
			if err != nil {
				return err
			}
			return cli.PrintOne(r.app, health, cli.Column[admin.Health]{Field: "status", Title: "STATUS"})
		},
	})
}
