package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/destination"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
)

func run(ctx context.Context, app *cli.App, f *flags, method, path string) error {
	if app.Flags.Output == cli.TSV {
		return cli.Usagef("api prints JSON: leave out -o tsv. Nothing was sent.")
	}
	credentials, err := app.Credentials(ctx)
	if err != nil {
		return err
	}
	r, err := newRequest(app, f, credentials.ProjectID, method, path)
	if err != nil {
		return err
	}
	place, err := secretPlace(ctx, app, f, r)
	if err != nil {
		return err
	}
	if f.paginate && !strings.HasSuffix(r.op.Path, "/search") {
		return cli.Usagef("--paginate is for searches: %s has no pages. Nothing was sent.", r.op.ID)
	}
	api, err := app.Client(credentials)
	if err != nil {
		return cli.Errorf("", "%w. Nothing was sent.", err)
	}
	if f.paginate {
		return paginate(ctx, app, api, r)
	}
	text, failed := send(ctx, api, r)
	if text == nil {
		return failed
	}
	if place != nil {
		if text, err = store(ctx, place, r, text); err != nil {
			return err
		}
	}
	return errors.Join(printed(app, r, place, text), failed)
}

// secretPlace is where a secret of the response goes: nil if it shows none, or if it is to be
// printed.
func secretPlace(ctx context.Context, app *cli.App, f *flags, r *request) (*destination.Place, error) {
	if !r.op.ReturnsSecret {
		if f.secret.Given() {
			return nil, cli.Usagef("%s shows no secret: leave out --secret-to and --reveal. Nothing was sent.", r.op.ID)
		}
		return nil, nil
	}
	if r.op.Safety == operation.Billed && !f.secret.Reveal {
		return nil, cli.Usagef("%s shows a token: give --reveal, or use stytchctl token get. Nothing was sent.", r.op.ID)
	}
	place, err := f.secret.Place(app, "Nothing was sent.")
	if err != nil || place == nil {
		return nil, err
	}
	return place, place.Check(ctx, r.clientID())
}

// send returns the body of a success. A response that shows a secret may come with an error, too.
func send(ctx context.Context, api *stytch.Client, r *request) ([]byte, error) {
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	request, err := http.NewRequestWithContext(ctx, r.op.Method, api.BaseURL()+r.path, body)
	if err != nil {
		return nil, err
	}
	if r.body != nil {
		request.Header.Set("Content-Type", contentType(r.body))
	}
	response, err := api.Do(request)
	if response == nil {
		return nil, err
	}
	defer response.Body.Close()
	text, readErr := io.ReadAll(response.Body) // held in memory
	if readErr != nil {
		return nil, readErr
	}
	return text, err
}

// contentType is JSON for all but a form.
func contentType(body []byte) string {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		return "application/json"
	}
	return "application/x-www-form-urlencoded"
}

// print writes a response: as it is for programs, indented for people.
func print(app *cli.App, text []byte) error {
	if !json.Valid(text) {
		return cli.Errorf(cli.Internal, "the response is not JSON")
	}
	if app.Flags.Output == cli.Table && app.OutIsTerminal() && app.Flags.Fields == nil {
		var indented bytes.Buffer
		if err := json.Indent(&indented, text, "", "  "); err != nil {
			return err
		}
		indented.WriteByte('\n')
		_, err := app.Out.Write(indented.Bytes())
		return cli.PipeError(err)
	}
	if app.Flags.Output == cli.Table {
		app.Flags.Output = cli.JSON
	}
	return cli.PrintOne(app, json.RawMessage(bytes.TrimSpace(text)))
}
