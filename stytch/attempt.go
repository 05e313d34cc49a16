package stytch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/retry"
)

// call is one call with all its attempts.
type call struct {
	client        *Client
	op            *operation.Operation
	req           *http.Request
	deadline      time.Time
	mayHaveWorked bool // an earlier attempt may have taken effect
}

// attempt sends the request once and reads the whole answer, so that a slow or endless body is part of the attempt.
func (c *call) attempt(ctx context.Context, n int) (*http.Response, retry.Decision, error) {
	if err := ctx.Err(); err != nil { // nothing is sent, so nothing is in doubt
		return nil, retry.Decision{}, &callError{operation: c.op.ID, cause: err}
	}
	start := time.Now()
	timeout := min(c.client.settings.attemptTimeout, c.deadline.Sub(start))
	attemptCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	probe := &probe{Context: attemptCtx, gate: c.client.settings.gate}
	probe.begin()
	defer probe.end()
	sendCtx := context.Context(probe)
	if c.op.Safety == operation.ShownOnce {
		sendCtx = probe.traced()
	}
	resp, err := c.roundTrip(sendCtx, n)
	var a *answer
	var failure retry.Failure
	if err == nil {
		a, failure, err = c.read(attemptCtx, resp, n)
		record(ctx, resp, a, n)
		resp.Body = a
	} else {
		err = c.noAnswer(ctx, attemptCtx, err, timeout)
		failure = retry.Failure{Err: err, NotSent: probe.notSent()}
	}
	var decision retry.Decision
	if err != nil {
		decision = c.client.settings.policy.Decide(c.op.Safety, failure)
		annotate(err, n, decision.Ambiguous && c.op.Safety == operation.ShownOnce, c.mayHaveWorked)
	}
	if observe := c.client.settings.observe; observe != nil {
		seen := Attempt{Operation: c.op.ID, Number: n, StatusCode: failure.Status, Duration: time.Since(start), Err: err}
		if a != nil {
			seen.RequestID = a.requestID()
		}
		observe(ctx, seen)
	}
	if err != nil {
		if a != nil {
			a.Close()
		}
		return nil, decision, err
	}
	return resp, decision, nil
}

// roundTrip hands the request to the transport, which may be anybody's.
func (c *call) roundTrip(ctx context.Context, n int) (*http.Response, error) {
	req := c.req.WithContext(ctx)
	if n > 1 && c.req.GetBody != nil {
		body, err := c.req.GetBody()
		if err != nil {
			return nil, err
		}
		req.Body = body
	}
	resp, err := c.client.transport.RoundTrip(req)
	if err == nil && resp == nil {
		err = errors.New("the RoundTripper returned neither a response nor an error")
	}
	if err == nil && resp.Body == nil {
		resp.Body = http.NoBody
	}
	return resp, err
}

// noAnswer names the operation instead of the URL, and tells the end of an attempt from the end of the caller's context.
func (c *call) noAnswer(ctx, attemptCtx context.Context, err error, timeout time.Duration) error {
	var wrapped *url.Error // a RoundTripper may be a whole http.Client
	for errors.As(err, &wrapped) && wrapped.Err != nil {
		err = wrapped.Err
	}
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case attemptCtx.Err() != nil:
		err = fmt.Errorf("no answer within %v: %w", timeout, context.DeadlineExceeded)
	}
	text, cause := muted(c.req, err)
	return &callError{operation: c.op.ID, text: text, cause: cause}
}
