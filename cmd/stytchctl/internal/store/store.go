package store

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"go.etcd.io/bbolt"
)

// A Store is an open data file. It is safe for concurrent use.
type Store struct {
	path string
	db   *bbolt.DB

	mu     sync.Mutex
	wake   sync.Cond // the queue has changed, or closing is set
	queue  []change
	next   *commit // of the queue; nil if it is empty
	owner  *Content
	closed bool
	failed error // the first failure; nothing is written after it

	ended chan struct{} // closed when the writer has ended
}

// A change is one key to write, or to remove if value is nil.
type change struct {
	bucket, key, value []byte
	replaceAll         bool // remove all records first; key and value are not used
}

// A commit is one transaction. Err may be read once done is closed.
type commit struct {
	done chan struct{}
	err  error
}

func (c *commit) wait() error {
	<-c.done
	return c.err
}

// enqueue hands changes to the writer. The caller holds s.mu.
func (s *Store) enqueue(changes ...change) *commit {
	if s.next == nil {
		s.next = &commit{done: make(chan struct{})}
	}
	s.queue = append(s.queue, changes...)
	s.wake.Signal()
	return s.next
}

// write is the writer: it commits whatever has been queued while it was busy.
func (s *Store) write() {
	defer close(s.ended)
	for {
		s.mu.Lock()
		for s.next == nil && !s.closed {
			s.wake.Wait()
		}
		c, changes, failed := s.next, s.queue, s.failed
		s.next, s.queue = nil, nil
		s.mu.Unlock()
		if c == nil {
			return
		}
		if failed == nil {
			if failed = s.apply(changes); failed != nil {
				failed = fmt.Errorf("store: write %s: %w", s.path, failed)
				s.mu.Lock()
				s.failed = failed
				s.mu.Unlock()
			}
		}
		c.err = failed
		close(c.done)
	}
}

func (s *Store) apply(changes []change) error {
	return guarded(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			for _, c := range changes {
				if err := c.apply(tx); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (c change) apply(tx *bbolt.Tx) error {
	switch {
	case c.replaceAll:
		if err := tx.DeleteBucket(recordsBucket); err != nil {
			return err
		}
		_, err := tx.CreateBucket(recordsBucket)
		return err
	case c.value == nil:
		return tx.Bucket(c.bucket).Delete(c.key)
	}
	return tx.Bucket(c.bucket).Put(c.key, c.value)
}

// Setting reads a setting of the server; nil if it was never written.
func (s *Store) Setting(name string) (value []byte, err error) {
	err = guarded(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			sealed := tx.Bucket(settingsBucket).Get([]byte(name))
			if sealed == nil {
				return nil
			}
			found, err := unseal(sealed)
			value = bytes.Clone(found)
			return err
		})
	})
	if err != nil {
		return nil, unreadable(s.path, fmt.Errorf("setting %s: %w", name, err))
	}
	return value, nil
}

// SetSetting writes a setting and returns once it survives a crash.
func (s *Store) SetSetting(name string, value []byte) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	c := s.enqueue(setting(name, value))
	s.mu.Unlock()
	return c.wait()
}

func setting(name string, value []byte) change {
	return change{bucket: settingsBucket, key: []byte(name), value: seal(value)}
}

// Err is the failure after which nothing is written any more, or nil.
func (s *Store) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

var errClosed = errors.New("store: it is closed")

// Close writes what is queued and releases the file. It may be called more than once.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.wake.Signal()
	s.mu.Unlock()
	<-s.ended
	return s.db.Close()
}
