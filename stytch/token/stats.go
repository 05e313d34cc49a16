package token

import (
	"sync/atomic"
	"time"
	"unsafe"
)

// Stats counts what a [Source] has done. Numbers only grow.
type Stats struct {
	Minted    uint64 // tokens that Stytch issued: what is billed. An answer that was lost may have held one more
	Requests  uint64 // sent to the token endpoint
	Memory    uint64 // calls served from memory
	Store     uint64 // tokens taken from the shared store
	Waits     uint64 // calls that waited for a request
	OverLimit uint64 // requests that the budget refused
	Failures  uint64 // refreshes that failed

	LastError   error     // of the last refresh that failed; nil if none did
	LastErrorAt time.Time // when that was
}

// Stats returns the counts so far.
func (s *Source) Stats() Stats {
	c := &s.counts
	stats := Stats{
		Minted: c.minted.Load(), Requests: c.requests.Load(), Memory: c.memory.sum(), Store: c.store.Load(), Waits: c.waits.Load(),
		OverLimit: c.overLimit.Load(), Failures: c.failures.Load(),
	}
	if last := c.last.Load(); last != nil {
		stats.LastError, stats.LastErrorAt = last.err, last.at
	}
	return stats
}

type counts struct {
	minted, requests, store, waits, overLimit, failures atomic.Uint64

	memory sharded
	last   atomic.Pointer[failure]
}

type failure struct {
	err error
	at  time.Time
}

const shards = 16

// sharded is a counter that many threads add to without passing a cache line around.
type sharded [shards]struct {
	n atomic.Uint64
	_ [56]byte // the rest of a cache line
}

// add chooses by where the caller's stack is, which differs between goroutines and stays with each of them: whatever
// changes from call to call moves the cache line every time. The address is looked at, never turned back into a pointer.
func (c *sharded) add() {
	var here byte
	page := uint64(uintptr(unsafe.Pointer(&here)) >> 12) //nolint:gosec // see above
	c[page*0x9E3779B97F4A7C15>>60].n.Add(1)              // Fibonacci hashing into 16 shards
}

func (c *sharded) sum() (n uint64) {
	for i := range c {
		n += c[i].n.Load()
	}
	return n
}

// Kind says what an [Event] is about.
type Kind uint8

// The kinds of events.
const (
	Refreshed     Kind = iota + 1 // a token came, from Stytch or from the shared store
	RefreshFailed                 // none came: Err says why, RetryAt when the next request may go out
	StoreFailed                   // the shared store was of no use: Err is ErrStore, ErrStoreValue or ErrStoreKey. A token comes all the same
)

// String is the kind's name.
func (k Kind) String() string {
	switch k {
	case Refreshed:
		return "refreshed"
	case RefreshFailed:
		return "refresh failed"
	case StoreFailed:
		return "store failed"
	}
	return "unknown"
}

// Event is something that happened in the background. It holds no secret and no token.
type Event struct {
	Kind      Kind
	Err       error         // nil for Refreshed
	Scopes    []string      // that were asked for; nil for StoreFailed
	FromStore bool          // the token was minted by another process
	Expiry    time.Time     // of the new token
	RetryAt   time.Time     // after RefreshFailed
	Duration  time.Duration // of the refresh
}

// count is called before anyone hears of the event, so that nobody finds a count behind what they know.
func (c *counts) count(e Event) {
	switch {
	case e.Kind == RefreshFailed:
		c.failures.Add(1)
		c.last.Store(&failure{e.Err, time.Now()})
	case e.FromStore:
		c.store.Add(1)
	}
}

// emit tells the hook.
func (s *Source) emit(e Event) {
	if s.settings.hook != nil {
		s.settings.hook(e)
	}
}
