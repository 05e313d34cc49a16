package rotate

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"time"
)

const (
	planBatch   = 500
	maxTries    = 3           // of a client, in one Run
	tryAgain    = time.Minute // after a failure
	longestRest = time.Minute // before the queue is asked again
	nextTries   = 5           // to get an answer from the queue, over half a minute
)

// shift is a crew that gets its work from a queue.
type shift struct {
	*crew
	queue      Queue
	planning   atomic.Bool
	unreadable atomic.Int64 // records in a row

	mu      sync.Mutex
	resting context.Context // ends when it is worth asking the queue again
	wake    context.CancelFunc
}

// share plans clients, and works on what the queue has until nothing is left that could become due.
func (c *crew) share(ctx context.Context, queue Queue, clients iter.Seq2[string, error]) error {
	s := &shift{crew: c, queue: queue}
	s.rouse(ctx)
	defer func() { s.wake() }()
	s.planning.Store(true)
	var workers sync.WaitGroup
	hire := sync.OnceFunc(func() {
		for range c.fleet.Concurrency {
			workers.Go(func() { s.work(ctx) })
		}
	})
	var err error
	if clients != nil {
		err = s.plan(ctx, clients, func() { hire(); s.rouse(ctx) })
	}
	s.planning.Store(false)
	s.rouse(ctx)
	hire()
	workers.Wait()
	return err
}

// plan calls planned after each batch.
func (s *shift) plan(ctx context.Context, clients iter.Seq2[string, error], planned func()) error {
	batch := make([]string, 0, planBatch)
	flush := func() error {
		if _, err := s.queue.Plan(ctx, batch); err != nil {
			return ofJournal(err)
		}
		batch = batch[:0]
		planned()
		return nil
	}
	for id, err := range clients {
		if err != nil { // those before it are planned all the same
			return errors.Join(listing(err), flush())
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wanted, err := s.wanted(ctx, id)
		if err != nil {
			return err
		}
		if wanted {
			batch = append(batch, id)
		}
		if len(batch) == planBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

func (s *shift) wanted(ctx context.Context, id string) (bool, error) {
	if id == "" {
		s.untaken(ctx, id, &Error{Err: wrong(ErrInvalidArgument, "client id must not be empty")})
		return false, nil
	}
	if s.fleet.OlderThan == 0 {
		return true, nil
	}
	rec, err := s.queue.Read(ctx, id)
	switch {
	case err != nil && ofRecord(err):
		s.untaken(ctx, id, &Error{ClientID: id, Err: err})
		return false, nil
	case err != nil && !errors.Is(err, ErrNoRotation):
		return false, ofJournal(err)
	case s.young(rec):
		s.tally.count(&s.tally.report.Skipped)
		return false, nil
	}
	return true, nil
}

// work takes what is due until nothing is left.
func (s *shift) work(ctx context.Context) {
	for unanswered := 0; ctx.Err() == nil; {
		resting, planning := s.bell(), s.planning.Load() // before asking: what is planned after that may be missed
		began := s.r.clock.Now()
		claim, wait, err := s.queue.Next(ctx, s.r.life())
		switch {
		case err == nil:
			unanswered = 0
			s.unreadable.Store(0)
			s.turn(ctx, claim, began)
		case errors.Is(err, ErrNoRotation):
			unanswered = 0
			if !planning && s.over(wait) {
				s.rouse(ctx) // the others shall see it too
				return
			}
			if wait == 0 || wait > longestRest {
				wait = longestRest
			}
			_ = s.r.clock.Sleep(resting, wait)
		case ctx.Err() != nil:
			return
		case ofRecord(err):
			s.unreadable.Add(1)
			s.unknown(ctx, err)
			_ = s.r.clock.Sleep(ctx, time.Second) // it may be the next one again
		default:
			if unanswered++; unanswered == nextTries {
				s.stop(ofJournal(err))
				return
			}
			_ = s.r.clock.Sleep(ctx, time.Second<<unanswered)
		}
	}
}

// turn takes one rotation as far as it goes now.
func (s *shift) turn(ctx context.Context, claim Claim, began time.Time) {
	id := claim.Record().ClientID
	if s.tally.tries(id) >= maxTries {
		s.putOff(ctx, claim, s.aside())
		return
	}
	w := s.r.pickUp(claim, id, began)
	if w.rec.State == Grace {
		s.tally.resume()
	}
	before := s.tally.tries(id)
	wait, err := w.goOn(ctx)
	s.settle(ctx, w, goOn, wait, err)
	tries := s.tally.tries(id)
	switch {
	case wait > 0 && !w.rec.GraceUntil.After(s.r.clock.Now()): // the journal knows when the grace period ends, but no more
		s.putOff(ctx, claim, wait)
	case tries == before || w.rec.State == NeedsHuman || w.rec.State.Final():
		w.release(ctx)
	case tries < maxTries:
		s.putOff(ctx, claim, tryAgain)
	default:
		s.putOff(ctx, claim, s.aside())
	}
}

// putOff gives a claim up, so that nobody takes it for a while.
func (s *shift) putOff(ctx context.Context, claim Claim, wait time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.r.callTimeout)
	defer cancel()
	_ = s.queue.Defer(ctx, claim, s.r.clock.Now().Add(wait)) // it expires by itself
}

// rouse wakes the workers that rest.
func (s *shift) rouse(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wake != nil {
		s.wake()
	}
	s.resting, s.wake = context.WithCancel(ctx)
}

// bell ends when the workers are woken the next time.
func (s *shift) bell() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.resting
}

// over reports whether nothing is left but what was set aside, by whatever process, or cannot be read.
func (s *shift) over(wait time.Duration) bool {
	_, _, some := s.tally.next()
	return wait == 0 || wait > s.horizon() || s.unreadable.Load() >= maxTries && !some
}

// horizon is the longest time that a rotation waits for something that is expected to happen.
func (s *shift) horizon() time.Duration {
	return max(s.r.grace, s.r.readyEvery, s.r.life(), tryAgain) + time.Minute
}

// aside is long enough to be told from any such wait, for as long again.
func (s *shift) aside() time.Duration { return 2*s.horizon() + time.Hour }
