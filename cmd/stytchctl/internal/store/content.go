package store

import (
	"bytes"
	"fmt"
	"iter"

	"go.etcd.io/bbolt"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// A Content is what one emulator stores: an emulator.Storage. The file has one at a time. Once
// another one has replaced it, what its emulator still saves is forgotten, as if it had been saved
// just before.
type Content struct {
	store *Store
	begun bool // it owns the records of the file

	staged []emulator.Record // what it begins with, and what was saved before [Content.Replace]
}

// Content is what the file holds.
func (s *Store) Content() *Content {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owner = &Content{store: s, begun: true}
	return s.owner
}

// Stage prepares a content that begins with records, for an emulator that no request reaches yet.
// The file stays as it is until [Content.Replace].
func (s *Store) Stage(records []emulator.Record) *Content {
	return &Content{store: s, staged: records}
}

// Replace puts a staged content and settings into the place of all records, in one transaction.
func (c *Content) Replace(settings map[string][]byte) error {
	s := c.store
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	changes := append([]change{{replaceAll: true}}, recordChanges(c.staged)...)
	for name, value := range settings {
		changes = append(changes, setting(name, value))
	}
	done := s.enqueue(changes...)
	before := s.owner
	s.owner, c.begun, c.staged = c, true, nil
	s.mu.Unlock()
	if err := done.wait(); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.owner = before // the file was not changed, and never will be: the store has failed
		return err
	}
	return nil
}

// Load yields the records. It implements emulator.Storage.
func (c *Content) Load() iter.Seq2[emulator.Record, error] {
	return func(yield func(emulator.Record, error) bool) {
		if !c.begun {
			for _, r := range c.staged {
				if !yield(r, nil) {
					return
				}
			}
			return
		}
		if err := c.store.each(nil, func(r emulator.Record) bool { return yield(r, nil) }); err != nil {
			yield(emulator.Record{}, err)
		}
	}
}

// Save queues records. It implements emulator.Storage.
func (c *Content) Save(records []emulator.Record) (wait func() error) {
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return func() error { return errClosed }
	case !c.begun:
		c.staged = append(c.staged, records...)
		return stored
	case s.owner != c:
		return stored
	}
	return s.enqueue(recordChanges(records)...).wait
}

func stored() error { return nil }

func recordChanges(records []emulator.Record) []change {
	changes := make([]change, len(records))
	for i, r := range records {
		changes[i] = change{bucket: recordsBucket, key: recordKey(r.Kind, r.ID)}
		if r.Value != nil {
			changes[i].value = seal(r.Value)
		}
	}
	return changes
}

// separator stands between kind and id. No kind contains it.
const separator = 0

func recordKey(kind, id string) []byte {
	return append(append([]byte(kind), separator), id...)
}

// Records are the records of a kind.
func (s *Store) Records(kind string) (records []emulator.Record, err error) {
	err = s.each(recordKey(kind, ""), func(r emulator.Record) bool {
		records = append(records, r)
		return true
	})
	return records, err
}

// each calls yield for each record whose key has a prefix, until it returns false.
func (s *Store) each(prefix []byte, yield func(emulator.Record) bool) error {
	tx, err := s.db.Begin(false)
	if err != nil {
		return unreadable(s.path, err)
	}
	defer func() { _ = tx.Rollback() }() // of a transaction that reads
	var cursor *bbolt.Cursor
	for {
		var r emulator.Record
		found := false
		err := guarded(func() (err error) { // yield runs outside: its panics are its own
			var key, sealed []byte
			if cursor == nil {
				cursor = tx.Bucket(recordsBucket).Cursor()
				key, sealed = cursor.Seek(prefix)
			} else {
				key, sealed = cursor.Next()
			}
			if key != nil && bytes.HasPrefix(key, prefix) {
				found = true
				r, err = decodeRecord(key, sealed)
			}
			return err
		})
		if err != nil {
			return unreadable(s.path, err)
		}
		if !found || !yield(r) {
			return nil
		}
	}
}

// decodeRecord copies: the memory of bbolt ends with the transaction.
func decodeRecord(key, sealed []byte) (emulator.Record, error) {
	kind, id, ok := bytes.Cut(key, []byte{separator})
	if !ok {
		return emulator.Record{}, fmt.Errorf("a record has no kind")
	}
	value, err := unseal(sealed)
	if err != nil {
		return emulator.Record{}, fmt.Errorf("record %.40q %.256q: %w", kind, id, err)
	}
	return emulator.Record{Kind: string(kind), ID: string(id), Value: bytes.Clone(value)}, nil
}
