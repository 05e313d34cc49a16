package token_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

const (
	project = "project-test-00000000-0000-4000-8000-000000000001"
	client  = "m2m-client-test-00000000-0000-4000-8000-000000000002"

	canarySecret = "client-secret-canary-4f1d9c/+=&-kept-out-of-all-texts"
)

// endpoint is a token endpoint in memory: no socket, no goroutine.
type endpoint struct {
	latency time.Duration
	respond func(n int, form url.Values) *http.Response // n counts from 1

	mu    sync.Mutex
	forms []url.Values
	sent  []*http.Request
}

func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.forms, e.sent = append(e.forms, form), append(e.sent, r)
	n, latency, respond := len(e.forms), e.latency, e.respond
	e.mu.Unlock()
	if latency > 0 {
		timer := time.NewTimer(latency)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if respond == nil {
		respond = issue
	}
	resp := respond(n, form)
	if resp == nil {
		return nil, fmt.Errorf("connection refused, after the body %s", body)
	}
	return resp, nil
}

// set changes what comes from now on.
func (e *endpoint) set(latency time.Duration, respond func(int, url.Values) *http.Response) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.latency, e.respond = latency, respond
}

func (e *endpoint) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.forms)
}

func (e *endpoint) form(i int) url.Values {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.forms[i]
}

func reply(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// issue responds to the n-th request with token-n, for an hour.
func issue(n int, _ url.Values) *http.Response { return issueFor(time.Hour)(n, nil) }

func issueFor(life time.Duration) func(int, url.Values) *http.Response {
	return func(n int, _ url.Values) *http.Response {
		return reply(200, fmt.Sprintf(`{"access_token":"token-%d","expires_in":%d,"token_type":"bearer"}`, n, int(life.Seconds())))
	}
}

func status(code int, body string) func(int, url.Values) *http.Response {
	return func(int, url.Values) *http.Response { return reply(code, body) }
}

func refused(error string) string {
	return `{"error":"` + error + `","request_id":"request-id-test-1"}`
}

// jwt is a token that says this of itself. No test verifies its signature.
func jwt(payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(payload)) + "." + encode([]byte("signature"))
}

// newSource makes a source on an endpoint, which ends with the test.
func newSource(tb testing.TB, e http.RoundTripper, options ...token.Option) *token.Source {
	tb.Helper()
	return newSourceOf(tb, token.Static(client, secret.New(canarySecret)), e, options...)
}

func newSourceOf(tb testing.TB, c token.Credentials, e http.RoundTripper, options ...token.Option) *token.Source {
	tb.Helper()
	s, err := token.New(project, c, append([]token.Option{token.WithHTTPClient(&http.Client{Transport: e})}, options...)...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// mustToken returns the text of a token that has to come.
func mustToken(tb testing.TB, s *token.Source) string {
	tb.Helper()
	t, err := s.Token(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	return t.Value.Reveal()
}

// noToken returns the error of a token that must not come.
func noToken(tb testing.TB, s *token.Source) error {
	tb.Helper()
	t, err := s.Token(context.Background())
	if err == nil {
		tb.Fatal("a token came")
	}
	if !t.Value.IsZero() {
		tb.Fatal("a token came with an error")
	}
	if strings.Contains(err.Error(), canarySecret) || strings.Contains(err.Error(), url.QueryEscape(canarySecret)) {
		tb.Fatal("the error quotes the secret")
	}
	return err
}

// events collects what an observer sees.
type events struct {
	mu  sync.Mutex
	all []token.Event
}

func (e *events) observer() token.Option {
	return token.WithObserver(func(_ context.Context, event token.Event) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.all = append(e.all, event)
	})
}

func (e *events) of(kind token.EventKind) (found []token.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, event := range e.all {
		if event.Kind == kind {
			found = append(found, event)
		}
	}
	return found
}
