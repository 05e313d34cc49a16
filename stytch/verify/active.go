package verify

import (
	"context"
	"sync"
	"time"
)

const (
	activeFor     = time.Minute // how long an answer is believed
	activeRetry   = time.Second // how long a failure keeps the next look-up from starting
	activeTimeout = 5 * time.Second
	activeClients = 10_000 // answers that are kept
)

// activity asks whether clients are active, and remembers it. One look-up runs per client, apart from its callers: each waits
// by its own context.
type activity struct {
	ask    func(ctx context.Context, clientID string) (bool, error)
	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu      sync.RWMutex
	closed  bool
	answers map[string]*answer
}

// An answer is final once done is closed.
type answer struct {
	done  chan struct{}
	until time.Time
	err   error // nil: active
}

func newActivity(ask func(context.Context, string) (bool, error)) *activity {
	a := &activity{ask: ask, answers: make(map[string]*answer)}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a
}

func (a *activity) check(ctx context.Context, clientID string) error {
	a.mu.RLock()
	known := a.answers[clientID]
	a.mu.RUnlock()
	if known == nil || !known.holds() {
		var err error
		if known, err = a.start(clientID); err != nil {
			return err
		}
	}
	select {
	case <-known.done:
		return known.err
	default:
	}
	select {
	case <-known.done:
		return known.err
	case <-ctx.Done():
		return &unavailable{ErrCheckUnavailable, ctx.Err()}
	}
}

// holds reports whether the answer is on its way or still believed.
func (a *answer) holds() bool {
	select {
	case <-a.done:
		return time.Now().Before(a.until)
	default:
		return true
	}
}

// start starts a look-up unless another caller just did.
func (a *activity) start(clientID string) (*answer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known := a.answers[clientID]; known != nil && known.holds() {
		return known, nil
	}
	if a.closed {
		return nil, errClosedOpen
	}
	if len(a.answers) >= activeClients {
		a.makeRoom()
	}
	next := &answer{done: make(chan struct{})}
	a.answers[clientID] = next
	a.tasks.Go(func() { a.run(next, clientID) })
	return next, nil
}

// makeRoom drops what is believed no more, and else whatever comes first.
func (a *activity) makeRoom() {
	before := len(a.answers)
	for id, known := range a.answers {
		if !known.holds() {
			delete(a.answers, id)
		}
	}
	for id := range a.answers {
		if len(a.answers) < before {
			return
		}
		delete(a.answers, id)
	}
}

func (a *activity) run(next *answer, clientID string) {
	ctx, cancel := context.WithTimeout(a.ctx, activeTimeout)
	defer cancel()
	active, err := a.ask(ctx, clientID)
	next.until = time.Now().Add(activeFor)
	switch {
	case err != nil:
		next.err, next.until = &unavailable{ErrCheckUnavailable, err}, time.Now().Add(activeRetry)
	case !active:
		next.err = errNotActive
	}
	close(next.done)
}

func (a *activity) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.cancel()
	a.tasks.Wait()
}
