package emulator

import (
	"sync"
	"time"

	"github.com/stytchkit/m2m/internal/guard"
)

const (
	logSize    = 1024 // requests; enough for any one test
	maxLogPath = 512  // bytes
)

// A Request is one entry of the request log. It holds no header, query or body, so no secret and no
// token.
type Request struct {
	Time      time.Time // by the emulator's clock
	Method    string
	Path      string // escaped, without the query, at most 512 bytes
	Operation string // operationId of the contract; empty for other routes
	Status    int    // 0 if a fault dropped the whole response
	RequestID string // as in the response
	ErrorType string // error_type of the response, or error of the token endpoint
	ClientID  string // of the M2M client or Connected App, if there is one with that id

	// Reason says in plain English which check refused the request and why, which fault struck, or
	// which route comes close to one that does not exist. It is empty for a success without a
	// fault. Clients are named by their id, and their secrets by their last four characters.
	Reason string

	// Duration is the time from the start of the request to the start of its response, by the
	// clock of the system.
	Duration time.Duration
}

type requestLog struct {
	clock    func() time.Time
	observer func(Request) // may be nil

	mu      sync.Mutex
	entries []Request
	oldest  int // index of the oldest entry once the log is full
}

func (l *requestLog) add(r Request) {
	r.Time = l.clock()
	r.Path = r.Path[:min(len(r.Path), maxLogPath)]
	l.append(r)
	if l.observer != nil {
		_ = guard.Run("WithObserver", func() { l.observer(r) }) // the request continues without it
	}
}

func (l *requestLog) append(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) < logSize {
		l.entries = append(l.entries, r)
		return
	}
	l.entries[l.oldest] = r
	l.oldest = (l.oldest + 1) % logSize
}

func (l *requestLog) all() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]Request, 0, len(l.entries))
	all = append(all, l.entries[l.oldest:]...)
	return append(all, l.entries[:l.oldest]...)
}
