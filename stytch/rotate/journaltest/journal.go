package journaltest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stytchkit/m2m/internal/sleep"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

var journalTests = []test{
	{"empty", (*suite).empty},
	{"round trip", (*suite).roundTrip},
	{"clients", (*suite).clients},
	{"busy", (*suite).busy},
	{"expiry", (*suite).expiry},
	{"no expiry", (*suite).noExpiry},
	{"expired but not taken over", (*suite).expired},
	{"one at a time", (*suite).oneAtATime},
	{"unfinished", (*suite).unfinished},
	{"corrupt", (*suite).corrupt},
	{"secrets are erased", (*suite).erased},
	{"bad input", (*suite).badInput},
	{"canceled context", (*suite).canceled},
}

func (s *suite) empty() {
	_, err := s.journal.Read(s.Context(), "a")
	s.is(err, rotate.ErrNoRotation, "Read of a client without a record")
	for range s.journal.Unfinished(s.Context()) {
		s.Error("Unfinished yields a client of an empty storage")
	}
	c := s.claim("a")
	s.same(c.Record(), rotate.Record{})
	_, err = s.journal.Read(s.Context(), "a")
	s.is(err, rotate.ErrNoRotation, "Read of a client that was claimed only")
	s.release(c)
	_, err = s.journal.Read(s.Context(), "a")
	s.is(err, rotate.ErrNoRotation, "Read of a client that was claimed and released")
}

// roundTrip writes every state and reads it by the claim, by this journal, by another one, and by
// the next claim.
func (s *suite) roundTrip() {
	other := s.storage.Open(s.T)
	for _, build := range []func(string, rotate.State) rotate.Record{full, least} {
		for _, state := range states {
			r := build("a", state)
			c := s.claim("a")
			s.write(c, r)
			s.same(c.Record(), kept(r))
			s.stored(s.journal, kept(r))
			s.stored(other, kept(r))
			s.release(c)
			c = s.claim("a")
			s.same(c.Record(), kept(r))
			if names := c.Record().Delivered; len(names) > 0 {
				names[0] = "changed"
				s.same(c.Record(), kept(r))
			}
			s.release(c)
			s.stored(s.storage.Open(s.T), kept(r))
		}
	}
}

func (s *suite) clients() {
	for _, id := range ids() {
		s.put(full(id, rotate.Started))
	}
	other := s.storage.Open(s.T)
	for _, id := range ids() {
		got, err := other.Read(s.Context(), id)
		if err != nil {
			s.Errorf("Read of client %q: %v", id, err)
			continue
		}
		if !got.Next.Equal(full(id, rotate.Started).Next) || got.ClientID != id {
			s.Errorf("client %q has the record of another client", id)
		}
	}
	s.unfinishedAre(ids())
}

func (s *suite) busy() {
	other := s.storage.Open(s.T)
	first := s.claim("a")
	for _, j := range []rotate.Journal{s.journal, other} {
		_, err := j.Claim(s.Context(), "a", long)
		s.is(err, rotate.ErrBusy, "Claim of a client that is claimed")
	}
	s.release(s.claim("b")) // another client is free
	s.release(first)
	s.release(first) // does nothing
	s.is(first.Write(s.Context(), full("a", rotate.Planned)), rotate.ErrBusy, "Write after the release")
	_, err := s.journal.Read(s.Context(), "a")
	s.is(err, rotate.ErrNoRotation, "Read after a refused Write")

	second, err := other.Claim(s.Context(), "a", long)
	if err != nil {
		s.Fatalf("Claim after the release: %v", err)
	}
	s.release(first) // does nothing
	_, err = s.journal.Claim(s.Context(), "a", long)
	s.is(err, rotate.ErrBusy, "Claim after another claim was released twice")
	s.write(second, full("a", rotate.Started))
	s.release(second)
}

// expiry takes over a claim that has expired. Its previous holder can no longer write or release.
func (s *suite) expiry() {
	if s.storage.IgnoresLife {
		s.Skip("claims do not expire")
	}
	lost, err := s.journal.Claim(s.Context(), "a", short)
	if err != nil {
		s.Fatalf("Claim: %v", err)
	}
	before := full("a", rotate.Starting)
	s.write(lost, before)
	holder := s.claimable(s.storage.Open(s.T), "a")
	s.same(holder.Record(), before)

	late := full("a", rotate.Completed)
	s.is(lost.Write(s.Context(), late), rotate.ErrBusy, "Write with a claim that was taken over")
	s.stored(s.journal, before)
	after := full("a", rotate.Started)
	s.write(holder, after)
	s.is(lost.Write(s.Context(), late), rotate.ErrBusy, "Write with a claim that was taken over")
	s.stored(s.journal, after)

	s.release(lost)
	_, err = s.journal.Claim(s.Context(), "a", long)
	s.is(err, rotate.ErrBusy, "Claim after the previous holder released its lost claim")
	s.write(holder, full("a", rotate.Delivered))
	s.release(holder)
}

// noExpiry checks that a claim lasts although its life is over.
func (s *suite) noExpiry() {
	if !s.storage.IgnoresLife {
		s.Skip("claims expire")
	}
	c, err := s.journal.Claim(s.Context(), "a", time.Millisecond)
	if err != nil {
		s.Fatalf("Claim: %v", err)
	}
	_ = sleep.For(s.Context(), 20*time.Millisecond)
	_, err = s.storage.Open(s.T).Claim(s.Context(), "a", long)
	s.is(err, rotate.ErrBusy, "Claim of a client that was claimed longer ago than its life")
	s.release(c)
}

// expired writes with a claim that has expired and was not taken over.
func (s *suite) expired() {
	c, err := s.journal.Claim(s.Context(), "a", time.Millisecond)
	if err != nil {
		s.Fatalf("Claim: %v", err)
	}
	_ = sleep.For(s.Context(), 20*time.Millisecond)
	r := full("a", rotate.Started)
	s.write(c, r)
	s.stored(s.journal, r)
	s.release(c)
}

// oneAtATime increments a counter in a record from many goroutines and two journals.
func (s *suite) oneAtATime() {
	const goroutines, rounds = 8, 4
	journals := []rotate.Journal{s.journal, s.storage.Open(s.T)}
	ctx, cancel := context.WithTimeout(s.Context(), 4*limit)
	defer cancel()
	var (
		group   sync.WaitGroup
		holders atomic.Int32
	)
	for i := range goroutines {
		group.Go(func() {
			for range rounds {
				if !s.count(ctx, journals[i%len(journals)], &holders) {
					return
				}
			}
		})
	}
	group.Wait()
	r, err := s.journal.Read(s.Context(), "a")
	if err != nil {
		s.Fatalf("Read: %v", err)
	}
	if want := goroutines * rounds; r.Restarts != want {
		s.Errorf("%d of %d writes are stored", r.Restarts, want)
	}
}

// count increments the counter in the record once it can claim the client.
func (s *suite) count(ctx context.Context, j rotate.Journal, holders *atomic.Int32) bool {
	for {
		c, err := j.Claim(ctx, "a", long)
		if errors.Is(err, rotate.ErrBusy) && sleep.For(ctx, time.Millisecond) == nil {
			continue
		}
		if err != nil {
			s.Errorf("Claim: %v", err)
			return false
		}
		if n := holders.Add(1); n != 1 {
			s.Errorf("%d goroutines hold the claim at once", n)
		}
		r := least("a", rotate.Planned)
		r.Restarts = c.Record().Restarts + 1
		err = c.Write(ctx, r)
		holders.Add(-1)
		if err = errors.Join(err, c.Release(ctx)); err != nil {
			s.Errorf("Write or Release: %v", err)
			return false
		}
		return true
	}
}

func (s *suite) unfinished() {
	var want []string
	for _, state := range states {
		id := "client-" + string(state)
		s.put(full(id, state))
		if !state.Final() {
			want = append(want, id)
		}
	}
	s.unfinishedAre(want)
	held := s.claim("client-" + string(rotate.Grace)) // is still unfinished
	s.unfinishedAre(want)
	s.release(held)
	for range s.journal.Unfinished(s.Context()) {
		break // must be possible
	}
	for _, id := range want {
		s.put(full(id, rotate.Completed))
	}
	s.unfinishedAre(nil)
}

func (s *suite) unfinishedAre(want []string) {
	s.Helper()
	var got []string
	for id, err := range s.storage.Open(s.T).Unfinished(s.Context()) {
		if err != nil {
			s.Fatalf("Unfinished: %v", err)
		}
		got = append(got, id)
	}
	slices.Sort(got)
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		s.Errorf("Unfinished yields %q, want %q", got, want)
	}
}

func (s *suite) corrupt() {
	if s.storage.Corrupt == nil {
		s.Skip("the storage cannot corrupt a record")
	}
	s.put(full("bad", rotate.Started))
	s.put(full("good", rotate.Started))
	s.storage.Corrupt(s.T, "bad")
	_, err := s.journal.Read(s.Context(), "bad")
	s.is(err, rotate.ErrCorrupt, "Read of a corrupt record")
	for range 2 { // a failed claim must not stay
		c, err := s.journal.Claim(s.Context(), "bad", long)
		s.is(err, rotate.ErrCorrupt, "Claim of a corrupt record")
		if c != nil {
			s.Error("Claim of a corrupt record returns a claim")
		}
	}
	var reported, listed bool
	for id, err := range s.journal.Unfinished(s.Context()) {
		reported = reported || id == "bad" || errors.Is(err, rotate.ErrCorrupt)
		listed = listed || id == "good"
	}
	if !reported || !listed {
		s.Errorf("Unfinished: the corrupt record is reported: %t; the good one is listed: %t", reported, listed)
	}
}

func (s *suite) erased() {
	if s.storage.Raw == nil {
		s.Skip("the storage cannot be searched")
	}
	for _, final := range []rotate.State{rotate.Completed, rotate.Canceled, rotate.Gone} {
		id := "client-" + string(final)
		r := full(id, rotate.Completing)
		r.Current, r.Next = secret.Generate(), secret.Generate()
		s.put(r)
		r.State = final
		c := s.claim(id)
		s.write(c, r)
		if record := c.Record(); !record.Current.IsZero() || !record.Next.IsZero() {
			s.Errorf("the claim still has a secret of a %s rotation", final)
		}
		s.release(c)
		raw := s.storage.Raw(s.T)
		if !bytes.Contains(raw, []byte(id)) {
			s.Fatal("Raw does not contain the client id")
		}
		for _, one := range []secret.String{r.Current, r.Next} {
			if bytes.Contains(raw, []byte(one.Reveal())) {
				s.Errorf("the storage still has a secret of a %s rotation", final)
			}
		}
	}
}

func (s *suite) badInput() {
	for _, id := range []string{"", "a\x00b", "\xff", "a b", "project-test-1", strings.Repeat("x", 257)} {
		_, err := s.journal.Claim(s.Context(), id, long)
		s.is(err, rotate.ErrInvalidArgument, "Claim of an invalid client id")
		_, err = s.journal.Read(s.Context(), id)
		s.is(err, rotate.ErrInvalidArgument, "Read of an invalid client id")
	}
	for _, life := range []time.Duration{0, -1} {
		_, err := s.journal.Claim(s.Context(), "a", life)
		s.is(err, rotate.ErrInvalidArgument, "Claim without a life")
	}
	c := s.claim("a")
	incomplete := full("a", rotate.Started)
	incomplete.Next = secret.String{}
	for what, r := range map[string]rotate.Record{
		"the zero record": {}, "of another client": full("b", rotate.Planned), "without a state": full("a", ""),
		"of an unknown state": full("a", "finished"), "without the next secret": incomplete,
	} {
		s.is(c.Write(s.Context(), r), rotate.ErrInvalidArgument, "Write of a record: "+what)
	}
	for _, id := range []string{"a", "b"} {
		_, err := s.journal.Read(s.Context(), id)
		s.is(err, rotate.ErrNoRotation, "Read after refused writes")
	}
	s.release(c)
}

func (s *suite) canceled() {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	before := full("a", rotate.Planned)
	s.put(before)
	_, err := s.journal.Claim(ctx, "a", long)
	s.is(err, context.Canceled, "Claim with a canceled context")
	_, err = s.journal.Read(ctx, "a")
	s.is(err, context.Canceled, "Read with a canceled context")
	n := 0
	for _, err := range s.journal.Unfinished(ctx) {
		s.is(err, context.Canceled, "Unfinished with a canceled context")
		n++
	}
	if n != 1 {
		s.Errorf("Unfinished with a canceled context yields %d times, want 1", n)
	}
	c := s.claim("a") // is still free
	s.is(c.Write(ctx, full("a", rotate.Started)), context.Canceled, "Write with a canceled context")
	s.stored(s.journal, before)
	s.release(c)
}
