package token

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/conns"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/internal/retry"
)

// endpoint is Stytch's token endpoint. It sends one request at a time and follows no redirect,
// which would carry the client's secret to wherever the response points.
type endpoint struct {
	url       string
	transport http.RoundTripper
	own       bool // the transport was made here
	userAgent string
	timeout   time.Duration // of one request, the reading of its response included
}

func newEndpoint(projectID string, s *settings) *endpoint {
	e := &endpoint{
		url:       s.base.String() + operation.IssueM2MToken.URL(projectID),
		userAgent: s.userAgent, timeout: s.attempt,
	}
	switch {
	case s.http == nil:
		e.transport, e.own = newTransport(), true
	case s.http.Transport != nil:
		e.transport = s.http.Transport
	default:
		e.transport = http.DefaultTransport
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

// closeIdle closes connections that are not in use, unless they are the caller's.
func (e *endpoint) closeIdle() {
	if t, ok := e.transport.(*conns.Transport); ok && e.own {
		t.CloseIdleConnections()
	}
}

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
	resp, err := e.transport.RoundTrip(req)
	if err == nil && resp == nil {
		err = errors.New("the RoundTripper returned neither a response nor an error")
	}
	if err != nil {
		decision := retryPolicy.Decide(operation.Billed, retry.Failure{Err: err, NotSent: trace.NotSent()})
		return t, decision.Ambiguous, e.noResponse(ctx, err, l, decision.Retry)
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if resp.StatusCode/100 != 2 {
		return t, mayBeBilled(resp.StatusCode, body), parseError(resp, body, l)
	}
	invalid := &Error{StatusCode: resp.StatusCode, invalid: true}
	switch {
	case err != nil:
		invalid.retryable = true
		invalid.Message = "the body was cut off"
	case len(body) > maxResponse:
		invalid.Message = fmt.Sprintf("the body is larger than %d bytes", maxResponse)
	default:
		if t, err = parseToken(resp.Header, body, start, r.scopes); err == nil {
			return t, true, nil
		}
		invalid.Message = err.Error()
	}
	return issuedToken{}, true, invalid
}

// mayBeBilled reports whether a response without a success may come with a bill. A gateway that
// says 500 may do so after the token was issued. Only a refusal costs nothing, and not even that is
// sure if there is a token in it.
func mayBeBilled(status int, body []byte) bool {
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusTooManyRequests:
		return bytes.Contains(body, []byte("access_token"))
	}
	return true
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
func (e *endpoint) noResponse(ctx context.Context, err error, l login, retryable bool) error {
	if ctx.Err() != nil {
		return &Error{Message: fmt.Sprintf("no response within %v", e.timeout), retryable: true}
	}
	var wrapped *url.Error // a RoundTripper may be a whole http.Client
	for errors.As(err, &wrapped) && wrapped.Err != nil {
		err = wrapped.Err
	}
	clean := redact.New(l.secret.Reveal())
	return &Error{Message: clean.Line(err.Error(), maxText), retryable: retryable, cause: clean.Error(err)}
}
