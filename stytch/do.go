package stytch

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/internal/retry"
	"github.com/stytchkit/m2m/internal/sleep"
	"github.com/stytchkit/m2m/stytch/secret"
)

// sender sends the requests of one client. Every request takes the same path, in one direction:
//
//	sender.Do    matches the operation, authenticates, repeats attempts (this file)
//	  attempt    one round trip within its timeouts, reported to the observer (attempt.go)
//	    response reads the body within its limit, types the errors, decodes (response.go)
type sender struct {
	base          *url.URL // without a trailing slash
	projectID     string
	secret        secret.String
	authorization func() []string  // the header made of both, ready to be put into a request
	redactor      *redact.Redactor // knows the project secret
	settings      settings
	budget        retry.Budget
	api           *gen.Client // sends through this sender
}

// newSender makes a sender to a base URL; nil leaves the choice to the project id.
func newSender(projectID, projectSecret string, base *url.URL, settings settings) (_ *sender, err error) {
	if base == nil {
		base = project.BaseURL(projectID)
	}
	s := &sender{
		base: base, projectID: projectID,
		secret: secret.New(projectSecret), authorization: basicAuth(projectID, projectSecret), redactor: redact.New(projectSecret),
		settings: settings,
	}
	if s.api, err = gen.NewClient(base.String(), gen.WithHTTPClient(s)); err != nil {
		return nil, fmt.Errorf("stytch: %w", err)
	}
	return s, nil
}

func basicAuth(user, password string) func() []string {
	header := []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}
	return func() []string { return header }
}

// Do sends a request and returns a success whose Body is a [response], not yet decoded. It changes
// the request.
func (s *sender) Do(req *http.Request) (*http.Response, error) {
	op, err := s.match(req)
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	call := &call{settings: &s.settings, op: op, req: req, redactor: redactor{project: s.redactor, op: op, req: req}}
	if err := call.refusePlaceholder(); err != nil {
		return nil, err
	}
	s.authenticate(op, req)
	return s.retry(call)
}

// match finds the operation and checks where the request goes. An id that is spelled in an unusual
// way is escaped again.
func (s *sender) match(req *http.Request) (*operation.Operation, error) {
	u := req.URL
	if u.Scheme != s.base.Scheme || u.Host != s.base.Host || u.User != nil || u.Opaque != "" || req.Host != "" && req.Host != s.base.Host {
		return nil, invalid("", "request must go to the base URL")
	}
	base := s.base.EscapedPath()
	path, ok := strings.CutPrefix(u.EscapedPath(), base)
	op, escaped := operation.Match(req.Method, path)
	if !ok || op == nil {
		return nil, invalid("", "request is no operation of the contract: check the path, and that its id is not empty or a dot segment")
	}
	if escaped == "" {
		return op, nil
	}
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

// refusePlaceholder refuses a request whose body holds what a secret prints as. It would become the
// secret of a client, or a name that is wrong for good.
func (c *call) refusePlaceholder() error {
	if c.req.Body == nil || c.req.Body == http.NoBody {
		return nil
	}
	given := guardedBody{"the request body", c.req.Body}
	body, err := io.ReadAll(given)
	_ = given.Close()
	c.req.Body, c.redactor.body = io.NopCloser(bytes.NewReader(body)), body
	if err != nil {
		text, cause := c.redactor.cause(err)
		return &callError{operation: c.op.ID, text: "the request body cannot be read: " + text, cause: cause}
	}
	if bytes.Contains(body, []byte(secret.Placeholder)) || bytes.Contains(body, []byte(url.QueryEscape(secret.Placeholder))) {
		return invalid(c.op.ID, "request body holds %s, which is what a secret prints as: use Reveal where the request is written", secret.Placeholder)
	}
	return nil
}

// acceptJSON is shared by all requests, as are the other header values: they must never be changed
// in place.
var acceptJSON = []string{"application/json"}

// authenticate sets the headers. The project's credentials go only where the operation takes them.
func (s *sender) authenticate(op *operation.Operation, req *http.Request) {
	if req.Header == nil {
		req.Header = make(http.Header)
	}
	if op.ProjectAuth {
		req.Header["Authorization"] = s.authorization()
	} else if _, password, _ := req.BasicAuth(); password == s.secret.Reveal() && !s.secret.IsZero() {
		req.Header.Del("Authorization")
	}
	if op.Safety == operation.ShownOnce { // these headers would allow http.Transport to repeat the request
		req.Header.Del("Idempotency-Key")
		req.Header.Del("X-Idempotency-Key")
	}
	req.Header["Accept"] = acceptJSON
	req.Header["User-Agent"] = s.settings.userAgent
}

// retry makes as many attempts as the operation, the policy, the budget and the deadline allow.
func (s *sender) retry(call *call) (*http.Response, error) {
	ctx := call.req.Context()
	var ok bool
	if call.deadline, ok = ctx.Deadline(); !ok {
		call.deadline = time.Now().Add(s.settings.callTimeout)
	}
	waits := s.settings.policy.Waits()
	for n := 1; ; n++ {
		resp, decision, err := call.attempt(ctx, n)
		if err == nil {
			s.budget.Deposit()
			return resp, nil
		}
		if !decision.Retry || n >= s.settings.policy.MaxAttempts || !replayable(call.req) {
			return nil, err
		}
		wait, ok := waits.Next(retryAfter(err))
		if !ok || time.Until(call.deadline) <= wait || !s.budget.Withdraw(errors.Is(err, context.DeadlineExceeded)) {
			return nil, err
		}
		if ended := sleep.For(ctx, wait); ended != nil {
			return nil, withCause(err, ended)
		}
		call.mayHaveWorked = call.mayHaveWorked || decision.Ambiguous
	}
}

// oneCall bounds several requests that are one call to the caller. cancel must be called.
func (s *sender) oneCall(ctx context.Context) (bounded context.Context, cancel context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.settings.callTimeout)
}

func replayable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}
