package fleet

import (
	"context"
	"sync"
	"time"
)

// longestIdle is how long a worker sleeps before it asks the queue again.
const longestIdle = time.Minute

// alarm wakes the workers that sleep.
type alarm struct {
	mu     sync.Mutex
	closed chan struct{}
}

// channel returns a channel that the next wake closes.
func (a *alarm) channel() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed == nil {
		a.closed = make(chan struct{})
	}
	return a.closed
}

func (a *alarm) wake() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed != nil {
		close(a.closed)
		a.closed = nil
	}
}

// sleep returns when the time is over, wake is closed, or ctx ends.
func sleep(ctx context.Context, wake <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
}
