package emulator

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

const maxEvent = 64 << 10

func newRequestsFollow(r *remote) *cobra.Command {
	var count int
	var after int64
	cmd := &cobra.Command{
		Use: "follow", Short: "Print requests as they come in",
		Long: `Prints requests as they come in, until it is interrupted (exit code 130), the emulator ends
(exit code 6), or --count of them were printed. With --after, it begins with those that follow an
id; without it, with the next request.`,
		Example: "  stytchctl emulator requests follow -o ndjson | jq .reason\n  stytchctl emulator requests follow --after 120 --count 3",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if count < 0 || after < 0 {
				return cli.Usagef("--count, --after: they must not be negative. Nothing was sent.")
			}
			header := http.Header{}
			if cmd.Flags().Changed("after") {
				header.Set("Last-Event-ID", strconv.FormatInt(after, 10))
			}
			return r.follow(cmd, header, count)
		},
	}
	cmd.Flags().IntVar(&count, "count", 0, "end after this `number` of requests")
	cmd.Flags().Int64Var(&after, "after", 0, "begin with the requests that follow this `id`")
	return cmd
}

func (r *remote) follow(cmd *cobra.Command, header http.Header, count int) error {
	ctx, cancel := r.app.Context(cmd.Context())
	defer cancel()
	response, err := r.open(ctx, http.MethodGet, "/requests/stream", header, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	p, err := cli.NewPrinter(r.app, requestColumns...)
	if err != nil {
		return err
	}
	err = readEvents(r.app, response.Body, p, count)
	switch {
	case cmd.Context().Err() != nil:
		err = cli.Errorf(cli.Interrupted, "interrupted")
	case ctx.Err() != nil:
		err = cli.Errorf(cli.Unavailable, "the time of --timeout is over")
	}
	return errors.Join(err, p.Close())
}

// readEvents prints the events of a stream until count of them were printed, or without end for 0.
func readEvents(app *cli.App, stream io.Reader, p *cli.Printer[admin.LoggedRequest], count int) error {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, maxEvent)
	event, printed := "", 0
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case name == "event":
			event = value
		case name == "data" && event == "gap":
			app.Warn("requests came in faster than they were printed: some are left out")
		case name == "data":
			var q admin.LoggedRequest
			if err := json.Unmarshal([]byte(value), &q); err != nil {
				return cli.Errorf(cli.Internal, "an event of the emulator cannot be read: %w", err)
			}
			if err := errors.Join(p.Print(q), p.Flush()); err != nil {
				return err
			}
			if printed++; printed == count {
				return nil
			}
		}
	}
	return cli.Errorf(cli.Unavailable, "the emulator ended the stream")
}
