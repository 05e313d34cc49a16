package proxy

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/stytchkit/m2m/internal/conns"
)

// errUpstreamTimeout is why a request that got no response in time was canceled.
var errUpstreamTimeout = errors.New("no response in time")

// upstreamError is a failure on the way to the upstream, as opposed to one of the token.
type upstreamError struct{ cause error }

func (e *upstreamError) Error() string { return "proxy: upstream: " + e.cause.Error() }
func (e *upstreamError) Unwrap() error { return e.cause }

// upstream sends the requests of a route. It is the innermost RoundTripper: what it gets has a
// token.
type upstream struct {
	shared  *conns.Transport
	upgrade *conns.Transport // HTTP/1.1 alone: HTTP/2 has no upgrade
	timeout time.Duration
	counts  *routeCounts
}

func newUpstream(roots *x509.CertPool, timeout time.Duration, counts *routeCounts) *upstream {
	u := &upstream{shared: conns.New(), upgrade: conns.New(), timeout: timeout, counts: counts}
	u.shared.TLS.RootCAs, u.upgrade.TLS.RootCAs = roots, roots
	u.upgrade.TLS.NextProtos = []string{"http/1.1"}
	return u
}

func (u *upstream) closeIdle() {
	u.shared.CloseIdleConnections()
	u.upgrade.CloseIdleConnections()
}

// RoundTrip sends one attempt. Its time is limited until the response begins; after that, the
// caller decides how long a response may last.
func (u *upstream) RoundTrip(req *http.Request) (*http.Response, error) {
	x := exchangeOf(req.Context())
	ctx, cancel := context.WithCancelCause(req.Context())
	caller := &attempt{cancel: cancel}
	transport := u.upgrade
	if req.Header.Get("Upgrade") == "" {
		transport = u.shared
		caller.Caller = transport.Enter(ctx)
		ctx = caller.Caller
	}
	req = req.WithContext(ctx)
	if len(x.trailer) > 0 {
		req.Trailer = x.trailer // a copy would miss what the caller sends after the body
	}
	x.wait(u.timeout, func() { cancel(errUpstreamTimeout) })
	start := time.Now()
	resp, err := transport.RoundTrip(req)
	x.stopWaiting()
	if err != nil {
		if errors.Is(context.Cause(ctx), errUpstreamTimeout) {
			err = errUpstreamTimeout
		}
		caller.leave()
		return nil, &upstreamError{cleaned(err, req)}
	}
	u.counts.responded(time.Since(start))
	if resp.StatusCode != http.StatusSwitchingProtocols { // that one ends with the caller's context
		resp.Body = &attemptBody{resp.Body, caller, req, x}
	}
	return resp, nil
}

// attempt is what ends with one attempt.
type attempt struct {
	*conns.Caller // nil for an upgrade, whose connection is not shared
	cancel        context.CancelCauseFunc
	left          bool
}

func (a *attempt) leave() {
	if a.left {
		return
	}
	a.left = true
	if a.Caller != nil {
		a.Leave()
	}
	a.cancel(nil)
}

// attemptBody is the body of a response; its end is that of the attempt.
type attemptBody struct {
	io.ReadCloser
	attempt  *attempt
	req      *http.Request
	exchange *exchange
}

func (b *attemptBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && b.req.Context().Err() == nil {
		b.exchange.cause = &upstreamError{cleaned(err, b.req)}
	}
	return n, err
}

func (b *attemptBody) Close() error {
	err := b.ReadCloser.Close()
	b.attempt.leave()
	return err
}
