package api

import (
	"context"
	"encoding/json"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch"
)

// paginate sends a search until there is no further page, and prints each page on a line.
func paginate(ctx context.Context, app *cli.App, api *stytch.Client, r *request) error {
	body := map[string]json.RawMessage{}
	if r.body != nil {
		if err := json.Unmarshal(r.body, &body); err != nil {
			return err
		}
	}
	if app.Flags.Output != cli.JSON {
		app.Flags.Output = cli.NDJSON // also instead of a table: pages are lines
	}
	progress := app.Progress()
	defer progress.Close()
	seen := map[string]bool{}
	for n := 1; ; n++ {
		text, err := send(ctx, api, r)
		if err != nil {
			return err
		}
		if err := print(app, text); err != nil {
			return err
		}
		progress.Show("%d pages", n)
		var page struct {
			Metadata struct {
				NextCursor string `json:"next_cursor"`
			} `json:"results_metadata"`
		}
		if err := json.Unmarshal(text, &page); err != nil {
			return cli.Errorf(cli.Internal, "page %d: %w", n, err)
		}
		cursor := page.Metadata.NextCursor
		if cursor == "" {
			return nil
		}
		if seen[cursor] {
			return cli.Errorf(cli.Internal, "page %d repeats the cursor of an earlier page: the search would not end", n)
		}
		seen[cursor] = true
		if body["cursor"], err = json.Marshal(cursor); err != nil {
			return err
		}
		if r.body, err = json.Marshal(body); err != nil {
			return err
		}
	}
}
