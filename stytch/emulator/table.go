package emulator

import (
	"sort"
	"sync"
)

// A table holds records of one kind in the order of their creation. A record is immutable: an
// update replaces it with a changed copy, so that readers need no lock once they have it.
type table[T any] struct {
	missing string // error_type for an unknown id
	noun    string // for reasons: "an M2M client"
	kind    string // of its records in a storage
	encode  func(*T, uint64) Record
	store   *store          // nil if the state is in memory only
	seeds   map[string]bool // ids of seeds: true once deleted; nil if the state is in memory only

	mu   sync.RWMutex
	byID map[string]*row[T]
	rows []*row[T] // by seq; deleted ones stay until the next compaction
	last uint64    // seq of the newest row
	dead int
}

type row[T any] struct {
	seq    uint64
	record *T // nil once deleted
}

func newTable[T any](missing, noun, kind string, encode func(*T, uint64) Record) table[T] {
	return table[T]{missing: missing, noun: noun, kind: kind, encode: encode, byID: map[string]*row[T]{}}
}

// insert adds a record unless the id is taken or the table already holds limit records (0 for no
// limit).
func (t *table[T]) insert(p *pending, id string, record *T, limit int, duplicate, full string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID[id] != nil {
		return fail(duplicate).why("%s with the ID %.256q exists already", t.noun, id)
	}
	if limit > 0 && len(t.byID) >= limit {
		return fail(full).why("the project has %d, the limit of its Behavior", len(t.byID))
	}
	if err := t.store.check(); err != nil {
		return err
	}
	if t.store != nil {
		t.store.save(p, t.encode(record, t.last+1))
	}
	t.last++
	t.append(id, &row[T]{seq: t.last, record: record})
	return nil
}

func (t *table[T]) notFound(id string) *failure {
	return fail(t.missing).why("the ID %.256q is not that of %s", id, t.noun)
}

func (t *table[T]) append(id string, r *row[T]) {
	t.byID[id] = r
	t.rows = append(t.rows, r)
}

func (t *table[T]) get(id string) (*T, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	r := t.byID[id]
	if r == nil {
		return nil, t.notFound(id)
	}
	return r.record, nil
}

// update replaces a record with a copy that change has modified, unless change fails. change must
// not modify what the record points to.
func (t *table[T]) update(p *pending, id string, change func(*T) error) (*T, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.byID[id]
	if r == nil {
		return nil, t.notFound(id)
	}
	changed := *r.record
	if err := change(&changed); err != nil {
		return nil, err
	}
	if err := t.store.check(); err != nil {
		return nil, err
	}
	if t.store != nil {
		t.store.save(p, t.encode(&changed, r.seq))
	}
	r.record = &changed
	return r.record, nil
}

func (t *table[T]) remove(p *pending, id string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.byID[id]
	if r == nil {
		return t.notFound(id)
	}
	if err := t.store.check(); err != nil {
		return err
	}
	if t.store != nil {
		t.store.save(p, t.removal(id, r.seq)...)
	}
	if _, seed := t.seeds[id]; seed {
		t.seeds[id] = true
	}
	delete(t.byID, id)
	r.record = nil
	t.dead++
	if t.dead > 1000 && t.dead > len(t.rows)/2 {
		t.compact()
	}
	return nil
}

// removal returns the records that change when a row is removed. The newest one leaves its seq
// behind, or a cursor that was issued would become invalid.
func (t *table[T]) removal(id string, seq uint64) []Record {
	records := []Record{{Kind: t.kind, ID: id}}
	if seq == t.last {
		records = append(records, newRecord(kindSequence, t.kind, sequenceValue{seq}))
	}
	if _, seed := t.seeds[id]; seed {
		records = append(records, newRecord(kindDeletedSeed, seedID(t.kind, id), struct{}{}))
	}
	return records
}

func (t *table[T]) compact() {
	live := make([]*row[T], 0, len(t.byID))
	for _, r := range t.rows {
		if r.record != nil {
			live = append(live, r)
		}
	}
	t.rows, t.dead = live, 0
}

// A page is a part of the matching records.
type page[T any] struct {
	records []*T
	last    uint64 // seq of the last record
	more    bool   // whether another record matches after it
	total   int    // over all pages; -1 if not counted
}

// page returns up to limit matching records after a seq. A row never changes its seq, so a record
// that exists throughout is on exactly one page, regardless of what is added and removed between
// the calls.
func (t *table[T]) page(after uint64, limit int, match func(*T) bool, count bool) page[T] {
	t.mu.RLock()
	defer t.mu.RUnlock()
	start := sort.Search(len(t.rows), func(i int) bool { return t.rows[i].seq > after })
	p := page[T]{records: make([]*T, 0, min(limit, len(t.rows)-start)), total: -1}
	if count {
		p.total = len(t.byID)
	}
	if count && match != nil {
		p.total = 0
		for _, r := range t.rows[:start] {
			if r.record != nil && match(r.record) {
				p.total++
			}
		}
	}
	for _, r := range t.rows[start:] {
		if r.record == nil || match != nil && !match(r.record) {
			continue
		}
		if count && match != nil {
			p.total++
		}
		if len(p.records) < limit {
			p.records, p.last = append(p.records, r.record), r.seq
			continue
		}
		p.more = limit > 0
		if match == nil || !count {
			break // nothing left to count
		}
	}
	return p
}

// issued reports whether a record was ever stored with a seq.
func (t *table[T]) issued(seq uint64) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return seq > 0 && seq <= t.last
}
