package token

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stytchkit/m2m/internal/retry"
)

const (
	selfRetries   = 3                      // requests in a row that fail before only a caller's need makes another one
	minRetry      = 100 * time.Millisecond // before any repetition
	maxRetryAfter = time.Minute            // a longer wait that the server asks for is cut to this

	minHold = time.Second      // between two tokens dropped on the word of a resource server
	maxHold = 10 * time.Minute // the same, if it refuses one token after another
)

// slot is the token of one request, and the one refresh that may be under way for it.
type slot struct {
	source  *Source
	request request
	held    atomic.Pointer[ready]

	mu       sync.Mutex
	flight   *flight
	failures int         // in a row
	failure  error       // the last one
	retryAt  time.Time   // no request before, after a failure
	waits    retry.Waits // between failures
	refused  tokenData   // the last one that was dropped: the shared store may still have it
	hold     time.Duration
	holdTill time.Time // no token is dropped before, on the word of a resource server
}

// flight is one refresh. Its result may be read when done is closed.
type flight struct {
	done  chan struct{}
	token Token
	err   error
}

func (sl *slot) token(ctx context.Context) (Token, error) {
	now := time.Now()
	if r := sl.held.Load(); r.fresh(now) {
		sl.source.counts.memory.add()
		return r.Token, nil
	}
	return sl.slow(ctx)
}

// slow is for a token that is missing, or due for a refresh.
func (sl *slot) slow(ctx context.Context) (Token, error) {
	sl.mu.Lock()
	now := time.Now()
	r, due := sl.held.Load(), sl.flight == nil && !now.Before(sl.retryAt)
	if r.usable(now) {
		if due && !r.fresh(now) {
			sl.begin(ctx)
		}
		sl.mu.Unlock()
		sl.source.counts.memory.add()
		return r.Token, nil
	}
	f, failure, ended := sl.flight, sl.failure, ctx.Err()
	if ended == nil && (due || f == nil && failure == nil) {
		f = sl.begin(ctx)
	}
	sl.mu.Unlock()
	switch {
	case ended != nil:
		return Token{}, fmt.Errorf("token: %w", ended)
	case sl.source.ctx.Err() != nil:
		return Token{}, ErrClosed
	case f == nil:
		return Token{}, failure
	}
	sl.source.counts.waits.Add(1)
	select {
	case <-f.done:
		return f.token, f.err
	case <-ctx.Done():
		return Token{}, fmt.Errorf("token: waiting for a token: %w", ctx.Err())
	}
}

// begin starts a refresh that outlives its caller. It keeps the values of the caller's context, for tracing. Callers hold mu.
func (sl *slot) begin(ctx context.Context) *flight {
	f := &flight{done: make(chan struct{})}
	if !sl.source.enter() {
		f.err = ErrClosed
		close(f.done)
		return f
	}
	sl.flight = f
	go sl.fly(context.WithoutCancel(ctx), f)
	return f
}

// fly refreshes the token. If that fails and may yet work it tries again, so that a fault which passes costs the next caller
// nothing, but gives up before long: without callers there is no need.
func (sl *slot) fly(ctx context.Context, f *flight) {
	defer sl.source.busy.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(sl.source.ctx, cancel)()
	for {
		wait, again := sl.try(ctx, f)
		if !again || !pause(ctx, wait) {
			return
		}
		sl.mu.Lock()
		if sl.flight != nil || sl.held.Load().fresh(time.Now()) {
			sl.mu.Unlock()
			return
		}
		f = &flight{done: make(chan struct{})}
		sl.flight = f
		sl.mu.Unlock()
	}
}

// try is one flight from its beginning to its end, which comes even if foreign code ends the goroutine.
func (sl *slot) try(ctx context.Context, f *flight) (wait time.Duration, again bool) {
	start := time.Now()
	var data tokenData
	from, err := fromEndpoint, errAbandoned
	defer func() {
		var event Event
		event, again = sl.land(f, data, from, err)
		event.Duration = time.Since(start)
		wait = time.Until(event.RetryAt)
		sl.source.emit(event)
	}()
	data, from, err = sl.source.fetch(ctx, sl)
	if err != nil && sl.source.ctx.Err() != nil {
		err = ErrClosed // what it says beyond that is of our own making
	}
	return wait, again
}

// land ends a flight with its result.
func (sl *slot) land(f *flight, data tokenData, from origin, err error) (event Event, again bool) {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	defer close(f.done)
	defer func() { sl.source.counts.count(event) }()
	sl.flight = nil
	event = Event{Kind: Refreshed, FromStore: from == fromStore, Scopes: sl.request.scopes}
	if err != nil {
		f.err = err
		retryable := sl.failed(err)
		event.Kind, event.Err, event.RetryAt = RefreshFailed, err, sl.retryAt
		return event, retryable && sl.failures < selfRetries
	}
	f.token = data.token()
	event.Expiry = data.expires
	sl.failures, sl.failure, sl.retryAt = 0, nil, time.Time{}
	r, now := newReady(data, sl.source.settings.minLife, sl.source.settings.refreshAt), time.Now()
	if r == nil && sl.held.Load().usable(now) { // it is worth nothing beside the one that is held, so one more has time
		sl.retryAt = now.Add(backoff.MaxDelay)
		return event, false
	}
	sl.held.Store(r)
	return event, false
}

// failed plans the next request. Callers hold mu.
func (sl *slot) failed(err error) (retryable bool) {
	if sl.failures == 0 {
		sl.waits = backoff.Waits()
	}
	sl.failures++
	sl.failure = err
	var e *Error
	status, retryAfter := 0, time.Duration(0)
	if errors.As(err, &e) {
		status, retryAfter, retryable = e.StatusCode, min(e.RetryAfter, maxRetryAfter), e.retryable
	}
	wait, _ := sl.waits.Next(status, retryAfter)
	sl.retryAt = time.Now().Add(max(wait, minRetry))
	return retryable
}

// drop forgets a token if it is the one that is held. With limited it does so only once in a while: a resource server that
// refuses every token, because it expects those of another project, must not cause a new one for every request.
func (sl *slot) drop(t Token, limited bool) {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	r := sl.held.Load()
	if r == nil || !r.Value.Equal(t.Value) {
		return
	}
	now := time.Now()
	if limited {
		if now.Before(sl.holdTill) {
			return
		}
		if now.Sub(sl.holdTill) > maxHold {
			sl.hold = 0
		}
		sl.hold = min(max(2*sl.hold, minHold), maxHold)
		sl.holdTill = now.Add(sl.hold)
	}
	sl.refused = r.data
	sl.refused.expires = time.Time{} // any other token will do
	sl.held.Store(nil)
}

// replaced is the token that a new one must differ from.
func (sl *slot) replaced() tokenData {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	if r := sl.held.Load(); r != nil {
		return r.data
	}
	return sl.refused
}
