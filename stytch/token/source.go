// Package token gets M2M access tokens from Stytch and keeps them for as long as they live. Stytch bills every token that it
// issues, so a [Source] asks for as few as it can: one request at a time however many callers wait, one token per lifetime,
// none before one is needed. It is refreshed in the background before it ends, so that no call waits for that.
package token

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/stytchkit/m2m/internal/operation"
)

const (
	liveURL = "https://api.stytch.com"
	testURL = "https://test.stytch.com"
)

// Source hands out access tokens of one M2M client. It is safe for concurrent use; make one and share it. It prints without
// its secrets and tokens.
type Source struct {
	project     string
	credentials Credentials
	settings    settings
	endpoint    string // the URL of token requests
	transport   http.RoundTripper
	shared      *shared // nil without a Store
	budget      *budget // nil without WithBudget
	counts      counts

	main  *slot // of the source's own scopes and parameters
	slots slots // of all others

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	mu     sync.Mutex
	closed bool
	busy   sync.WaitGroup // refreshes under way
	good   lastGood
}

// New returns a source of tokens for one client of a project. It touches no network and starts no goroutine: the first token
// is asked for when one is needed. Close ends what a used source has running.
//
// The project id chooses the host: the live API for ids that begin with project-live-, the test API for all others. Every
// error names the argument or option and the rule that it breaks, and is [ErrInvalidArgument]; credentials of [Static] and
// [Env] that are missing are found here, those of a file or callback when they are first read.
func New(projectID string, credentials Credentials, options ...Option) (*Source, error) {
	if err := checkProject(projectID); err != nil {
		return nil, err
	}
	if credentials == nil {
		return nil, invalid("", "credentials must not be nil")
	}
	if c, ok := credentials.(interface{ check() error }); ok {
		if err := c.check(); err != nil {
			return nil, err
		}
	}
	s := &Source{project: projectID, credentials: credentials, settings: defaults()}
	for i, option := range options {
		if option == nil {
			return nil, invalid("", "option %d is nil", i)
		}
		if err := option(&s.settings); err != nil {
			return nil, err
		}
	}
	if err := s.settings.check(); err != nil {
		return nil, err
	}
	if s.settings.base == nil {
		s.settings.base, _ = url.Parse(testURL)
		if strings.HasPrefix(projectID, "project-live-") {
			s.settings.base, _ = url.Parse(liveURL)
		}
	}
	if s.settings.store != nil {
		shared, err := newShared(s.settings.store, s.settings.storeKeys, s.storeFailed)
		if err != nil {
			return nil, invalid("WithStore", "%v", err)
		}
		s.shared = shared
	}
	s.endpoint = s.settings.base.String() + operation.IssueM2MToken.URL(projectID)
	s.transport = s.settings.transport()
	s.budget = newBudget(s.settings.perHour, s.settings.alarm)
	s.main = &slot{source: s, request: s.settings.request}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Token returns a token with the scopes and parameters of the source. While one in memory has more than its minimum life left
// it is returned at once, whatever ctx says. Otherwise the call waits for the one request that is under way for all callers,
// until ctx ends; the request itself goes on for the others.
//
// An answer of Stytch that is no token is an [*Error]. The calls that waited for it fail at once: none is held up by retries.
// The next request comes 0.1 to 30 s later (longer if Stytch asks for it, up to a minute), the first two of their own accord
// if the failure may pass; until then calls without a token fail with the same error.
func (s *Source) Token(ctx context.Context) (Token, error) { return s.main.token(ctx) }

// TokenFor is [Source.Token] with other scopes or parameters. Each different request has its own token in memory, up to 1,000
// of them; beyond that, the one that was not asked for the longest is forgotten.
func (s *Source) TokenFor(ctx context.Context, r Request) (Token, error) {
	normal, err := r.normal()
	if err != nil {
		return Token{}, err
	}
	key := normal.key()
	if key == s.main.request.key() {
		return s.main.token(ctx)
	}
	return s.slots.get(key, func() *slot { return &slot{source: s, request: normal} }).token(ctx)
}

// Invalidate drops a token that was refused although it lives, so that the next call gets another one. It does nothing if the
// source holds another token by now. Each time costs a token: [Source.Transport] does it with a limit.
func (s *Source) Invalidate(t Token) {
	if t.Value.IsZero() {
		return
	}
	for sl := range s.all {
		sl.drop(t, false)
	}
}

// all yields every slot.
func (s *Source) all(yield func(*slot) bool) {
	if !yield(s.main) {
		return
	}
	for _, sl := range s.slots.list() {
		if !yield(sl) {
			return
		}
	}
}

// Close ends refreshes that are under way, waits for them and forgets all tokens. Calls that wait, and all later ones, fail
// with [ErrClosed]. It may be called more than once, but not from a hook.
func (s *Source) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.busy.Wait()
	for sl := range s.all {
		sl.held.Store(nil)
	}
	if t, ok := s.transport.(*http.Transport); ok && s.settings.http == nil {
		t.CloseIdleConnections()
	}
}

// enter counts one goroutine more, which Close waits for. It reports false after Close.
func (s *Source) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.busy.Add(1)
	return true
}

// storeFailed tells the hook what the shared store did not do.
func (s *Source) storeFailed(err error) {
	s.emit(Event{Kind: StoreFailed, Err: err})
}

// Format prints the source without what it holds, whatever the verb.
func (s *Source) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "token.Source(%s)", s.project)
}

// checkProject never quotes what it refuses: it may be a secret.
func checkProject(id string) error {
	notPlain := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`:/\?#%@`, r) }
	switch {
	case id == "":
		return invalid("", "project id must not be empty")
	case strings.HasPrefix(id, "secret-"):
		return invalid("", "project id must not be a secret: the arguments seem to be swapped")
	case len(id) > 256 || strings.ContainsFunc(id, notPlain) || operation.CheckID(id) != nil:
		return invalid("", "project id must be a plain identifier such as project-test-… of at most 256 characters")
	}
	return nil
}

var errAbandoned = errors.New("token: a refresh ended without a result")
