package jwks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/stytchkit/m2m/internal/guard"
	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/internal/redact"
)

// A download gets a key set from its address.
type download struct {
	url       string
	roundTrip func(*http.Request) (*http.Response, error) // a func, so that no printer looks into the connections
	timeout   time.Duration
}

// run downloads the key set once. A panic of the transport is an error.
func (d *download) run(ctx context.Context) (set *Set, err error) {
	panicked := guard.Call("http.RoundTripper", func() error {
		if set, err = d.get(ctx); err != nil {
			_ = err.Error() // which may panic too
		}
		return nil
	})
	if panicked != nil {
		return nil, &downloadError{panicked}
	}
	return set, err
}

// get follows no redirects: the server they lead to would choose the keys.
func (d *download) get(ctx context.Context) (*Set, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return nil, errors.New("the address of the key set is not valid")
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", project.UserAgent)
	response, err := d.roundTrip(request)
	switch {
	case err != nil:
		return nil, &downloadError{err}
	case response == nil || response.Body == nil:
		return nil, errNoResponse
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetching the key set: status %d", response.StatusCode)
	}
	document, err := io.ReadAll(io.LimitReader(response.Body, maxDocument+1))
	if err != nil {
		return nil, &downloadError{err}
	}
	return Parse(document)
}

var errNoResponse = errors.New("fetching the key set: the http.RoundTripper returned no response and no error")

// downloadError shows its cause in one short line, because the server may have chosen a part of it.
type downloadError struct{ cause error }

func (e *downloadError) Error() string {
	return "fetching the key set: " + redact.Printable(e.cause.Error(), 200)
}
func (e *downloadError) Unwrap() error { return e.cause }
