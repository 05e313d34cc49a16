package emulator

import (
	"sync"
	"time"
)

// logSize bounds the request log: enough for any one test, small enough to forget about.
const logSize = 1024

// A Request is one line of the request log. It holds no header and no body, so no secret and no token.
type Request struct {
	Time      time.Time // by the emulator's clock
	Method    string
	Path      string // escaped, without the query, at most 512 bytes
	Operation string // operationId of the contract; empty for a route that is not in it
	Status    int    // 0 if a fault lost the whole answer
	RequestID string // as in the answer
}

type requestLog struct {
	mu      sync.Mutex
	entries []Request
	oldest  int // once the log is full
}

func (l *requestLog) add(r Request) {
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

func clip(path string) string {
	const longest = 512
	return path[:min(len(path), longest)]
}
