package token

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stytchkit/m2m/internal/sleep"
)

// slot caches the token of one request, and has at most one refresh in progress for it.
type slot struct {
	*refresher
	request request
	cached  atomic.Pointer[cachedToken]

	mu         sync.Mutex
	refreshing *refresh // nil if none is in progress
	failures   failures
	rejections rejections
	dropped    issuedToken // the last one that was dropped: the shared store may still have it
}

// refresher is what all slots of a source have in common.
type refresher struct {
	fetcher         *fetcher
	background      *background
	counters        *counters
	callbacks       *callbacks
	minLife         time.Duration
	refreshFraction float64
}

// refresh is one attempt to get a token. Its result may be read when done is closed.
type refresh struct {
	done  chan struct{}
	token Token
	err   error
}

func (s *slot) token(ctx context.Context) (Token, error) {
	if c := s.cached.Load(); c.fresh(time.Now()) {
		return c.Token, nil
	}
	return s.refreshed(ctx)
}

// refreshed is for a token that is missing or due for a refresh.
func (s *slot) refreshed(ctx context.Context) (Token, error) {
	s.mu.Lock()
	now := time.Now()
	c, due := s.cached.Load(), s.refreshing == nil && !now.Before(s.failures.retryAt)
	if c.usable(now) {
		if due && !c.fresh(now) {
			s.begin(ctx)
		}
		s.mu.Unlock()
		return c.Token, nil
	}
	r, failure, ended := s.refreshing, s.failures.last, ctx.Err()
	if ended == nil && (due || r == nil && failure == nil) {
		r = s.begin(ctx)
	}
	s.mu.Unlock()
	switch {
	case ended != nil:
		return Token{}, fmt.Errorf("token: %w", ended)
	case s.background.ending():
		return Token{}, ErrClosed
	case r == nil:
		return Token{}, failure
	}
	s.counters.waits.Add(1)
	select {
	case <-r.done:
		return r.token, r.err
	case <-ctx.Done():
		return Token{}, fmt.Errorf("token: waiting for a token: %w", ctx.Err())
	}
}

// begin starts a refresh that outlives its caller. Callers hold mu.
func (s *slot) begin(ctx context.Context) *refresh {
	r := &refresh{done: make(chan struct{})}
	if !s.background.start(ctx, func(ctx context.Context) { s.run(ctx, r) }) {
		r.err = ErrClosed
		close(r.done)
		return r
	}
	s.refreshing = r
	return r
}

// run makes a refresh. If it fails and may succeed later, run repeats it, so that a short outage
// costs the next caller nothing, but only maxRetries times: without callers no token is needed.
func (s *slot) run(ctx context.Context, r *refresh) {
	for {
		wait, again := s.attempt(ctx, r)
		if !again || sleep.For(ctx, wait) != nil {
			return
		}
		s.mu.Lock()
		if s.refreshing != nil || s.cached.Load().fresh(time.Now()) {
			s.mu.Unlock()
			return
		}
		r = &refresh{done: make(chan struct{})}
		s.refreshing = r
		s.mu.Unlock()
	}
}

// attempt makes one refresh, and finishes it even if foreign code ends the goroutine.
func (s *slot) attempt(ctx context.Context, r *refresh) (wait time.Duration, again bool) {
	start := time.Now()
	var t issuedToken
	fromStore, err := false, errAborted
	defer func() {
		var event Event
		event, again = s.finish(r, t, fromStore, err)
		event.Duration = time.Since(start)
		wait = time.Until(event.RetryAt)
		s.callbacks.observe(ctx, event)
	}()
	t, fromStore, err = s.fetcher.fetch(ctx, s.request, s.replaced)
	if err != nil && s.background.ending() {
		err = ErrClosed // the cause is that Close canceled the request
	}
	return wait, again
}

// finish publishes the result of a refresh. It reports whether the refresh is to be repeated.
func (s *slot) finish(r *refresh, t issuedToken, fromStore bool, err error) (event Event, again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(r.done)
	defer func() { s.counters.count(event) }()
	s.refreshing = nil
	event = Event{Kind: Refreshed, FromStore: fromStore, Scopes: s.request.scopes}
	if err != nil {
		r.err = err
		again = s.failures.add(err)
		event.Kind, event.Err, event.RetryAt = RefreshFailed, err, s.failures.retryAt
		return event, again
	}
	r.token = t.Token
	event.Expiry = t.Expiry
	c, now := newCached(t, s.minLife, s.refreshFraction), time.Now()
	if c == nil && s.cached.Load().usable(now) { // the cached one is better, and asking again at once would cost
		s.failures.reset(now.Add(retryPolicy.MaxDelay))
		return event, false
	}
	s.failures.reset(time.Time{})
	s.cached.Store(c)
	return event, false
}

// drop forgets a token if it is the cached one. If a resource server rejected it, that is limited.
func (s *slot) drop(t Token, rejected bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.cached.Load()
	if c == nil || !c.Value.Equal(t.Value) {
		return
	}
	if rejected && !s.rejections.allow(time.Now()) {
		return
	}
	s.dropped = c.issuedToken
	s.dropped.Expiry = time.Time{} // any other token will do
	s.cached.Store(nil)
}

// replaced is the token that a new one must differ from.
func (s *slot) replaced() issuedToken {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.cached.Load(); c != nil {
		return c.issuedToken
	}
	return s.dropped
}
