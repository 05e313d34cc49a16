// Package keyset fetches the key set of a project in the form that it is served in. The client of
// the management API does not: it needs the secret of the project.
package keyset

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/internal/conns"
	"github.com/stytchkit/m2m/internal/jwks"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch"
)

const (
	maxDocument  = 1 << 20
	fetchTimeout = 10 * time.Second
)

// A KeySet is the public keys of a project.
type KeySet struct {
	Document []byte // of the response
	Set      *jwks.Set
	Date     time.Time     // of the response, by the clock of the server; zero if it does not say
	Took     time.Duration // from the request to the end of the response
}

// Fetch gets the key set. Redirects are not followed: the server they lead to would choose the
// keys.
func Fetch(ctx context.Context, app *cli.App, b2b bool) (*KeySet, error) {
	address, err := address(ctx, app, b2b)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "stytchctl/"+stytch.Version+" "+project.UserAgent)
	start := app.Now()
	response, err := conns.New().RoundTrip(request)
	if err != nil {
		return nil, cli.Errorf(cli.Unavailable, "the key set cannot be fetched: %s", redact.Printable(err.Error(), 300))
	}
	defer response.Body.Close()
	if app.Flags.Verbose {
		fmt.Fprintf(app.Err, "%s %s: %d, %v\n", http.MethodGet, jwksOperation(b2b).Path, response.StatusCode, app.Now().Sub(start).Round(time.Millisecond))
	}
	switch {
	case response.StatusCode == http.StatusNotFound:
		return nil, cli.Errorf(cli.NotFound, "the project has no key set there (404): check the project id, and whether it is a B2B project (--b2b)")
	case response.StatusCode == http.StatusTooManyRequests, response.StatusCode >= 500:
		return nil, cli.Errorf(cli.Unavailable, "the key set cannot be fetched: status %d", response.StatusCode)
	case response.StatusCode != http.StatusOK:
		return nil, cli.Errorf(cli.Internal, "the key set cannot be fetched: status %d", response.StatusCode)
	}
	document, err := io.ReadAll(io.LimitReader(response.Body, maxDocument+1))
	if err != nil {
		return nil, cli.Errorf(cli.Unavailable, "the key set ended early: %s", redact.Printable(err.Error(), 300))
	}
	if len(document) > maxDocument {
		return nil, cli.Errorf(cli.Internal, "the key set is larger than %d bytes", maxDocument)
	}
	found := &KeySet{Document: document, Took: app.Now().Sub(start)}
	found.Date, _ = http.ParseTime(response.Header.Get("Date"))
	if found.Set, err = jwks.Parse(document); err != nil {
		return nil, cli.Errorf(cli.Internal, "the key set: %w", err)
	}
	return found, nil
}

func jwksOperation(b2b bool) *operation.Operation {
	if b2b {
		return operation.GetB2BJWKS
	}
	return operation.GetJWKS
}

// address is that of the key set, by the rules for the project and its base URL.
func address(ctx context.Context, app *cli.App, b2b bool) (string, error) {
	where, err := app.Project(ctx)
	if err != nil {
		return "", err
	}
	if err := project.CheckID(where.ProjectID); err != nil {
		return "", cli.Usagef("%w. Nothing was sent.", err)
	}
	base := project.BaseURL(where.ProjectID)
	if where.BaseURL != "" {
		if base, err = project.ParseBaseURL(where.BaseURL); err != nil {
			return "", cli.Usagef("base URL: %w. Nothing was sent.", err)
		}
	}
	return base.String() + jwksOperation(b2b).URL(where.ProjectID), nil
}
