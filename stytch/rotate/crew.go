package rotate

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"
)

// crew is the workers of one call of a fleet.
type crew struct {
	r     *Rotator // the fleet's, which tells the audit log too
	fleet Fleet
	began time.Time
	all   bool // every unfinished rotation is ours
	audit *auditor
	stop  context.CancelCauseFunc
	tally tally

	jobs   chan job
	flight sync.WaitGroup // of what was given out
	swept  time.Time
}

// job is one client to visit.
type job struct {
	id  string
	why reason
}

type reason uint8

const (
	begin reason = iota // or go on
	goOn
	sweep // go on with what has waited for its grace period
)

// lead does work, and finds out how it ended.
func (c *crew) lead(ctx context.Context, work func(context.Context) error) (Report, error) {
	inner, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	c.stop, c.tally.stop = stop, stop
	end := c.watch()
	err := work(inner)
	end()
	if ended := inner.Err(); ended != nil {
		if errors.Is(err, ended) { // which says nothing more
			err = nil
		}
		err = errors.Join(context.Cause(inner), err)
		if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
			err = errors.Join(ctx.Err(), err)
		}
	}
	return c.tally.final(), err
}

// rotate works on the clients as they come, and then until no rotation waits for its grace period.
func (c *crew) rotate(ctx context.Context, clients iter.Seq2[string, error]) error {
	defer c.hire(ctx)()
	for id, err := range clients {
		if err != nil {
			return errors.Join(listing(err), c.finish(ctx))
		}
		// A list may take days. Those whose grace period is over must not wait for its end.
		if at, some := c.due(); some && !c.r.clock.Now().Before(at) {
			if err := c.sweep(ctx); err != nil {
				return err
			}
		}
		if !c.give(ctx, job{id, begin}) {
			break
		}
	}
	return c.finish(ctx)
}

// resume works on what the journal has.
func (c *crew) resume(ctx context.Context) error {
	c.all = true
	defer c.hire(ctx)()
	for id, err := range c.r.journal.Unfinished(ctx) {
		if err != nil && !ofRecord(err) {
			return errors.Join(ofJournal(err), c.finish(ctx))
		}
		if err != nil {
			c.unknown(ctx, ofJournal(err))
			continue
		}
		if !c.give(ctx, job{id, goOn}) {
			break
		}
	}
	return c.finish(ctx)
}

// hire starts the workers. leave waits for them.
func (c *crew) hire(ctx context.Context) (leave func()) {
	c.jobs = make(chan job)
	var workers sync.WaitGroup
	for range c.fleet.Concurrency {
		workers.Go(func() {
			for j := range c.jobs {
				c.visit(ctx, j)
				c.flight.Done()
			}
		})
	}
	return func() {
		close(c.jobs)
		workers.Wait()
	}
}

// give hands a client to the next worker that is free, and reports false if there is to be no more work.
func (c *crew) give(ctx context.Context, j job) bool {
	if ctx.Err() != nil {
		return false
	}
	c.flight.Add(1)
	select {
	case c.jobs <- j:
		return true
	case <-ctx.Done():
		c.flight.Done()
		return false
	}
}

// due is when those that wait are worth another look. A sweep reads the whole journal, so each is for all that come due within
// a time that is short against what they waited.
func (c *crew) due() (at time.Time, some bool) {
	soonest, latest, some := c.tally.next()
	at = soonest.Add(min(max(c.r.grace, c.r.readyEvery)/4, time.Minute))
	if latest.Before(at) {
		at = latest
	}
	if next := c.swept.Add(time.Second); next.After(at) {
		at = next
	}
	return at, some
}

// finish waits until all work is done, that of rotations in their grace period included.
func (c *crew) finish(ctx context.Context) error {
	for {
		c.flight.Wait()
		at, some := c.due()
		if err := ctx.Err(); err != nil || !some {
			return err
		}
		if err := c.r.clock.Sleep(ctx, max(0, at.Sub(c.r.clock.Now()))); err != nil {
			return err
		}
		if err := c.sweep(ctx); err != nil {
			return err
		}
	}
}

// sweep goes on with the rotations whose grace period is over, which it finds in the journal: to remember them all would
// take memory.
func (c *crew) sweep(ctx context.Context) error {
	c.flight.Wait() // so that no client is counted twice
	c.tally.sweeping()
	for id, err := range c.r.journal.Unfinished(ctx) {
		if err != nil && ofRecord(err) {
			continue // not one of these: they could be read
		}
		if err != nil {
			c.flight.Wait()
			return ofJournal(err)
		}
		if !c.give(ctx, job{id, sweep}) {
			break
		}
	}
	c.flight.Wait()
	if ctx.Err() == nil {
		c.tally.swept()
	}
	c.swept = c.r.clock.Now()
	return ctx.Err()
}

// ofRecord reports whether an error is about one record, and not about the journal.
func ofRecord(err error) bool {
	for _, sentinel := range []error{ErrCorrupt, ErrNewerVersion, ErrOtherProject, ErrWrongKey} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return false
}
