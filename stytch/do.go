package stytch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stytchkit/m2m/stytch/internal/operation"
	"github.com/stytchkit/m2m/stytch/internal/retry"
)

// Do sends one request of the contract with everything that this client adds: the project's credentials where they belong,
// retries by the meaning of the operation, time and size limits, typed errors. It makes the client the HTTP client of the
// generated one:
//
//	raw, err := gen.NewClient(client.BaseURL(), gen.WithHTTPClient(client))
//
// The response is always a success with a JSON body, held in memory; everything else is an error. A request to another host,
// or for no operation of the contract (which is what a dot segment as a client id ends in), is refused unsent. The request
// itself is not changed.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	if req == nil || req.URL == nil {
		return nil, invalid("", "request must not be nil")
	}
	resp, err := c.send(req.Clone(req.Context()))
	if err != nil {
		return nil, err
	}
	a := resp.Body.(*answer)
	if !json.Valid(a.Bytes()) {
		defer a.Close()
		return nil, a.invalid(errors.New("not JSON"))
	}
	return resp, nil
}

// ownDoer serves the client's own generated client, whose requests may be changed and whose answers are checked by decoding them.
type ownDoer struct{ client *Client }

func (d ownDoer) Do(req *http.Request) (*http.Response, error) { return d.client.send(req) }

// send makes as many attempts as the operation, the policy, the budget and the deadline allow.
func (c *Client) send(req *http.Request) (*http.Response, error) {
	op, err := c.prepare(req)
	if err != nil {
		return nil, err
	}
	call := call{client: c, op: op, req: req}
	ctx := req.Context()
	var ok bool
	if call.deadline, ok = ctx.Deadline(); !ok {
		call.deadline = time.Now().Add(c.settings.timeout)
	}
	waits := c.settings.policy.Waits()
	mayHaveWorked := false
	for n := 1; ; n++ {
		resp, failure, err := call.attempt(ctx, n)
		if err == nil {
			c.budget.Deposit()
			return resp, nil
		}
		decision := c.settings.policy.Decide(op.Safety, failure)
		err = annotate(err, n, decision.Ambiguous && op.Safety == operation.ShownOnce, mayHaveWorked)
		if !decision.Retry || n >= c.settings.policy.MaxAttempts || ctx.Err() != nil || !replayable(req) {
			return nil, err
		}
		wait, ok := waits.Next(failure.Status, retryAfter(err))
		if !ok || time.Until(call.deadline) <= wait || !c.budget.Withdraw(errors.Is(err, context.DeadlineExceeded)) {
			return nil, err
		}
		if ended := sleep(ctx, wait); ended != nil {
			return nil, withCause(err, ended)
		}
		mayHaveWorked = mayHaveWorked || decision.Ambiguous
	}
}

// prepare finds the operation, checks where the request goes, and sets the headers. The request is the client's to change.
func (c *Client) prepare(req *http.Request) (*operation.Operation, error) {
	if req.URL.Scheme != c.base.Scheme || req.URL.Host != c.base.Host || req.URL.User != nil || req.Host != "" && req.Host != c.base.Host {
		return nil, invalid("", "request must go to the base URL")
	}
	base := c.base.EscapedPath()
	path, ok := strings.CutPrefix(req.URL.EscapedPath(), base)
	op, escaped := operation.Match(req.Method, path)
	if !ok || op == nil {
		return nil, invalid("", "request is no operation of the contract; an empty id or a dot segment as id ends here too")
	}
	if escaped != "" {
		id, err := operation.Param(escaped)
		if err == nil {
			err = operation.CheckID(id)
		}
		if err != nil {
			return nil, invalid(op.ID, "id %v", err)
		}
		if canonical := op.URL(id); canonical != path {
			u := *req.URL
			u.Path, u.RawPath = mustUnescape(base+canonical), base+canonical
			req.URL = &u
		}
	}
	if op.ProjectAuth {
		req.Header.Set("Authorization", c.authorization.Reveal())
	} else if req.Header.Get("Authorization") == c.authorization.Reveal() {
		req.Header.Del("Authorization")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.settings.userAgent)
	return op, nil
}

// mustUnescape is for paths that this package escaped.
func mustUnescape(escaped string) string {
	path, err := url.PathUnescape(escaped)
	if err != nil {
		panic("stytch: escaped path does not unescape: " + err.Error())
	}
	return path
}

// call is one call with all its attempts.
type call struct {
	client   *Client
	op       *operation.Operation
	req      *http.Request
	deadline time.Time
}

// attempt sends the request once and reads the whole answer, so that a slow or endless body is part of the attempt.
func (c *call) attempt(ctx context.Context, n int) (resp *http.Response, failure retry.Failure, err error) {
	start := time.Now()
	timeout := min(c.client.settings.attemptTimeout, c.deadline.Sub(start))
	attemptCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	probe := &probe{Context: attemptCtx, gate: c.client.settings.gate}
	req := c.req.WithContext(probe.begin())
	defer probe.end()
	if n > 1 && c.req.GetBody != nil {
		if req.Body, err = c.req.GetBody(); err != nil {
			return nil, retry.Failure{Err: err, NotSent: true}, &callError{operation: c.op.ID, cause: err}
		}
	}
	resp, err = c.client.http.Do(req)
	var a *answer
	if err == nil {
		a, err = c.read(resp, n)
		failure = retry.Failure{Status: resp.StatusCode, AnswerLost: a == nil}
		record(ctx, resp, a, n)
	} else {
		err = c.noAnswer(ctx, attemptCtx, err, timeout)
		failure = retry.Failure{Err: err, NotSent: probe.notSent()}
	}
	if observe := c.client.settings.observe; observe != nil {
		seen := Attempt{Operation: c.op.ID, Number: n, StatusCode: failure.Status, Duration: time.Since(start), Err: err}
		if a != nil {
			seen.RequestID = printable(requestID(a.Bytes()))
		}
		observe(ctx, seen)
	}
	if err != nil {
		if a != nil {
			a.Close()
		}
		return nil, failure, err
	}
	resp.Body = a
	return resp, failure, nil
}

// noAnswer names the operation instead of the URL, and tells the end of an attempt from the end of the caller's context.
func (c *call) noAnswer(ctx, attemptCtx context.Context, err error, timeout time.Duration) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case attemptCtx.Err() != nil:
		err = fmt.Errorf("no answer within %v: %w", timeout, context.DeadlineExceeded)
	}
	return &callError{operation: c.op.ID, cause: err}
}

func replayable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func retryAfter(err error) time.Duration {
	if e, ok := err.(*Error); ok {
		return e.RetryAfter
	}
	return 0
}

// annotate completes the error of an attempt with what only the loop around it knows.
func annotate(err error, attempts int, outcomeUnknown, mayHaveWorked bool) error {
	switch e := err.(type) {
	case *Error:
		e.Attempts, e.outcomeUnknown, e.mayHaveWorked = attempts, outcomeUnknown, mayHaveWorked
	case *callError:
		e.attempts, e.outcomeUnknown, e.mayHaveWorked = attempts, outcomeUnknown, mayHaveWorked
	}
	return err
}

// withCause makes the end of a wait reachable without losing the answer that led to it.
func withCause(err, cause error) error {
	switch e := err.(type) {
	case *Error:
		e.cause = cause
	case *callError:
		e.cause = errors.Join(e.cause, cause)
	}
	return err
}
