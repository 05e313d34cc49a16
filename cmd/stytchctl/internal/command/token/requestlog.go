package token

import (
	"fmt"
	"net/http"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/internal/conns"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch/token"
)

// requestLog prints what -v promises of each token request.
type requestLog struct {
	app  *cli.App
	base http.RoundTripper
}

func logRequests(app *cli.App) token.Option {
	return token.WithHTTPClient(&http.Client{Transport: requestLog{app, conns.New()}})
}

// RoundTrip sends a request.
func (l requestLog) RoundTrip(request *http.Request) (*http.Response, error) {
	start := l.app.Now()
	response, err := l.base.RoundTrip(request)
	status := "no response"
	if err == nil {
		status = fmt.Sprint(response.StatusCode)
	}
	op := operation.IssueM2MToken
	fmt.Fprintf(l.app.Err, "%s %s: %s, %v\n", op.Method, op.Path, status, l.app.Now().Sub(start).Round(time.Millisecond))
	return response, err
}
