package token

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"
)

const (
	breakMin = time.Second      // how long a store is left alone after its first failure, at least
	breakMax = 30 * time.Second // and after many, at most
)

// breaker keeps a dead store from costing every call its timeout. After a failure nobody is let in for a while; then one
// caller at a time is, until one succeeds. The zero value lets everybody in.
type breaker struct {
	mu       sync.Mutex
	failures int       // in a row
	until    time.Time // nobody is let in before
	probing  bool      // the one caller is in
}

// enter reports whether the store may be called. If so, exactly one of succeeded, failed and gaveUp must follow.
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

// failed counts failures of calls that were under way together as one: they say the same thing.
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

// gaveUp is a call that ended for reasons of its own.
func (b *breaker) gaveUp() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
}

// jitter is a random duration from low to under high.
func jitter(low, high time.Duration) time.Duration {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	span := uint64(max(high-low, 1))
	return low + time.Duration(binary.LittleEndian.Uint64(random[:])%span)
}
