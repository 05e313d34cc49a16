package token

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/stytchkit/m2m/internal/guard"
	"github.com/stytchkit/m2m/internal/redact"
)

const (
	grace   = 2 * time.Second // code of others may go on after its context has ended, before it is left behind
	maxText = 1 << 10         // bytes of a text from elsewhere that an error repeats
)

// errAborted is the error of code of others that ended its goroutine.
var errAborted = errors.New("token: refresh: ended without a result")

// callbacks runs code that was given to the source: credentials, stores, transports and hooks. A
// panic there becomes an error, and a call that ignores the end of its context holds up neither
// callers nor Close.
type callbacks struct {
	counters *counters
	observer func(context.Context, Event) // nil: none

	weakSecret atomic.Bool // ErrStoreKey was reported
	refused    atomic.Bool // ErrStoreRefused was reported, and the store has not worked since
}

// observe calls the observer.
func (c *callbacks) observe(ctx context.Context, e Event) {
	if c.observer == nil {
		return
	}
	_, err := within(ctx, "WithObserver", func(ctx context.Context) (struct{}, error) {
		c.observer(ctx, e)
		return struct{}{}, nil
	})
	if _, panicked := err.(*guard.PanicError); panicked {
		c.counters.panics.Add(1)
	}
}

// storeFailed reports a failure of the shared store.
func (c *callbacks) storeFailed(ctx context.Context, err error) {
	c.counters.storeFailures.Add(1)
	if errors.Is(err, ErrStoreKey) && c.weakSecret.Swap(true) || errors.Is(err, ErrStoreRefused) && c.refused.Swap(true) {
		return // it was said, and it stays so until something is changed
	}
	c.observe(ctx, Event{Kind: StoreFailed, Err: err})
}

// call runs f, reports its panic, and returns that as an error without secrets of clean.
func call[T any](ctx context.Context, c *callbacks, clean *redact.Redactor, name string, f func(context.Context) (T, error)) (T, error) {
	value, err := within(ctx, name, f)
	if p := (*guard.PanicError)(nil); errors.As(err, &p) { // a store may have guarded its own client
		c.counters.panics.Add(1)
		err = &guard.PanicError{Name: p.Name, Text: clean.Line(p.Text, maxText), Stack: clean.Text(p.Stack)}
		c.observe(ctx, Event{Kind: Panicked, Err: fmt.Errorf("token: %w", err), Stack: clean.Text(p.Stack)})
	}
	return value, err
}

// within runs f in a goroutine of its own, and waits for it until ctx has ended and grace has
// passed.
func within[T any](ctx context.Context, name string, f func(context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		r := result{err: errAborted} // unless f returns or panics
		defer func() { done <- r }()
		r.err = guard.Call(name, func() (err error) {
			r.value, err = f(ctx)
			return err
		})
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	left := time.NewTimer(grace)
	defer left.Stop()
	select {
	case r := <-done:
		return r.value, r.err
	case <-left.C:
		return *new(T), fmt.Errorf("token: %s ignored the end of its context: %w", name, ctx.Err())
	}
}

// storeCallback is call for the shared store.
func storeCallback[T any](ctx context.Context, c *callbacks, name string, f func(context.Context) (T, error)) (T, error) {
	value, err := call(ctx, c, nil, name, f)
	if err == nil {
		c.refused.Store(false)
	}
	return value, err
}

// guardedStore is a Store that neither panics nor holds up its caller.
type guardedStore struct {
	store     func() Store // a function, because reflection does not look into it: a client has a password
	callbacks *callbacks
}

func (g guardedStore) Get(ctx context.Context, key string) ([]byte, error) {
	return storeCallback(ctx, g.callbacks, "Store.Get", func(ctx context.Context) ([]byte, error) { return g.store().Get(ctx, key) })
}

func (g guardedStore) Put(ctx context.Context, key string, value []byte, life time.Duration) error {
	_, err := storeCallback(ctx, g.callbacks, "Store.Put", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, g.store().Put(ctx, key, value, life)
	})
	return err
}

func (g guardedStore) Lease(ctx context.Context, key, owner string, life time.Duration) (bool, error) {
	return storeCallback(ctx, g.callbacks, "Store.Lease", func(ctx context.Context) (bool, error) {
		return g.store().Lease(ctx, key, owner, life)
	})
}

func (g guardedStore) Release(ctx context.Context, key, owner string) error {
	_, err := storeCallback(ctx, g.callbacks, "Store.Release", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, g.store().Release(ctx, key, owner)
	})
	return err
}
