package fleet

import (
	"errors"
	"fmt"
	"sync"
)

// maxReported is the most failures that a report holds.
const maxReported = 100

// Report says what became of the clients. Clients that were not reached are in none of the numbers.
//
// With a [rotate.Queue] each client is counted by the process that finished it: the one that
// completed it or set it aside. So the sum of the reports of all processes that ran to their end is
// what became of the fleet. Faults of the journal count for no client, unless it fails for one
// again and again while it answers for others.
type Report struct {
	Done    int // completed
	Failed  int // at their last try, and records that cannot be read
	Busy    int // another process is rotating them, and counts them
	Skipped int // see [WithOlderThan], or listed twice
	Gone    int // do not exist, or have no secret ([rotate.ErrGone]); not failures, and final
	Left    int // in progress when the fleet stopped, in their grace period included: Resume continues them

	Failures []error // the first 100, each a [*rotate.Error]; a later try may have succeeded
}

// Err is nil if no client failed. Otherwise it says how many did, and is each of Failures for
// errors.Is. A program that runs a fleet should exit with it:
//
//	report, err := f.Run(ctx, clients)
//	if err := errors.Join(err, report.Err()); err != nil {
func (r Report) Err() error {
	if r.Failed == 0 {
		return nil
	}
	return fmt.Errorf("fleet: %d clients failed: %w", r.Failed, errors.Join(r.Failures...))
}

// counters counts. It is safe for concurrent use.
type counters struct {
	limit int
	stop  func(error)

	mu      sync.Mutex
	report  Report
	failing map[string]*failing // the clients that failed, about limit at most, and unreadable records
	counted int                 // those of failing that count towards the limit
	taken   map[string]bool     // the clients that another process took over
	faults  map[string]int      // how often the journal failed during a client's rotation
	waiting int                 // rotations in their grace period that this process knows of
}

// failing is a client that failed.
type failing struct {
	tries   int
	counts  bool // towards the limit
	givenUp bool // by this process, so that it is the one that reports it
}

func newCounters(limit int, stop func(error)) *counters {
	return &counters{limit: limit, stop: stop, failing: map[string]*failing{}, taken: map[string]bool{}, faults: map[string]int{}}
}

func (c *counters) add(number *int) { c.addTo(number, 1) }

func (c *counters) addTo(number *int, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*number += n
}

func (c *counters) done(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.Done++
	c.forget(id)
}

// gone counts a client that does not exist, which is no failure, whatever it was before.
func (c *counters) gone(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.Gone++
	c.forget(id)
}

// forget takes a client that was finished out of what it counted as before.
func (c *counters) forget(id string) {
	if f := c.failing[id]; f != nil {
		c.report.Failed--
		if f.counts {
			c.counted--
		}
		delete(c.failing, id)
	}
	if c.taken[id] {
		c.report.Busy--
		delete(c.taken, id)
	}
	delete(c.faults, id)
}

// failed counts a client once, however often it fails, and stops the fleet at the limit. A record
// that cannot be read does not count towards that: nothing was done to its client.
func (c *counters) failed(id string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.failing[id]; f != nil {
		f.tries++
		return
	}
	c.failing[id] = &failing{tries: 1, counts: !ofRecord(err)}
	c.report.Failed++
	if len(c.report.Failures) < maxReported {
		c.report.Failures = append(c.report.Failures, err)
	}
	if ofRecord(err) {
		return
	}
	if c.counted++; c.counted >= c.limit {
		c.stop(fmt.Errorf("%w (%d); the last one: %w", ErrTooManyFailures, c.counted, err))
	}
}

// gaveUp notes that this process will not try a client again, if it failed.
func (c *counters) gaveUp(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.failing[id]; f != nil {
		f.givenUp = true
	}
}

// busy counts a client that another process has.
func (c *counters) busy(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.taken[id] {
		c.taken[id] = true
		c.report.Busy++
	}
}

// faulted counts a fault of the journal during the rotation of a client, and returns how many there
// were.
func (c *counters) faulted(id string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults[id]++
	return c.faults[id]
}

// tries is how often a client failed.
func (c *counters) tries(id string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.failing[id]; f != nil {
		return f.tries
	}
	return 0
}

func (c *counters) waits() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting++
}

func (c *counters) resumed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = max(0, c.waiting-1) // another process may have counted it
}

func (c *counters) anyWaiting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting > 0
}

// final returns the report at the end. If all work of a shared queue was done, what this process
// neither finished nor gave up was taken over by another one, which reports it.
func (c *counters) final(sharedDone bool) Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	if sharedDone {
		c.waiting = 0
		for _, f := range c.failing {
			if !f.givenUp {
				c.report.Failed--
			}
		}
	}
	c.report.Left += c.waiting
	c.waiting = 0
	return c.report
}
