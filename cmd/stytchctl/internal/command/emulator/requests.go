package emulator

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

func newRequests(r *remote) *cobra.Command {
	return r.group("requests", "Read the request log", `The last 10,000 requests that the emulator answered, without headers, queries and bodies. Each has
a reason if it was refused or if a fault struck.`,
		newRequestsList(r), newRequestsShow(r), newRequestsFollow(r), newRequestsCount(r), newRequestsClear(r))
}

var requestColumns = []cli.Column[admin.LoggedRequest]{
	{Field: "id", Title: "ID"},
	{Field: "time", Title: "TIME", Text: func(q admin.LoggedRequest) string { return q.Time.Format(time.RFC3339) }},
	{Field: "status", Title: "STATUS", Text: func(q admin.LoggedRequest) string {
		if q.Status == 0 {
			return "none"
		}
		return strconv.Itoa(q.Status)
	}},
	{Field: "method", Title: "METHOD"},
	{Field: "path", Title: "PATH"},
	{Field: "reason", Title: "REASON"},
}

// A filter is what the flags of list and count choose.
type filter struct {
	after               int64
	operation, clientID string
	status              int
}

func (f *filter) register(cmd *cobra.Command) {
	cmd.Flags().Int64Var(&f.after, "after", 0, "only requests with an id above this `id`")
	cmd.Flags().StringVar(&f.operation, "operation", "", "only requests of this `operation` of the contract")
	cmd.Flags().IntVar(&f.status, "status", 0, "only requests with this `status`; 0 is a response that a fault dropped")
}

func (f *filter) check() error {
	if f.after < 0 || f.status < 0 {
		return cli.Usagef("--after, --status: they must not be negative. Nothing was sent.")
	}
	return nil
}

func newRequestsList(r *remote) *cobra.Command {
	var f filter
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List requests",
		Long:    `Prints the newest requests, oldest first; with --after, those that follow an id.`,
		Example: "  stytchctl emulator requests list --status 401\n  stytchctl emulator requests list --after 120 -o ndjson",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			query := url.Values{"limit": {strconv.Itoa(limit)}}
			if f.after > 0 {
				query.Set("after", strconv.FormatInt(f.after, 10))
			}
			if f.operation != "" {
				query.Set("operation", f.operation)
			}
			if cmd.Flags().Changed("status") {
				query.Set("status", strconv.Itoa(f.status))
			}
			list, err := call[admin.Requests](cmd.Context(), r, http.MethodGet, "/requests?"+query.Encode(), nil)
			if err != nil {
				return err
			}
			if list.Discarded > 0 && f.after > 0 {
				r.app.Warn("the log no longer has %d of the requests after %d", list.Discarded, f.after)
			}
			p, err := cli.NewPrinter(r.app, requestColumns...)
			if err != nil {
				return err
			}
			for _, q := range list.Requests {
				if err := p.Print(q); err != nil {
					return err
				}
			}
			return p.Close()
		},
	}
	f.register(cmd)
	cmd.Flags().IntVar(&limit, "limit", 100, "print at most this `number` of requests")
	return cmd
}

func newRequestsShow(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show one request", Long: `Prints one request of the log with everything that is known about it.`,
		Example: "  stytchctl emulator requests show 17 -o json", Args: cli.Args("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := strconv.ParseInt(args[0], 10, 64); err != nil {
				return cli.Usagef("ID: it must be the number of a request. Nothing was sent.")
			}
			q, err := call[admin.LoggedRequest](cmd.Context(), r, http.MethodGet, "/requests/"+args[0], nil)
			if err != nil {
				return err
			}
			columns := append([]cli.Column[admin.LoggedRequest]{}, requestColumns...)
			return cli.PrintOne(r.app, q, append(columns,
				cli.Column[admin.LoggedRequest]{Field: "client_id", Title: "CLIENT"},
				cli.Column[admin.LoggedRequest]{Field: "request_id", Title: "REQUEST ID"})...)
		},
	}
}

func newRequestsCount(r *remote) *cobra.Command {
	var f filter
	var want int
	cmd := &cobra.Command{
		Use: "count", Short: "Count requests, for assertions",
		Long: `Prints how many requests match. With --want, another number is exit code 8, and so is a log that
no longer has all requests that may match.`,
		Example: "  stytchctl emulator requests count --operation IssueM2MToken --status 200 --want 1",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			body := admin.RequestFilter{After: f.after, Operation: f.operation, ClientID: f.clientID}
			if cmd.Flags().Changed("status") {
				body.Status = &f.status
			}
			count, err := call[admin.Count](cmd.Context(), r, http.MethodPost, "/requests/count", body)
			if err != nil {
				return err
			}
			if err := cli.PrintOne(r.app, count, cli.Column[admin.Count]{Field: "count", Title: "COUNT"}); err != nil {
				return err
			}
			switch {
			case !cmd.Flags().Changed("want"):
				if !count.Complete {
					r.app.Warn("the log no longer has all requests that may match")
				}
			case !count.Complete:
				return cli.Errorf(cli.Partial, "the log no longer has all requests that may match: count with --after, or clear it before the test")
			case count.Count != want:
				return cli.Errorf(cli.Partial, "%d requests match, and %d are wanted", count.Count, want)
			}
			return nil
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&f.clientID, "client-id", "", "only requests of or about this `client`")
	cmd.Flags().IntVar(&want, "want", 0, "fail unless this `number` of requests match")
	return cmd
}

func newRequestsClear(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "clear", Short: "Empty the request log", Long: `Empties the request log. Ids continue.`,
		Example: "  stytchctl emulator requests clear", Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := call[none](cmd.Context(), r, http.MethodDelete, "/requests", nil)
			return err
		},
	}
}
