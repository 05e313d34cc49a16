package journaltest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
)

var queueTests = []test{
	{"plan", (*suite).plan},
	{"hands each out once", (*suite).once},
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

// next is the client that is handed out next, held for long.
func (s *suite) next() (rotate.Claim, string) {
	s.Helper()
	c, _, err := s.queue().Next(s.Context(), long)
	if err != nil {
		s.Fatalf("Next: %v", err)
	}
	return c, c.Record().ClientID
}

// none checks that nothing is due, and whether something could become due, within an hour and a little.
func (s *suite) none(later bool) {
	s.Helper()
	c, wait, err := s.queue().Next(s.Context(), long)
	if !errors.Is(err, rotate.ErrNoRotation) || c != nil {
		s.Fatalf("Next although nothing is due: %v, want %v", err, rotate.ErrNoRotation)
	}
	if wait < 0 || wait > long+time.Minute || (wait > 0) != later {
		s.Errorf("Next says to ask again in %v; something can become due: %t", wait, later)
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
	s.planned(4, append(all, "new-1", "new-2", "new-1")...) // two are new, two have ended
	s.planned(0, append(all, "new-1", "new-2")...)
	s.planned(0)

	rotations := map[string]bool{"": true}
	for _, id := range []string{"new-1", "new-2", "client-" + string(rotate.Completed), "client-" + string(rotate.Canceled)} {
		r, err := s.journal.Read(s.Context(), id)
		if err != nil {
			s.Fatalf("Read of a planned rotation: %v", err)
		}
		if r.State != rotate.Planned || r.ClientID != id || r.PlannedAt.IsZero() || !r.Next.IsZero() || r.Restarts != 0 || len(r.Delivered) != 0 {
			s.Errorf("%s: not what a planned rotation is", id)
		}
		if rotations[r.RotationID] || r.RotationID == full(id, rotate.Planned).RotationID {
			s.Errorf("%s: the rotation has no id of its own", id)
		}
		rotations[r.RotationID] = true
	}
	r, err := s.journal.Read(s.Context(), "client-"+string(rotate.Verified))
	if err != nil || r.State != rotate.Verified {
		s.Errorf("Plan changed a rotation that is under way: %s, %v", r.State, err)
	}
	for _, bad := range []string{"", "a\x00b"} {
		_, err := s.queue().Plan(s.Context(), []string{bad})
		s.is(err, rotate.ErrInvalidArgument, "Plan of what is no client")
	}
}

// once lets several workers on two journals take everything.
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
		s.Errorf("handed out %q, want each of %d once", taken, clients)
	}
	s.none(true)
	_, err := s.journal.Claim(s.Context(), ids[0], long)
	s.is(err, rotate.ErrBusy, "Claim of what was handed out")
}

func (s *suite) grace() {
	r := full("later", rotate.Grace)
	r.GraceUntil = time.Now().Add(long)
	s.put(r)
	s.none(true)
	s.release(s.claim("later")) // who asks for it gets it all the same
	r = full("now", rotate.Grace)
	r.GraceUntil = time.Now().Add(-time.Minute)
	s.put(r)
	c, id := s.next()
	if id != "now" {
		s.Errorf("Next hands out %q, whose grace period is not over", id)
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
			s.Errorf("Next hands out %q, want %q", id, want)
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
		s.Error("Next hands out what was deferred")
	}
	s.none(true)
	s.is(first.Write(s.Context(), full(id, rotate.Starting)), rotate.ErrBusy, "Write after Defer released the claim")
	if err := s.queue().Defer(s.Context(), second, time.Now().Add(-time.Second)); err != nil {
		s.Fatalf("Defer: %v", err)
	}
	if _, again := s.next(); again != other {
		s.Errorf("Next hands out %q, want %q, which was deferred until a second ago", again, other)
	}
	s.release(s.claim(id)) // who asks for it gets it all the same
}

func (s *suite) needsHuman() {
	s.put(full("a", rotate.NeedsHuman))
	s.none(false)
	s.put(full("a", rotate.Started)) // a human was there
	if _, id := s.next(); id != "a" {
		s.Errorf("Next hands out %q", id)
	}
}

// nextAfterExpiry takes a claim over.
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
			_ = s.queue().Defer(s.Context(), lost, time.Now()) // it may say that it came too late, and must do nothing
			s.release(lost)
			s.none(true)
			s.write(holder, full("a", rotate.Starting))
			return
		}
		if !errors.Is(err, rotate.ErrNoRotation) || time.Now().After(deadline) || !pause(s.Context(), 5*time.Millisecond) {
			s.Fatalf("Next never succeeded: %v", err)
		}
	}
}

// nextAfterCorrupt: one record that cannot be read does not keep the others from being handed out.
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
	s.Error("a corrupt record keeps the others from being handed out")
}
