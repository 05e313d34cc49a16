package verify

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stytchkit/m2m/internal/guard"
)

const (
	activeFor      = time.Minute // how long a result is kept
	activeRetry    = time.Second // how long a failure is kept
	activeTimeout  = 5 * time.Second
	activeClose    = 2 * time.Second // how long Close waits
	activeMaxKnown = 10_000          // results that are kept
)

// activeChecks asks whether clients are active, and remembers the results. One lookup runs per
// client, independent of the callers that wait for it: each waits until its own context ends.
type activeChecks struct {
	ask    func(ctx context.Context, clientID string) (bool, error)
	watch  *watch
	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu      sync.RWMutex
	closed  bool
	lookups map[string]*lookup
}

// A lookup is in progress until done is closed. After that it never changes.
type lookup struct {
	done    chan struct{}
	overdue chan struct{} // closed when no one should wait any longer
	until   time.Time
	err     error // nil: active
}

func newActiveChecks(ask func(context.Context, string) (bool, error), w *watch) *activeChecks {
	a := &activeChecks{ask: ask, watch: w, lookups: make(map[string]*lookup)}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a
}

func (a *activeChecks) check(ctx context.Context, clientID string) error {
	a.mu.RLock()
	known := a.lookups[clientID]
	a.mu.RUnlock()
	if known == nil || !known.current() {
		var err error
		if known, err = a.start(clientID); err != nil {
			return err
		}
	}
	select {
	case <-known.done: // even if ctx has ended
		return known.err
	default:
	}
	select {
	case <-known.done:
		return known.err
	case <-ctx.Done():
		return &unavailable{ErrCheckUnavailable, ctx.Err()}
	case <-known.overdue:
		return &unavailable{ErrCheckUnavailable, errOverdue}
	}
}

// current reports whether the lookup is in progress or its result is still good.
func (l *lookup) current() bool {
	select {
	case <-l.done:
		return time.Now().Before(l.until)
	default:
		return true
	}
}

// start starts a lookup, unless another caller has just done so.
func (a *activeChecks) start(clientID string) (*lookup, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known := a.lookups[clientID]; known != nil && known.current() {
		return known, nil
	}
	if a.closed {
		return nil, errClosed
	}
	if len(a.lookups) >= activeMaxKnown {
		a.makeRoom()
	}
	next := &lookup{done: make(chan struct{}), overdue: make(chan struct{})}
	a.lookups[clientID] = next
	a.tasks.Go(func() { a.run(next, clientID) })
	return next, nil
}

// makeRoom drops the results that are too old, or any one if there are none.
func (a *activeChecks) makeRoom() {
	before := len(a.lookups)
	for id, known := range a.lookups {
		if !known.current() {
			delete(a.lookups, id)
		}
	}
	for id := range a.lookups {
		if len(a.lookups) < before {
			return
		}
		delete(a.lookups, id)
	}
}

// What is known of a function that ended its goroutine, or that ignores its context.
var (
	errEnded   = errors.New("the function ended its goroutine")
	errOverdue = errors.New("the function ignores the end of its context")
)

// run asks about one client. Nothing that the function does, a panic included, leaves the lookup in
// progress or counts as an active client.
func (a *activeChecks) run(next *lookup, clientID string) {
	ctx, cancel := context.WithTimeout(a.ctx, activeTimeout)
	defer cancel()
	defer time.AfterFunc(activeTimeout+activeRetry, func() { close(next.overdue) }).Stop()
	active, err := false, errEnded
	defer func() {
		next.until = time.Now().Add(activeFor)
		switch {
		case err != nil:
			next.err, next.until = &unavailable{ErrCheckUnavailable, err}, time.Now().Add(activeRetry)
		case !active:
			next.err = errInactive
		}
		close(next.done)
		if stack := stackOf(err); stack != "" {
			a.watch.report(a.ctx, Event{Kind: Panicked, Err: next.err, Stack: stack})
		}
	}()
	err = guard.Call("WithActiveCheck", func() (err error) {
		if active, err = a.ask(ctx, clientID); err != nil {
			_ = err.Error() // which may panic too
		}
		return err
	})
}

func (a *activeChecks) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.cancel()
	guard.Wait(&a.tasks, activeClose)
}
