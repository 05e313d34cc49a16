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

// leaveAfter is how long a transport may go on after its context has ended, before it is left
// behind.
const leaveAfter = time.Second

// run downloads the key set once. A transport that panics, ends its goroutine or ignores its
// context is an error.
func (d *download) run(ctx context.Context) (*Set, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	type outcome struct {
		set *Set
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		out := outcome{err: errEnded}
		defer func() { done <- out }()
		var set *Set
		panicked := guard.Call("http.RoundTripper", func() (err error) {
			if set, err = d.get(ctx); err != nil {
				_ = err.Error() // which may panic too
			}
			out = outcome{set, err}
			return nil
		})
		if panicked != nil {
			out = outcome{err: &downloadError{panicked}}
		}
	}()
	select {
	case out := <-done:
		return out.set, out.err
	case <-ctx.Done():
	}
	patience := time.NewTimer(leaveAfter)
	defer patience.Stop()
	select {
	case out := <-done:
		return out.set, out.err
	case <-patience.C:
		return nil, errIgnores
	}
}

// get follows no redirects: the server they lead to would choose the keys.
func (d *download) get(ctx context.Context) (*Set, error) {
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

// What a transport must not do.
var (
	errNoResponse = errors.New("fetching the key set: the http.RoundTripper returned no response and no error")
	errEnded      = errors.New("fetching the key set: the http.RoundTripper ended its goroutine")
	errIgnores    = errors.New("fetching the key set: the http.RoundTripper ignores the end of its context")
)

// downloadError shows its cause in one short line, because the server may have chosen a part of it.
type downloadError struct{ cause error }

func (e *downloadError) Error() string {
	return "fetching the key set: " + redact.Printable(e.cause.Error(), 200)
}
func (e *downloadError) Unwrap() error { return e.cause }
