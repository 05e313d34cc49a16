package journaltest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stytchkit/m2m/internal/sleep"
	"github.com/stytchkit/m2m/stytch/rotate"
)

var queueTests = []test{
	{"plan", (*suite).plan},
	{"each once", (*suite).once},
	{"waits for the grace period", (*suite).grace},
	{"order", (*suite).order},
	{"defer", (*suite).deferred},
	{"needs a human", (*suite).needsHuman},
	{"expiry", (*suite).nextAfterExpiry},
	{"corrupt", (*suite).nextAfterCorrupt},
}

func (s *suite) queue() rotate.Queue { return s.journal.(rotate.Queue) }

func (s *suite) planned(want int, ids ...string) {
	s.Helper()
	added, err := s.queue().Plan(s.Context(), ids)
	if err != nil || added != want {
		s.Fatalf("Plan of %d clients = %d, %v; want %d", len(ids), added, err, want)
	}
}

// next claims the next rotation and returns its client.
func (s *suite) next() (rotate.Claim, string) {
	s.Helper()
	c, _, err := s.queue().Next(s.Context(), long)
	if err != nil {
		s.Fatalf("Next: %v", err)
	}
	return c, c.Record().ClientID
}

// none checks that nothing is due, and whether wait says that something can become due.
func (s *suite) none(later bool) {
	s.Helper()
	c, wait, err := s.queue().Next(s.Context(), long)
	if !errors.Is(err, rotate.ErrNoRotation) || c != nil {
		s.Fatalf("Next when nothing is due: %v, want %v", err, rotate.ErrNoRotation)
	}
	if wait < 0 || wait > long+time.Minute || (wait > 0) != later {
		s.Errorf("Next returns wait %v although something can become due: %t", wait, later)
	}
}

func (s *suite) plan() {
	for _, state := range states {
		s.put(full("client-"+string(state), state))
	}
	var all []string
	for _, state := range states {
		all = append(all, "client-"+string(state))
	}
	s.planned(5, append(all, "new-1", "new-2", "new-1")...) // two are new, three have ended
	s.planned(0, append(all, "new-1", "new-2")...)
	s.planned(0)

	rotations := map[string]bool{"": true}
	for _, id := range []string{"new-1", "new-2", "client-" + string(rotate.Completed), "client-" + string(rotate.Canceled)} {
		r, err := s.journal.Read(s.Context(), id)
		if err != nil {
			s.Fatalf("Read of a planned rotation: %v", err)
		}
		if r.State != rotate.Planned || r.ClientID != id || r.PlannedAt.IsZero() || !r.Next.IsZero() || r.Restarts != 0 || len(r.Delivered) != 0 {
			s.Errorf("%s: the record is not that of a planned rotation", id)
		}
		if rotations[r.RotationID] || r.RotationID == full(id, rotate.Planned).RotationID {
			s.Errorf("%s: the rotation id is not unique", id)
		}
		rotations[r.RotationID] = true
	}
	r, err := s.journal.Read(s.Context(), "client-"+string(rotate.Verified))
	if err != nil || r.State != rotate.Verified {
		s.Errorf("Plan changed a rotation in progress: %s, %v", r.State, err)
	}
	for _, bad := range []string{"", "a\x00b"} {
		_, err := s.queue().Plan(s.Context(), []string{bad})
		s.is(err, rotate.ErrInvalidArgument, "Plan of an invalid client id")
	}
}

// once lets workers on two journals take every rotation.
func (s *suite) once() {
	const clients, workers = 40, 8
	var ids []string
	for i := range clients {
		ids = append(ids, fmt.Sprintf("client-%02d", i))
	}
	s.planned(clients, ids...)
	queues := []rotate.Queue{s.queue(), s.storage.Open(s.T).(rotate.Queue)}
	var (
		mu    sync.Mutex
		taken []string
		group sync.WaitGroup
	)
	for i := range workers {
		group.Go(func() {
			for {
				c, _, err := queues[i%len(queues)].Next(s.Context(), long)
				if errors.Is(err, rotate.ErrNoRotation) {
					return
				}
				if err != nil {
					s.Errorf("Next: %v", err)
					return
				}
				mu.Lock()
				taken = append(taken, c.Record().ClientID)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if slices.Sort(taken); !slices.Equal(taken, ids) {
		s.Errorf("Next returned %q, want each of %d clients once", taken, clients)
	}
	s.none(true)
	_, err := s.journal.Claim(s.Context(), ids[0], long)
	s.is(err, rotate.ErrBusy, "Claim of a client that Next returned")
}

func (s *suite) grace() {
	r := full("later", rotate.Grace)
	r.GraceUntil = time.Now().Add(long)
	s.put(r)
	s.none(true)
	s.release(s.claim("later")) // Claim ignores when it is due
	r = full("now", rotate.Grace)
	r.GraceUntil = time.Now().Add(-time.Minute)
	s.put(r)
	c, id := s.next()
	if id != "now" {
		s.Errorf("Next returns %q, whose grace period is not over", id)
	}
	s.none(true)
	s.write(c, full("now", rotate.Completed))
	s.release(c)
	s.put(full("later", rotate.Canceled))
	s.none(false)
}

func (s *suite) order() {
	for id, ago := range map[string]time.Duration{"third": time.Hour, "first": 3 * time.Hour, "second": 2 * time.Hour} {
		r := full(id, rotate.Grace)
		r.GraceUntil = time.Now().Add(-ago)
		s.put(r)
	}
	for _, want := range []string{"first", "second", "third"} {
		if _, id := s.next(); id != want {
			s.Errorf("Next returns %q, want %q", id, want)
		}
	}
}

func (s *suite) deferred() {
	s.planned(2, "a", "b")
	first, id := s.next()
	if err := s.queue().Defer(s.Context(), first, time.Now().Add(long)); err != nil {
		s.Fatalf("Defer: %v", err)
	}
	second, other := s.next()
	if other == id {
		s.Error("Next returns the deferred rotation")
	}
	s.none(true)
	s.is(first.Write(s.Context(), full(id, rotate.Starting)), rotate.ErrBusy, "Write after Defer released the claim")
	if err := s.queue().Defer(s.Context(), second, time.Now().Add(-time.Second)); err != nil {
		s.Fatalf("Defer: %v", err)
	}
	if _, again := s.next(); again != other {
		s.Errorf("Next returns %q, want %q, which was deferred until a second ago", again, other)
	}
	s.release(s.claim(id)) // Claim ignores when it is due
}

func (s *suite) needsHuman() {
	s.put(full("a", rotate.NeedsHuman))
	s.none(false)
	s.put(full("a", rotate.Started)) // a human helped
	if _, id := s.next(); id != "a" {
		s.Errorf("Next returns %q", id)
	}
}

// nextAfterExpiry takes over a claim that has expired.
func (s *suite) nextAfterExpiry() {
	s.planned(1, "a")
	lost, _, err := s.queue().Next(s.Context(), short)
	if err != nil {
		s.Fatalf("Next: %v", err)
	}
	for deadline := time.Now().Add(limit); ; {
		holder, _, err := s.queue().Next(s.Context(), long)
		if err == nil {
			s.is(lost.Write(s.Context(), full("a", rotate.Started)), rotate.ErrBusy, "Write with a claim that was taken over")
			_ = s.queue().Defer(s.Context(), lost, time.Now()) // may fail, and must do nothing
			s.release(lost)
			s.none(true)
			s.write(holder, full("a", rotate.Starting))
			return
		}
		if !errors.Is(err, rotate.ErrNoRotation) || time.Now().After(deadline) || sleep.For(s.Context(), 5*time.Millisecond) != nil {
			s.Fatalf("Next never succeeded: %v", err)
		}
	}
}

// nextAfterCorrupt checks that a record that cannot be read does not block the others.
func (s *suite) nextAfterCorrupt() {
	if s.storage.Corrupt == nil {
		s.Skip("the storage cannot corrupt a record")
	}
	s.planned(1, "bad")
	s.planned(1, "good")
	s.storage.Corrupt(s.T, "bad")
	for range 3 {
		c, _, err := s.queue().Next(s.Context(), long)
		if err == nil && c.Record().ClientID == "good" {
			return
		}
		if !errors.Is(err, rotate.ErrCorrupt) {
			s.Fatalf("Next: %v, want the good record, or %v", err, rotate.ErrCorrupt)
		}
	}
	s.Error("a corrupt record blocks the others")
}
