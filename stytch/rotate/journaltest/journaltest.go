// Package journaltest tests implementations of [rotate.Journal] and [rotate.Queue], as
// testing/fstest does for file systems.
package journaltest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/sleep"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// Storage is an empty place where journals store records.
type Storage struct {
	// Open returns a new journal on the storage. All journals of a storage see the same records,
	// like those of several processes. If they implement [rotate.Queue], that is tested too.
	Open func(t *testing.T) rotate.Journal
	// IgnoresLife is for journals whose claims last until they are released or their process ends.
	IgnoresLife bool
	// Corrupt damages the stored record of a client. If it is nil, the tests that need it are
	// skipped.
	Corrupt func(t *testing.T, clientID string)
	// Raw returns all stored bytes, so that they can be searched for secrets in plain text. If it
	// is nil, the tests that need it are skipped.
	Raw func(t *testing.T) []byte
}

type test struct {
	name string
	run  func(*suite)
}

// Run checks journals against the documentation of [rotate.Journal], and of [rotate.Queue] if they
// implement it. It calls storage once per test.
func Run(t *testing.T, storage func(t *testing.T) Storage) {
	t.Helper()
	for _, test := range journalTests {
		t.Run(test.name, func(t *testing.T) { test.run(newSuite(t, storage(t))) })
	}
	t.Run("queue", func(t *testing.T) {
		if _, ok := storage(t).Open(t).(rotate.Queue); !ok {
			t.Skip("the journal does not implement rotate.Queue")
		}
		for _, test := range queueTests {
			t.Run(test.name, func(t *testing.T) { test.run(newSuite(t, storage(t))) })
		}
	})
}

const (
	long  = time.Hour
	short = 50 * time.Millisecond
	limit = 30 * time.Second // for something that must happen
)

// suite is one test. Its methods may end the test, so they must be called from its goroutine.
type suite struct {
	*testing.T
	storage Storage
	journal rotate.Journal
}

func newSuite(t *testing.T, s Storage) *suite {
	return &suite{t, s, s.Open(t)}
}

// claim claims a client that is free.
func (s *suite) claim(clientID string) rotate.Claim {
	s.Helper()
	c, err := s.journal.Claim(s.Context(), clientID, long)
	if err != nil {
		s.Fatalf("Claim of a free client: %v", err)
	}
	return c
}

// claimable waits until a client can be claimed.
func (s *suite) claimable(j rotate.Journal, clientID string) rotate.Claim {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), limit)
	defer cancel()
	for {
		c, err := j.Claim(ctx, clientID, long)
		if err == nil {
			return c
		}
		if !errors.Is(err, rotate.ErrBusy) || sleep.For(ctx, 5*time.Millisecond) != nil {
			s.Fatalf("Claim never succeeded: %v", err)
		}
	}
}

func (s *suite) write(c rotate.Claim, r rotate.Record) {
	s.Helper()
	if err := c.Write(s.Context(), r); err != nil {
		s.Fatalf("Write of a record in state %s: %v", r.State, err)
	}
}

func (s *suite) release(c rotate.Claim) {
	s.Helper()
	if err := c.Release(s.Context()); err != nil {
		s.Fatalf("Release: %v", err)
	}
}

// put stores a record and releases its client.
func (s *suite) put(r rotate.Record) {
	s.Helper()
	c := s.claim(r.ClientID)
	s.write(c, r)
	s.release(c)
}

// stored checks the stored record of a client.
func (s *suite) stored(j rotate.Journal, want rotate.Record) {
	s.Helper()
	got, err := j.Read(s.Context(), want.ClientID)
	if err != nil {
		s.Fatalf("Read of a record in state %s: %v", want.State, err)
	}
	s.same(got, want)
}

// same compares records without printing their values, which may be secrets.
func (s *suite) same(got, want rotate.Record) {
	s.Helper()
	for _, field := range differences(got, want) {
		s.Errorf("a record in state %s: %s differs from what was written", want.State, field)
	}
}

// is checks an error.
func (s *suite) is(err, want error, what string) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s: %v, want %v", what, err, want)
	}
}
