package stytch

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/operation"
)

// Do sends one request of the contract with everything that this client adds: the project's credentials where they belong,
// retries by the meaning of the operation, time and size limits, typed errors. It makes the client the HTTP client of the
// generated one:
//
//	raw, err := gen.NewClient(client.BaseURL(), gen.WithHTTPClient(client))
//
// The response is always a success with a JSON object as its body, held in memory; everything else is an error. A request to
// another host, or for no operation of the contract (which is what a dot segment as a client id ends in), is refused unsent.
// The request itself is not changed.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	if req == nil || req.URL == nil {
		return nil, invalid("", "request must not be nil")
	}
	resp, err := c.send(req.Clone(req.Context()))
	if err != nil {
		return nil, err
	}
	a := resp.Body.(*answer)
	if err := a.check(); err != nil {
		defer a.Close()
		return nil, err
	}
	// A caller may close the body twice, or read it after that: its buffer must not serve another call by then.
	resp.Body = io.NopCloser(&a.Buffer)
	resp.Request = req // without the credentials
	return resp, nil
}

// ownDoer serves the client's own generated client, whose requests may be changed and whose answers are checked by decoding them.
type ownDoer struct{ client *Client }

func (d ownDoer) Do(req *http.Request) (*http.Response, error) { return d.client.send(req) }

// send makes as many attempts as the operation, the policy, the budget and the deadline allow.
func (c *Client) send(req *http.Request) (*http.Response, error) {
	op, err := c.prepare(req)
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	call := call{client: c, op: op, req: req}
	ctx := req.Context()
	var ok bool
	if call.deadline, ok = ctx.Deadline(); !ok {
		call.deadline = time.Now().Add(c.settings.timeout)
	}
	waits := c.settings.policy.Waits()
	for n := 1; ; n++ {
		resp, decision, err := call.attempt(ctx, n)
		if err == nil {
			c.budget.Deposit()
			return resp, nil
		}
		if !decision.Retry || n >= c.settings.policy.MaxAttempts || !replayable(req) {
			return nil, err
		}
		wait, ok := waits.Next(asked(err))
		if !ok || time.Until(call.deadline) <= wait || !c.budget.Withdraw(errors.Is(err, context.DeadlineExceeded)) {
			return nil, err
		}
		if ended := sleep(ctx, wait); ended != nil {
			return nil, withCause(err, ended)
		}
		call.mayHaveWorked = call.mayHaveWorked || decision.Ambiguous
	}
}

// oneCall bounds several requests that are one call for whoever makes it. cancel must be called.
func (c *Client) oneCall(ctx context.Context) (bounded context.Context, cancel context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.settings.timeout)
}

// prepare finds the operation, checks where the request goes, and sets the headers. The request is the client's to change.
func (c *Client) prepare(req *http.Request) (*operation.Operation, error) {
	u := req.URL
	if u.Scheme != c.base.Scheme || u.Host != c.base.Host || u.User != nil || u.Opaque != "" || req.Host != "" && req.Host != c.base.Host {
		return nil, invalid("", "request must go to the base URL")
	}
	base := c.base.EscapedPath()
	path, ok := strings.CutPrefix(u.EscapedPath(), base)
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
			safe := *u
			safe.Path, safe.RawPath = mustUnescape(base+canonical), base+canonical
			req.URL = &safe
		}
	}
	if req.Header == nil {
		req.Header = make(http.Header)
	}
	if op.ProjectAuth {
		req.Header["Authorization"] = c.authorization()
	} else if _, password, _ := req.BasicAuth(); password == c.secret.Reveal() {
		req.Header.Del("Authorization")
	}
	if op.Safety == operation.ShownOnce { // or http.Transport would take the request for one that it may repeat
		req.Header.Del("Idempotency-Key")
		req.Header.Del("X-Idempotency-Key")
	}
	req.Header["Accept"] = acceptJSON
	req.Header["User-Agent"] = c.settings.userAgent
	return op, nil
}

// acceptJSON is shared by all requests, as are the other header values: nobody may change the header of a request in place.
var acceptJSON = []string{"application/json"}

// mustUnescape is for paths that this package escaped.
func mustUnescape(escaped string) string {
	path, err := url.PathUnescape(escaped)
	if err != nil {
		panic("stytch: escaped path does not unescape: " + err.Error())
	}
	return path
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

// asked is what an answer says about when to come back.
func asked(err error) (status int, retryAfter time.Duration) {
	if e, ok := err.(*Error); ok {
		return e.StatusCode, e.RetryAfter
	}
	return 0, 0
}

// annotate completes the error of an attempt with what only its call knows.
func annotate(err error, attempts int, outcomeUnknown, mayHaveWorked bool) {
	switch e := err.(type) {
	case *Error:
		e.Attempts, e.outcomeUnknown, e.mayHaveWorked = attempts, outcomeUnknown, mayHaveWorked
	case *callError:
		e.attempts, e.outcomeUnknown = attempts, outcomeUnknown
	}
}

// withCause makes the end of the context reachable without losing the answer before it. It changes a copy, because an
// observer may have kept the error.
func withCause(err, cause error) error {
	switch e := err.(type) {
	case *Error:
		withCause := *e
		withCause.cause = cause
		return &withCause
	case *callError:
		withCause := *e
		withCause.text, withCause.cause = e.what(), errors.Join(e.cause, cause)
		return &withCause
	}
	return err
}
