package token

import (
	"sync"
	"time"
)

const (
	breakMin = time.Second      // shortest pause after the first failure
	breakMax = 30 * time.Second // longest pause
)

// breaker is a circuit breaker: it keeps a store that is down from costing every call its timeout.
// After a failure it admits no call for a while, and then one at a time until one succeeds. The
// zero value admits every call.
type breaker struct {
	mu       sync.Mutex
	failures int       // in a row
	until    time.Time // no call is admitted before
	probing  bool      // the one call is in progress
}

// enter reports whether the store may be called. If so, exactly one of succeeded, failed and
// abandoned must follow.
func (b *breaker) enter(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures == 0 {
		return true
	}
	if b.probing || now.Before(b.until) {
		return false
	}
	b.probing = true
	return true
}

func (b *breaker) succeeded() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures, b.probing = 0, false
}

// failed counts failures of calls that were in progress together as one.
func (b *breaker) failed(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	together := b.failures > 0 && !b.probing
	b.probing = false
	if together {
		return
	}
	b.failures++
	wait := min(breakMin<<min(b.failures, 6), breakMax)
	b.until = now.Add(jitter(max(breakMin, wait/2), wait))
}

// abandoned is for a call that its caller ended: it says nothing about the store.
func (b *breaker) abandoned() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
}
