package token

import (
	"sync/atomic"
	"time"
)

// Stats counts what a [Source] has done. Numbers only grow. Calls that are served from memory are
// not counted: a counter that all threads share would cost more than the call itself.
type Stats struct {
	Minted     uint64 // tokens that Stytch issued: what is billed. A response that was lost, or a 5xx, may stand for one more
	Requests   uint64 // requests sent to the token endpoint
	FromStore  uint64 // tokens taken from the shared store
	Waits      uint64 // calls that waited for a request
	OverBudget uint64 // requests that the budget refused
	Failures   uint64 // refreshes that failed

	StoreFailures uint64 // times that the shared store did not help; see [StoreFailed]
	Panics        uint64 // panics of code that the source was given: credentials, store, RoundTripper, hooks

	LastError   error     // of the last refresh that failed; nil if none did
	LastErrorAt time.Time // when that was
}

// counters are the numbers of Stats, safe for concurrent use.
type counters struct {
	minted, requests, fromStore, waits, overBudget, failures, storeFailures, panics atomic.Uint64

	lastFailure atomic.Pointer[failedRefresh]
}

type failedRefresh struct {
	err error
	at  time.Time
}

// count must be called before any caller or observer learns of the event, so that they find it
// counted.
func (c *counters) count(e Event) {
	switch {
	case e.Kind == RefreshFailed:
		c.failures.Add(1)
		c.lastFailure.Store(&failedRefresh{e.Err, time.Now()})
	case e.FromStore:
		c.fromStore.Add(1)
	}
}

func (c *counters) stats() Stats {
	s := Stats{
		Minted: c.minted.Load(), Requests: c.requests.Load(), FromStore: c.fromStore.Load(),
		Waits: c.waits.Load(), OverBudget: c.overBudget.Load(), Failures: c.failures.Load(),
		StoreFailures: c.storeFailures.Load(), Panics: c.panics.Load(),
	}
	if last := c.lastFailure.Load(); last != nil {
		s.LastError, s.LastErrorAt = last.err, last.at
	}
	return s
}
