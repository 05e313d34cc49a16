package emulator

import (
	"iter"
	"maps"
	"slices"
)

// snapshot returns the records of the state as it is when snapshot is called. It copies pointers
// under the locks of all parts, and encodes later: records are immutable.
func (s *state) snapshot() iter.Seq[Record] {
	s.clients.mu.RLock()
	defer s.clients.mu.RUnlock()
	s.apps.mu.RLock()
	defer s.apps.mu.RUnlock()
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	s.minted.mu.Lock()
	defer s.minted.mu.Unlock()
	s.revoked.mu.Lock()
	defer s.revoked.mu.Unlock()
	s.switches.mu.Lock()
	defer s.switches.mu.Unlock()

	clients, apps := s.clients.copyLocked(), s.apps.copyLocked()
	keys, minted, behavior := slices.Clone(s.keys.keys), maps.Clone(s.minted.byName), s.switches.load()
	revoked := maps.Clone(s.revoked.expires)
	deleted := append(s.clients.deletedSeeds(), s.apps.deletedSeeds()...)

	return func(yield func(Record) bool) {
		single := []Record{
			newRecord(kindVersion, "format", versionValue{storageFormat}),
			newRecord(kindProject, s.id, projectValue{s.issuer}),
			newRecord(kindProjectSecret, s.id, secretTextValue{s.reveal()}),
			encodeBehavior(behavior),
		}
		for _, key := range keys {
			single = append(single, encodeKey(key))
		}
		for _, id := range slices.Sorted(maps.Keys(minted)) {
			single = append(single, newRecord(kindMinted, id, mintedValue{minted[id]}))
		}
		for token, expires := range revoked {
			single = append(single, encodeRevoked(token, expires))
		}
		for _, r := range append(single, deleted...) {
			if !yield(r) {
				return
			}
		}
		_ = clients.each(yield) && apps.each(yield)
	}
}

// A tableCopy is what a table held at one time.
type tableCopy[T any] struct {
	kind   string
	encode func(*T, uint64) Record
	rows   []row[T]
	last   uint64
}

func (t *table[T]) copyLocked() tableCopy[T] {
	c := tableCopy[T]{t.kind, t.encode, make([]row[T], 0, len(t.byID)), t.last}
	for _, r := range t.rows {
		if r.record != nil {
			c.rows = append(c.rows, *r)
		}
	}
	return c
}

// each yields the records and the last seq. It reports false once yield does.
func (c tableCopy[T]) each(yield func(Record) bool) bool {
	for _, r := range c.rows {
		if !yield(c.encode(r.record, r.seq)) {
			return false
		}
	}
	return c.last == 0 || yield(newRecord(kindSequence, c.kind, sequenceValue{c.last}))
}

// deletedSeeds returns the records of the seeds that were deleted.
func (t *table[T]) deletedSeeds() (records []Record) {
	for _, id := range slices.Sorted(maps.Keys(t.seeds)) {
		if t.seeds[id] {
			records = append(records, newRecord(kindDeletedSeed, seedID(t.kind, id), struct{}{}))
		}
	}
	return records
}

// after returns the records of the rows that were added after a seq.
func (t *table[T]) after(seq uint64) (records []Record) {
	for _, r := range t.copyLocked().rows {
		if r.seq > seq {
			records = append(records, t.encode(r.record, r.seq))
		}
	}
	return records
}
