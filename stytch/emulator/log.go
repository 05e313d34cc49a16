package emulator

import (
	"sync"
	"time"
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
}

type requestLog struct {
	clock func() time.Time

	mu      sync.Mutex
	entries []Request
	oldest  int // index of the oldest entry once the log is full
}

func (l *requestLog) add(r Request) {
	r.Time = l.clock()
	r.Path = r.Path[:min(len(r.Path), maxLogPath)]
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
