package verify

import (
	"sync"
	"sync/atomic"

	"github.com/stytchkit/m2m/internal/jwks"
)

const (
	cacheShards   = 16   // so that readers on many cores do not wait for the same lock
	bytesPerEntry = 1024 // what an entry may take on average; a plain token takes about half of it
)

// An entry is a token whose signature was good. It holds a fingerprint of the token, not the
// token.
type entry struct {
	Claims
	print  fingerprint
	keySet uint64 // the version of the key set that it was verified with
}

// size is about how much memory the entry takes, with its place in the table.
func (e *entry) size() int64 {
	n := 320 + len(e.Subject) + len(e.Scope) + len(e.ID) + len(e.custom)
	if e.ClientID != e.Subject {
		n += len(e.ClientID)
	}
	if len(e.audience) > 1 {
		for _, audience := range e.audience {
			n += 16 + len(audience)
		}
	}
	return int64(n)
}

// cache holds verified tokens by their fingerprints. Entries of another key set do not count.
type cache struct {
	prints     fingerprints
	maxEntries int64
	entries    atomic.Int64
	bytes      atomic.Int64
	shards     [cacheShards]shard
}

type shard struct {
	mu     sync.RWMutex
	tokens map[uint64]*entry
}

func newCache(entries int) *cache {
	if entries == 0 {
		return nil
	}
	c := &cache{prints: newFingerprints(fastGCM()), maxEntries: int64(entries)}
	for i := range c.shards {
		c.shards[i].tokens = make(map[uint64]*entry)
	}
	return c
}

func (c *cache) shard(place uint64) *shard { return &c.shards[place>>60] }

// fingerprint is the zero value without a cache.
func (c *cache) fingerprint(raw string) (f fingerprint) {
	if c == nil {
		return f
	}
	return c.prints.of(raw)
}

// get returns the entry of a token verified with this key set.
func (c *cache) get(print *fingerprint, set *jwks.Set) *entry {
	if c == nil || set == nil {
		return nil
	}
	place := print.place()
	s := c.shard(place)
	s.mu.RLock()
	e := s.tokens[place]
	s.mu.RUnlock()
	if e == nil || e.keySet != set.Version || !print.equal(&e.print) {
		return nil
	}
	return e
}

// put adds an entry, in place of others if there are too many.
func (c *cache) put(e *entry) {
	if c == nil {
		return
	}
	size := e.size()
	if size > c.maxEntries*bytesPerEntry {
		return
	}
	place := e.print.place()
	s := c.shard(place)
	s.mu.Lock()
	c.drop(s, place)
	s.tokens[place] = e
	c.entries.Add(1)
	c.bytes.Add(size)
	s.mu.Unlock()
	for n := place; c.entries.Load() > c.maxEntries || c.bytes.Load() > c.maxEntries*bytesPerEntry; n += 1 << 60 {
		c.dropAny(c.shard(n), place)
	}
}

// drop removes an entry from a shard that the caller has locked.
func (c *cache) drop(s *shard, place uint64) {
	if old := s.tokens[place]; old != nil {
		delete(s.tokens, place)
		c.entries.Add(-1)
		c.bytes.Add(-old.size())
	}
}

// dropAny makes room. The order of the map, which is random, chooses the entry.
func (c *cache) dropAny(s *shard, keep uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for place := range s.tokens {
		if place != keep {
			c.drop(s, place)
			return
		}
	}
}

// remove removes an entry that has expired.
func (c *cache) remove(e *entry) {
	place := e.print.place()
	s := c.shard(place)
	s.mu.Lock()
	c.drop(s, place)
	s.mu.Unlock()
}

// clear frees the memory of all entries, after the key set has changed.
func (c *cache) clear() {
	if c == nil {
		return
	}
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for place := range s.tokens {
			c.drop(s, place)
		}
		s.tokens = make(map[uint64]*entry)
		s.mu.Unlock()
	}
}
