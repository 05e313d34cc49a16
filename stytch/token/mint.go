package token

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/retry"
	"github.com/stytchkit/m2m/stytch/secret"
)

// maxLogins is how many pairs of client and secret one refresh tries: the first, and two more after Stytch refused it.
const maxLogins = 3

// fetch gets a new token for a slot, from the shared store if there is one.
func (s *Source) fetch(ctx context.Context, sl *slot) (tokenData, origin, error) {
	c, err := s.credential(ctx)
	if err != nil {
		return tokenData{}, fromEndpoint, err
	}
	mint := func(ctx context.Context) (tokenData, error) { return s.mint(ctx, c, sl.request) }
	if s.shared == nil {
		data, err := mint(ctx)
		return data, fromEndpoint, err
	}
	return s.shared.token(ctx, wanted{
		key:     cacheKey(s.settings.base.String(), s.project, c.ClientID, sl.request.scopes, sl.request.parameters),
		project: s.project, client: c.ClientID, secrets: []secret.String{c.Secret, c.Next},
		held: sl.replaced(), minLife: s.settings.minLife,
	}, mint)
}

// mint asks Stytch for a token. If it refuses the secret, the credentials are read once more, because a rotation may just
// have happened, and every secret that they hold is tried once.
func (s *Source) mint(ctx context.Context, c Credential, r request) (tokenData, error) {
	ctx, cancel := context.WithTimeout(ctx, s.settings.call)
	defer cancel()
	logins := s.good.logins(c)
	data, err := s.login(ctx, logins[0], r)
	if !errors.Is(err, ErrInvalidClient) {
		return data, err
	}
	tried := logins[:1:1]
	if again, readErr := s.credential(ctx); readErr == nil {
		logins = append(s.good.logins(again), logins...)
	}
	for _, l := range logins {
		if len(tried) == maxLogins {
			break
		}
		if slices.ContainsFunc(tried, l.equal) {
			continue
		}
		tried = append(tried, l)
		if data, err = s.login(ctx, l, r); !errors.Is(err, ErrInvalidClient) {
			break
		}
	}
	return data, err
}

// login sends one token request.
func (s *Source) login(ctx context.Context, l login, r request) (tokenData, error) {
	if !s.budget.take() {
		s.counts.overLimit.Add(1)
		return tokenData{}, fmt.Errorf("%w: %d in an hour", ErrBudget, s.budget.perHour)
	}
	s.counts.requests.Add(1)
	attempt, cancel := context.WithTimeout(ctx, s.settings.attempt)
	defer cancel()
	asked := time.Now()
	data, billed, err := s.send(attempt, l, r, asked)
	if !billed {
		s.budget.giveBack()
	}
	if err != nil {
		return tokenData{}, err
	}
	s.counts.minted.Add(1)
	s.good.set(l.secret)
	return data, nil
}

// send sends the request and reads its answer. billed reports whether a token may have been issued.
func (s *Source) send(ctx context.Context, l login, r request, asked time.Time) (data tokenData, billed bool, err error) {
	req, err := s.request(ctx, l, r)
	if err != nil {
		return data, false, err
	}
	resp, err := s.transport.RoundTrip(req)
	if err == nil && resp == nil {
		err = errors.New("the RoundTripper returned neither a response nor an error")
	}
	if err != nil {
		decision := backoff.Decide(operation.Billed, retry.Failure{Err: err})
		return data, decision.Ambiguous, s.noAnswer(ctx, err, l, decision.Retry)
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if resp.StatusCode != http.StatusOK {
		return data, false, failed(resp, body, l)
	}
	e := &Error{StatusCode: resp.StatusCode, invalid: true}
	switch {
	case err != nil:
		e.retryable = true
		e.Message = "the body broke off"
	case len(body) > maxAnswer:
		e.Message = fmt.Sprintf("the body is larger than %d bytes", maxAnswer)
	default:
		if data, err = parseAnswer(resp.Header, body, asked, r); err == nil {
			return data, true, nil
		}
		e.Message = err.Error()
	}
	return tokenData{}, true, e
}

// request is a form with the credentials in its body. The project's secret has no part in it.
func (s *Source) request(ctx context.Context, l login, r request) (*http.Request, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {l.id}, "client_secret": {l.secret.Reveal()}}
	if len(r.scopes) > 0 {
		form.Set("scope", strings.Join(r.scopes, " "))
	}
	for name, value := range r.parameters {
		form.Set(name, value)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, errors.New("token: the request cannot be made") // unreachable: New has checked the URL
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", s.settings.userAgent)
	return req, nil
}

// noAnswer says what happened instead. That the request's own time ran out is not passed on as the end of a context, which
// callers would take for that of theirs.
func (s *Source) noAnswer(ctx context.Context, err error, l login, retryable bool) error {
	if ctx.Err() != nil {
		return &Error{Message: fmt.Sprintf("no answer within %v", s.settings.attempt), retryable: true}
	}
	var wrapped *url.Error // a RoundTripper may be a whole http.Client
	for errors.As(err, &wrapped) && wrapped.Err != nil {
		err = wrapped.Err
	}
	e := &Error{Message: clean(err.Error(), l.secret.Reveal()), retryable: retryable}
	if !strings.Contains(e.Message, secret.Placeholder) { // or the cause would tell what the text does not
		e.cause = err
	}
	return e
}

// failed reads both shapes of error that Stytch has, and keeps the status of any other body.
func failed(resp *http.Response, body []byte, l login) error {
	e := &Error{StatusCode: resp.StatusCode, retryable: backoff.Decide(operation.Billed, retry.Failure{Status: resp.StatusCode}).Retry}
	e.RetryAfter, _ = retry.After(resp.Header.Get("Retry-After"), time.Now())
	fields, _ := object(body)
	switch kind, _ := text(fields["error"]); kind {
	case "invalid_client":
		e.kind = ErrInvalidClient
	case "invalid_scope":
		e.kind = ErrInvalidScope
	}
	issued, _ := text(fields["access_token"]) // it has no business here, but if there is one it must not be repeated
	first := func(names ...string) string {
		for _, name := range names {
			if s, _ := text(fields[name]); s != "" {
				return clean(s, l.secret.Reveal(), issued)
			}
		}
		return ""
	}
	e.Type, e.Message, e.RequestID = first("error", "error_type"), first("error_description", "error_message"), first("request_id")
	if e.Type == "" {
		e.invalid = true
		e.Message = strings.TrimPrefix(http.StatusText(resp.StatusCode)+", and the body is not an error of Stytch", ", and ")
	}
	return e
}
