package token

import "sync"

// maxSlots bounds how many different requests a source remembers: scopes may come from outside.
const maxSlots = 1000

// slots are the cached tokens of requests other than the source's own. The zero value is empty.
type slots struct {
	mu    sync.Mutex
	byKey map[string]*slotUse
	uses  uint64
}

type slotUse struct {
	*slot
	last uint64 // which use of all was the last of this slot
}

// get returns the slot of a key, and creates it if there is none.
func (s *slots) get(key string, create func() *slot) *slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uses++
	if u := s.byKey[key]; u != nil {
		u.last = s.uses
		return u.slot
	}
	if s.byKey == nil {
		s.byKey = make(map[string]*slotUse)
	}
	if len(s.byKey) >= maxSlots {
		s.evict()
	}
	u := &slotUse{create(), s.uses}
	s.byKey[key] = u
	return u.slot
}

// evict forgets the least recently used slot. A refresh in progress there still serves its callers.
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
