package emulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

func newFaults(r *remote) *cobra.Command {
	return r.group("faults", "Make operations fail", `Faults make operations of the emulator fail: with an error, a dropped response, a delay, or a body
that is no JSON.`, newFaultsList(r), newFaultsAdd(r), newFaultsRemove(r), newFaultsClear(r))
}

func newFaultsList(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List faults with what is left of them",
		Long: `Prints the faults in the order in which they apply, how often each struck,
and how often it still will.`,
		Example: "  stytchctl emulator faults list",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := call[admin.Faults](cmd.Context(), r, http.MethodGet, "/faults", nil)
			if err != nil {
				return err
			}
			p, err := cli.NewPrinter(r.app, faultColumns...)
			if err != nil {
				return err
			}
			for _, f := range list.Faults {
				if err := p.Print(f); err != nil {
					return err
				}
			}
			return p.Close()
		},
	}
}

var faultColumns = []cli.Column[admin.ActiveFault]{
	{Field: "id", Title: "ID"},
	{Field: "fault.operation", Title: "OPERATION"},
	{Field: "fault.kind", Title: "KIND"},
	{Field: "seen", Title: "SEEN"},
	{Field: "struck", Title: "STRUCK"},
	{Field: "left", Title: "LEFT", Text: func(f admin.ActiveFault) string {
		if f.Left == nil {
			return "no limit"
		}
		return strconv.Itoa(*f.Left)
	}},
}

// A faultSpec is a fault as flags describe it. The server checks it: it knows the rules.
type faultSpec struct {
	Operation   string `json:"operation,omitempty"`
	Kind        string `json:"kind"`
	Status      int    `json:"status,omitempty"`
	ErrorType   string `json:"error_type,omitempty"`
	Latency     string `json:"latency,omitempty"`
	RetryAfter  string `json:"retry_after,omitempty"`
	AfterEffect bool   `json:"after_effect,omitempty"`
	After       int    `json:"after,omitempty"`
	Times       int    `json:"times,omitempty"`
	Each        int    `json:"each,omitempty"`
}

func newFaultsAdd(r *remote) *cobra.Command {
	var spec faultSpec
	cmd := &cobra.Command{
		Use: "add", Short: "Make an operation fail",
		Long: `Adds a fault. Without --times it applies until it is removed.

The kinds: drop_response (the operation is carried out, and its response is lost), reset,
latency, slow_body, html, garbage, empty_body, cut_body, rate_limited, status, error_type.
The operations are those of the contract: stytchctl contract show.`,
		Example: `  stytchctl emulator faults add --kind drop_response --operation StartM2MClientSecretRotation --times 1
  stytchctl emulator faults add --kind latency --latency 2s
  stytchctl emulator faults add --kind status --status 503 --operation CreateM2MClient --each 3`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if spec.Kind == "" {
				return cli.Usagef("--kind is missing: see stytchctl emulator faults add --help. Nothing was sent.")
			}
			text, err := json.Marshal(spec)
			if err != nil {
				return err
			}
			added, err := call[admin.ActiveFault](cmd.Context(), r, http.MethodPost, "/faults", json.RawMessage(text))
			if err != nil {
				return err
			}
			return cli.PrintOne(r.app, added, faultColumns...)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&spec.Operation, "operation", "", "`operation` of the contract that fails; all of them if it is left out")
	flags.StringVar(&spec.Kind, "kind", "", "`kind` of the fault")
	flags.IntVar(&spec.Status, "status", 0, "`status` of the response, for status, html, garbage and empty_body")
	flags.StringVar(&spec.ErrorType, "error-type", "", "`error_type` of the contract, for error_type")
	flags.StringVar(&spec.Latency, "latency", "", "`duration` to wait, such as 250ms")
	flags.StringVar(&spec.RetryAfter, "retry-after", "", "`value` of the header Retry-After, for rate_limited")
	flags.BoolVar(&spec.AfterEffect, "after-effect", false, "carry out the operation before it fails")
	flags.IntVar(&spec.After, "after", 0, "skip this `number` of requests first")
	flags.IntVar(&spec.Times, "times", 0, "apply this `number` of times; 0 is without end")
	flags.IntVar(&spec.Each, "each", 0, "apply to every `n`-th request only")
	return cmd
}

func newFaultsRemove(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "remove ID...", Short: "Remove faults",
		Long:    `Removes faults by the ids that faults list prints.`,
		Example: "  stytchctl emulator faults remove fault-1",
		Args:    cli.Args("ID..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			for i, id := range args {
				if _, err := call[none](cmd.Context(), r, http.MethodDelete, "/faults/"+url.PathEscape(id), nil); err != nil {
					if i == 0 {
						return err
					}
					return cli.Errorf(cli.Partial, "%s: %w Removed before: %s.", id, err, strings.Join(args[:i], ", "))
				}
			}
			return nil
		},
	}
}

func newFaultsClear(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "clear", Short: "Remove all faults", Long: `Removes all faults.`, Example: "  stytchctl emulator faults clear", Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := call[none](cmd.Context(), r, http.MethodDelete, "/faults", nil)
			return err
		},
	}
}
