package token

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/conns"
	"github.com/stytchkit/m2m/internal/guard"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/internal/retry"
)

// endpoint is Stytch's token endpoint. It sends one request at a time and follows no redirect,
// which would carry the client's secret to wherever the response points.
type endpoint struct {
	url       string
	callbacks *callbacks
	userAgent string
	timeout   time.Duration // of one request, the reading of its response included

	// Functions, because reflection does not look into them: the buffers of a transport's idle
	// connections hold secrets and tokens.
	roundTrip func(*http.Request) (*http.Response, error)
	closeIdle func() // closes connections that are not in use, unless they are the caller's
}

func newEndpoint(s *settings, c *callbacks) *endpoint {
	e := &endpoint{
		url:       s.base.String() + s.path,
		callbacks: c, userAgent: s.userAgent, timeout: s.attempt, closeIdle: func() {},
	}
	switch {
	case s.http == nil:
		own := newTransport()
		e.roundTrip, e.closeIdle = own.RoundTrip, own.CloseIdleConnections
	case s.http.Transport != nil:
		e.roundTrip = s.http.Transport.RoundTrip
	default:
		e.roundTrip = func(req *http.Request) (*http.Response, error) { return http.DefaultTransport.RoundTrip(req) }
	}
	if s.http != nil && s.http.Timeout > 0 {
		e.timeout = min(e.timeout, s.http.Timeout)
	}
	return e
}

func newTransport() *conns.Transport {
	t := conns.New()
	t.IdleTimeout = 30 * time.Second // the next token is far away
	return t
}

// send sends one request and reads its response, at most one byte more than maxResponse.
func (e *endpoint) send(req *http.Request) (received, error) {
	resp, err := e.roundTrip(req)
	if err == nil && resp == nil {
		err = errNoResponse
	}
	if err != nil {
		return received{}, err
	}
	r := received{status: resp.StatusCode, header: resp.Header}
	if resp.Body != nil {
		defer resp.Body.Close()
		r.body, r.err = io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	}
	return r, nil
}

var errNoResponse = errors.New("the RoundTripper returned neither a response nor an error")

// issue sends one request and reads its response. billed reports whether a token may have been
// issued, whether it arrived or not.
func (e *endpoint) issue(ctx context.Context, l login, r request) (t issuedToken, billed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	start := time.Now()
	var trace retry.Trace
	req, err := e.newRequest(trace.Context(ctx), l, r)
	if err != nil {
		return t, false, err
	}
	clean := redact.New(l.secret.Reveal())
	resp, err := call(ctx, e.callbacks, clean, "RoundTripper", func(context.Context) (received, error) { return e.send(req) })
	if err != nil {
		decision := retryPolicy.Decide(operation.Billed, retry.Failure{Err: err, NotSent: trace.NotSent()})
		return t, decision.Ambiguous, e.noResponse(ctx, err, clean, decision.Retry)
	}
	if resp.status/100 != 2 {
		return t, resp.mayBeBilled(), parseError(resp, clean)
	}
	invalid := &Error{StatusCode: resp.status, invalid: true}
	switch {
	case resp.err != nil:
		invalid.retryable = true
		invalid.Message = "the body was cut off"
	case len(resp.body) > maxResponse:
		invalid.Message = fmt.Sprintf("the body is larger than %d bytes", maxResponse)
	default:
		if t, err = parseToken(resp.header, resp.body, start, r.scopes); err == nil {
			return t, true, nil
		}
		invalid.Message = err.Error()
	}
	return issuedToken{}, true, invalid
}

// newRequest is a form with the client's credentials in its body. The project's secret is not
// needed.
func (e *endpoint) newRequest(ctx context.Context, l login, r request) (*http.Request, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {l.id}, "client_secret": {l.secret.Reveal()}}
	if len(r.scopes) > 0 {
		form.Set("scope", strings.Join(r.scopes, " "))
	}
	for name, value := range r.parameters {
		form.Set(name, value)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, errors.New("token: the request cannot be made") // unreachable: New has checked the URL
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", e.userAgent)
	return req, nil
}

// noResponse describes a request that got no response. The end of the request's own time is not
// passed on as that of a context: callers would mistake it for their own.
func (e *endpoint) noResponse(ctx context.Context, err error, clean *redact.Redactor, retryable bool) error {
	if ctx.Err() != nil {
		return &Error{Message: fmt.Sprintf("no response within %v", e.timeout), retryable: true}
	}
	var wrapped *url.Error // a RoundTripper may be a whole http.Client
	for errors.As(err, &wrapped) && wrapped.Err != nil {
		err = wrapped.Err
	}
	var panicked *guard.PanicError // which another request would only repeat
	retryable = retryable && !errors.As(err, &panicked)
	return &Error{Message: clean.Line(err.Error(), maxText), retryable: retryable, cause: clean.Error(err)}
}
