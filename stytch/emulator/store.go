package emulator

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/stytchkit/m2m/internal/guard"
)

// A store passes the changes of a state to a [Storage]. A nil store is that of a state in memory
// only.
//
// No response may show what a crash could still undo. A request that changed something waits for
// its own commit, and any other for the newest one, because it may have read what that one stores.
type store struct {
	storage Storage

	mu     sync.Mutex             // held during Save
	newest atomic.Pointer[commit] // nil if everything is stored
	failed atomic.Pointer[error]  // nil until a commit fails
}

// A commit is one call of Save.
type commit struct {
	store *store
	wait  func() error
	begun atomic.Bool
	done  chan struct{} // closed once wait has returned
	err   error
}

// pending is the newest commit that a request has made. The zero value is of a request that has
// changed nothing.
type pending struct{ commit *commit }

// check returns an error once the storage has failed. It comes before every change of the state.
func (s *store) check() error {
	if s != nil && s.failed.Load() != nil {
		return errRefused
	}
	return nil
}

// save is called under the lock of what has changed, so that the storage sees changes in the order
// of memory.
func (s *store) save(p *pending, records ...Record) {
	c := &commit{store: s, done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := guard.Run("Save", func() { c.wait = s.storage.Save(records) }); err != nil {
		c.wait = func() error { return err }
	}
	p.commit = c
	s.newest.Store(c)
}

// settle waits until everything that a request has changed or read is stored. It is called without
// locks.
func (s *store) settle(p *pending) error {
	if s == nil {
		return nil
	}
	c := p.commit
	if c == nil {
		c = s.newest.Load()
	}
	if c == nil {
		return nil
	}
	return c.settle()
}

func (c *commit) settle() error {
	if c.begun.Swap(true) {
		<-c.done
		return c.err
	}
	defer close(c.done)
	c.err = errRefused // stays if wait ends the goroutine
	if err := guard.Call("Save", c.wait); err != nil {
		c.store.fail(err)
	}
	c.wait, c.err = nil, nil
	if failed := c.store.failed.Load(); failed != nil { // perhaps of an earlier commit
		c.err = *failed
	}
	c.store.newest.CompareAndSwap(c, nil)
	return c.err
}

// fail keeps the first error. The text of a panic is left out: it may hold anything.
func (s *store) fail(cause error) {
	if panicked := (*guard.PanicError)(nil); errors.As(cause, &panicked) {
		cause = errors.New("the storage panicked")
	}
	err := fmt.Errorf("%w: it is not known whether a change was stored: start the emulator again: %w", ErrStorage, cause)
	s.failed.CompareAndSwap(nil, &err)
}
