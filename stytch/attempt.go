package stytch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/stytchkit/m2m/internal/guard"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/retry"
)

// call is one call of an operation, with all its attempts.
type call struct {
	settings      *settings
	op            *operation.Operation
	req           *http.Request
	redactor      redactor
	deadline      time.Time
	mayHaveWorked bool // an earlier attempt may have taken effect
}

// attempt sends the request once and reads the whole response, so that a slow or endless body
// counts as part of the attempt.
func (c *call) attempt(ctx context.Context, n int) (*http.Response, retry.Decision, error) {
	if err := ctx.Err(); err != nil { // nothing is sent, so the outcome is known
		return nil, retry.Decision{}, &callError{operation: c.op.ID, cause: err}
	}
	start := time.Now()
	resp, body, failure, err := c.exchange(ctx, n, min(c.settings.attemptTimeout, c.deadline.Sub(start)))
	var decision retry.Decision
	if err != nil {
		decision = c.settings.policy.Decide(c.op.Safety, failure)
		if panicked := (*guard.PanicError)(nil); errors.As(failure.Err, &panicked) {
			decision.Retry = false // it would panic again
		}
		if body != nil && body.showsSecret() { // the outcome is known: it took effect
			body.fault, decision = err, retry.Decision{}
			markShown(err)
		}
		annotate(err, n, decision.Ambiguous && c.op.Safety == operation.ShownOnce, c.mayHaveWorked)
	}
	if observe := c.settings.observe; observe != nil {
		seen := Attempt{Operation: c.op.ID, Number: n, StatusCode: failure.Status, Duration: time.Since(start), Err: err}
		if body != nil {
			seen.RequestID = body.requestID()
		}
		_ = guard.Run("WithObserver", func() { observe(ctx, seen) }) // what it watches goes on without it
	}
	if err != nil && (body == nil || body.fault == nil) {
		if body != nil {
			body.Close()
		}
		return nil, decision, err
	}
	return resp, decision, nil
}

// exchange is one round trip and its response, within a timeout. The failure says how far it came,
// also if there is none.
func (c *call) exchange(ctx context.Context, n int, timeout time.Duration) (*http.Response, *response, retry.Failure, error) {
	attemptCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	sendCtx := attemptCtx
	if c.settings.conns != nil {
		caller := c.settings.conns.Enter(attemptCtx)
		defer caller.Leave()
		sendCtx = caller
	}
	var sent *retry.Trace
	if c.op.Safety == operation.ShownOnce { // otherwise it does not matter whether the request was sent
		sent = new(retry.Trace)
		sendCtx = sent.Context(sendCtx)
	}
	var resp *http.Response
	err := guard.Call("the RoundTripper", func() (err error) {
		if resp, err = c.roundTrip(sendCtx, n); err != nil {
			_, _ = c.redactor.cause(err) // the methods of the error are code of others too
		}
		return err
	})
	if err != nil {
		err = c.noResponse(ctx, attemptCtx, err, timeout)
		return nil, nil, retry.Failure{Err: err, NotSent: sent != nil && sent.NotSent()}, err
	}
	body, failure, err := readResponse(attemptCtx, resp, origin{op: c.op, redactor: &c.redactor, attempts: n}, c.settings.maxResponse)
	storeResponse(ctx, resp, body, n)
	resp.Body = body
	return resp, body, failure, err
}

// roundTrip hands the request to the transport, which may be the caller's own code.
func (c *call) roundTrip(ctx context.Context, n int) (*http.Response, error) {
	req := c.req.WithContext(ctx)
	if n > 1 && c.req.GetBody != nil {
		body, err := c.req.GetBody()
		if err != nil {
			return nil, err
		}
		req.Body = body
	}
	resp, err := c.settings.transport.RoundTrip(req)
	if err == nil && resp == nil {
		err = errors.New("the RoundTripper returned neither a response nor an error")
	}
	if err == nil && resp.Body == nil {
		resp.Body = http.NoBody
	}
	if err == nil {
		resp.Body = guardedBody{"the body of a response", resp.Body}
	}
	return resp, err
}

// guardedBody is a body that code of others reads from somewhere. Its panic is a read error.
type guardedBody struct {
	name string
	io.ReadCloser
}

func (b guardedBody) Read(p []byte) (n int, err error) {
	err = guard.Call(b.name, func() (err error) {
		n, err = b.ReadCloser.Read(p)
		return err
	})
	return n, err
}

func (b guardedBody) Close() error { return guard.Call(b.name, b.ReadCloser.Close) }

// noResponse is the error of an attempt without a response. It names the operation instead of the
// URL, and distinguishes the end of the attempt from the end of the caller's context.
func (c *call) noResponse(ctx, attemptCtx context.Context, err error, timeout time.Duration) error {
	var wrapped *url.Error // a RoundTripper may be a whole http.Client
	for errors.As(err, &wrapped) && wrapped.Err != nil {
		err = wrapped.Err
	}
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case attemptCtx.Err() != nil:
		err = fmt.Errorf("no response within %v: %w", timeout, context.DeadlineExceeded)
	}
	text, cause := c.redactor.cause(err)
	return &callError{operation: c.op.ID, text: text, cause: cause}
}
