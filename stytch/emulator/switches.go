package emulator

import (
	"sync"
	"sync/atomic"
)

// switches hold the behavior that requests find when they arrive.
type switches struct {
	store *store // nil if the state is in memory only

	mu      sync.Mutex // orders the changes
	current atomic.Pointer[Behavior]
}

// load returns the behavior with its defaults filled in.
func (s *switches) load() Behavior { return *s.current.Load() }

func (s *switches) set(p *pending, b Behavior) error {
	filled, err := b.filled()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.store.check(); err != nil {
		return err
	}
	if s.store != nil {
		s.store.save(p, encodeBehavior(filled))
	}
	s.current.Store(&filled)
	return nil
}

func encodeBehavior(b Behavior) Record { return newRecord(kindBehavior, kindBehavior, b) }
