package token

import (
	"context"
	"fmt"

	"github.com/stytchkit/m2m/internal/project"
)

// Source hands out access tokens of one M2M client. It is safe for concurrent use; make one and
// share it. It prints without its secrets and tokens.
type Source struct {
	project    string
	endpoint   *endpoint
	background *background
	counters   *counters
	refresher  *refresher

	main  *slot // the source's own scopes and parameters
	slots slots // all others
}

// New returns a source of tokens for one client of a project. It uses no network and starts no
// goroutine: the first token is requested when one is needed. Close the source when it is no longer
// used.
//
// The project id selects the host: the live API for project-live-, the test API for project-test-.
// Every error is [ErrInvalidArgument] and names the argument or option and the rule that it breaks.
// Missing credentials of [Static] and [Env] are found here, those of a file or callback when they
// are first read.
func New(projectID string, credentials Credentials, options ...Option) (*Source, error) {
	if err := project.CheckID(projectID); err != nil {
		return nil, invalid("New", "%v", err)
	}
	if err := checkCredentials(credentials); err != nil {
		return nil, err
	}
	settings, err := newSettings(projectID, options)
	if err != nil {
		return nil, err
	}
	request, err := settings.request.normalize()
	if err != nil {
		return nil, invalid("New", "%v", err)
	}
	s := &Source{project: projectID, background: newBackground(), counters: &counters{}}
	callbacks := &callbacks{counters: s.counters, observer: settings.observer}
	s.endpoint = newEndpoint(settings, callbacks)
	fetcher := &fetcher{
		minter: &minter{
			read: credentials.Credential, callbacks: callbacks, endpoint: s.endpoint,
			budget: newBudget(settings.perHour, settings.alarm, callbacks), counters: s.counters, timeout: settings.call,
		},
		baseURL: settings.base.String(), project: projectID, minLife: settings.minLife,
	}
	if settings.store != nil && len(settings.storeKeys) == 0 {
		if err := checkStoreKey(credentials); err != nil {
			return nil, err
		}
	}
	if settings.store != nil {
		store := guardedStore{func() Store { return settings.store }, callbacks}
		if fetcher.shared, err = newSharedStore(store, settings.storeKeys, callbacks.storeFailed); err != nil {
			return nil, err
		}
	}
	s.refresher = &refresher{
		fetcher: fetcher, background: s.background, counters: s.counters, callbacks: callbacks,
		minLife: settings.minLife, refreshFraction: settings.refreshFraction,
	}
	s.main = &slot{refresher: s.refresher, request: request}
	return s, nil
}

// Token returns a token with the scopes and parameters of the source. If a cached one has more than
// its minimum life left, it is returned at once, even if ctx has ended. Otherwise the call waits,
// until ctx ends, for the one request that serves all callers; that request continues for the
// others.
//
// A response without a token is an [*Error]. The calls that waited for it fail at once; they do not
// wait for retries. The next request is sent 0.1 to 30 s later, or up to a minute if Stytch asks
// for it. The first two retries are automatic if the failure may be temporary; later ones need a
// caller. Until the next request, calls without a token fail with the same error.
func (s *Source) Token(ctx context.Context) (Token, error) {
	if err := s.check(); err != nil {
		return Token{}, err
	}
	return s.main.token(ctx)
}

// TokenFor is [Source.Token] with other scopes or parameters. Each different request has its own
// cached token. A source caches up to 1,000 of them, and then forgets the least recently used one.
func (s *Source) TokenFor(ctx context.Context, r Request) (Token, error) {
	if err := s.check(); err != nil {
		return Token{}, err
	}
	normal, err := r.normalize()
	if err != nil {
		return Token{}, invalid("TokenFor", "%v", err)
	}
	key := normal.key()
	if key == s.main.request.key() {
		return s.main.token(ctx)
	}
	slot := s.slots.get(key, func() *slot { return &slot{refresher: s.refresher, request: normal} })
	return slot.token(ctx)
}

// Invalidate drops a cached token that was refused although it has not expired, so that the next
// call gets another one. It does nothing if the source no longer caches that token. Each time costs
// a token: [Source.Transport] does it with a limit.
func (s *Source) Invalidate(t Token) {
	if t.Value.IsZero() || s.check() != nil {
		return
	}
	for slot := range s.all {
		slot.drop(t, false)
	}
}

// all yields every slot.
func (s *Source) all(yield func(*slot) bool) {
	if !yield(s.main) {
		return
	}
	for _, slot := range s.slots.list() {
		if !yield(slot) {
			return
		}
	}
}

// Stats returns the counts so far.
func (s *Source) Stats() Stats {
	if s.check() != nil {
		return Stats{}
	}
	return s.counters.stats()
}

// Close cancels refreshes in progress, waits for them to end, and forgets all tokens. A callback
// that ignores its context is left behind after 2 s. Calls that wait, and all later ones, fail with
// [ErrClosed]. It may be called more than once, but not by an observer. It returns nil.
func (s *Source) Close() error {
	if s.check() != nil {
		return nil //nolint:nilerr // a source that New did not make has nothing to close
	}
	s.background.close()
	for slot := range s.all {
		slot.cached.Store(nil)
	}
	s.endpoint.closeIdle()
	return nil
}

// check refuses a source that New did not make.
func (s *Source) check() error {
	if s == nil || s.main == nil {
		return invalid("Source", "it must be made by New")
	}
	return nil
}

// Format prints the source without its contents, whatever the verb.
func (s *Source) Format(f fmt.State, _ rune) {
	if s == nil {
		_, _ = f.Write([]byte("token.Source(nil)"))
		return
	}
	_, _ = fmt.Fprintf(f, "token.Source(%s)", s.project)
}
