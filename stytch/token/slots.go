package token

import "sync"

// maxSlots bounds how many different requests a source remembers: scopes may come from outside.
const maxSlots = 1000

// slots are the tokens of requests other than the source's own. The zero value is empty.
type slots struct {
	mu    sync.Mutex
	byKey map[string]*used
	clock uint64 // counts uses
}

type used struct {
	*slot
	last uint64
}

// get returns the slot of a key, made by create if there is none.
func (s *slots) get(key string, create func() *slot) *slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock++
	if u := s.byKey[key]; u != nil {
		u.last = s.clock
		return u.slot
	}
	if s.byKey == nil {
		s.byKey = make(map[string]*used)
	}
	if len(s.byKey) >= maxSlots {
		s.evict()
	}
	u := &used{create(), s.clock}
	s.byKey[key] = u
	return u.slot
}

// evict forgets the slot that was not used the longest. A refresh under way there ends as usual, for those who wait for it.
func (s *slots) evict() {
	oldest, found := "", uint64(0)
	for key, u := range s.byKey {
		if found == 0 || u.last < found {
			oldest, found = key, u.last
		}
	}
	delete(s.byKey, oldest)
}

func (s *slots) list() []*slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*slot, 0, len(s.byKey))
	for _, u := range s.byKey {
		all = append(all, u.slot)
	}
	return all
}
