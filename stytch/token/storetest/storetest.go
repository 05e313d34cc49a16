// Package storetest tests implementations of token.Store.
package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Store has the methods of token.Store.
type Store interface {
	Get(ctx context.Context, key string) (value []byte, err error)
	Put(ctx context.Context, key string, value []byte, life time.Duration) error
	Lease(ctx context.Context, key, owner string, life time.Duration) (bool, error)
	Release(ctx context.Context, key, owner string) error
}

// Run checks that store does what token.Store requires. It uses new keys, so the store may hold
// other entries. advance lets d pass for the store; for a real one, pass time.Sleep.
func Run(t *testing.T, store Store, advance func(d time.Duration)) {
	t.Helper()
	for name, test := range map[string]func(*suite, string){
		"values": (*suite).values,
		"life":   (*suite).life,
		"lease":  (*suite).lease,
		"race":   (*suite).race,
		"misuse": (*suite).misuse,
	} {
		t.Run(name, func(t *testing.T) {
			test(&suite{T: t, store: store, advance: advance}, "storetest-"+rand.Text())
		})
	}
}

type suite struct {
	*testing.T
	store   Store
	advance func(time.Duration)
}

func (s *suite) get(key string) []byte {
	s.Helper()
	value, err := s.store.Get(s.Context(), key)
	if err != nil {
		s.Fatalf("Get: %v", err)
	}
	return value
}

func (s *suite) put(key string, value []byte, life time.Duration) {
	s.Helper()
	if err := s.store.Put(s.Context(), key, value, life); err != nil {
		s.Fatalf("Put: %v", err)
	}
}

func (s *suite) take(key, owner string, life time.Duration) bool {
	s.Helper()
	won, err := s.store.Lease(s.Context(), key, owner, life)
	if err != nil {
		s.Fatalf("Lease: %v", err)
	}
	return won
}

func (s *suite) release(key, owner string) {
	s.Helper()
	if err := s.store.Release(s.Context(), key, owner); err != nil {
		s.Fatalf("Release: %v", err)
	}
}

func (s *suite) values(key string) {
	if value := s.get(key); value != nil {
		s.Errorf("Get of an absent key = %d bytes, want nil", len(value))
	}
	every := make([]byte, 256, 100<<10) // every byte value, zero and line ends included
	for i := range every {
		every[i] = byte(i)
	}
	large := append(every, bytes.Repeat([]byte{0xff}, 64<<10)...)
	for _, value := range [][]byte{every, []byte("shorter"), large} {
		before := bytes.Clone(value)
		s.put(key, value, time.Minute)
		if !bytes.Equal(value, before) {
			s.Error("Put changed its argument")
		}
		if got := s.get(key); !bytes.Equal(got, value) {
			s.Errorf("Get = %d bytes, want the %d that were put last", len(got), len(value))
		}
	}
	if value := s.get(key + "-other"); value != nil {
		s.Error("a value appeared under another key")
	}
}

func (s *suite) life(key string) {
	s.put(key, []byte("short"), 300*time.Millisecond)
	s.put(key+"-long", []byte("long"), time.Hour)
	s.put(key+"-extended", []byte("short"), 300*time.Millisecond)
	s.put(key+"-extended", []byte("long"), time.Hour)
	s.advance(500 * time.Millisecond)
	if s.get(key) != nil {
		s.Error("a value outlived its life")
	}
	if s.get(key+"-long") == nil || s.get(key+"-extended") == nil {
		s.Error("a value did not reach the end of its life")
	}
}

func (s *suite) lease(key string) {
	const long, short = time.Hour, 300 * time.Millisecond
	if !s.take(key, "a", long) {
		s.Fatal("a free lease was not given")
	}
	if s.take(key, "b", long) {
		s.Error("a lease was given to a second owner")
	}
	if !s.take(key, "a", long) {
		s.Error("the holder asked again and was refused: its first response may have been lost")
	}
	if !s.take(key+"-other", "b", long) {
		s.Error("a lease of another key was not given")
	}
	s.release(key, "b")
	if s.take(key, "b", long) {
		s.Error("another owner ended a lease")
	}
	s.release(key, "a")
	s.release(key, "a") // nothing to do
	if !s.take(key, "b", short) {
		s.Error("a released lease was not given")
	}
	s.advance(short + 200*time.Millisecond)
	if !s.take(key, "c", long) {
		s.Error("a lease that ended was not given")
	}
	s.release(key, "b") // the previous holder, late
	if s.take(key, "d", long) {
		s.Error("a previous holder ended the lease of the next one")
	}
}

// race lets many owners ask for one lease at once.
func (s *suite) race(key string) {
	var winners atomic.Int32
	var group sync.WaitGroup
	start := make(chan struct{})
	for range 32 {
		group.Go(func() {
			<-start
			won, err := s.store.Lease(s.Context(), key, rand.Text(), time.Hour)
			if err != nil {
				s.Errorf("Lease: %v", err)
			}
			if won {
				winners.Add(1)
			}
		})
	}
	close(start)
	group.Wait()
	if n := winners.Load(); n != 1 {
		s.Errorf("%d of 32 owners got the lease, want 1", n)
	}
}

// misuse must be an error, not a value or a lease without an end.
func (s *suite) misuse(key string) {
	for _, life := range []time.Duration{0, -1, -time.Second} {
		if s.store.Put(s.Context(), key, []byte("value"), life) == nil {
			s.Errorf("Put with a life of %v is not an error", life)
		}
		if _, err := s.store.Lease(s.Context(), key+"-lease", "a", life); err == nil {
			s.Errorf("Lease with a life of %v is not an error", life)
		}
	}
	canceled, cancel := context.WithCancel(s.Context())
	cancel()
	if _, err := s.store.Get(canceled, key); err == nil {
		s.Error("Get with a canceled context is not an error")
	}
	if s.get(key) != nil {
		s.Error("a refused value was stored")
	}
}
