package fleet

import (
	"fmt"
	"sync"
)

// maxReported is the most failures that a report holds.
const maxReported = 100

// Report says what became of the clients. Clients that were not reached are in none of the numbers.
type Report struct {
	Done    int // completed
	Failed  int // at their last try
	Busy    int // another process is rotating them
	Skipped int // see [WithOlderThan], or listed twice
	Gone    int // do not exist, or have no secret ([rotate.ErrGone]); not failures, and final
	Left    int // in progress when the fleet stopped, in their grace period included: Resume continues them

	Failures []error // the first 100, each a [*rotate.Error]; a later try may have succeeded
}

// counters counts. It is safe for concurrent use.
type counters struct {
	limit int
	stop  func(error)

	mu      sync.Mutex
	report  Report
	failing map[string]int // failures of the clients that failed, about limit at most
	waiting int            // rotations in their grace period that this process knows of
}

func newCounters(limit int, stop func(error)) *counters {
	return &counters{limit: limit, stop: stop, failing: map[string]int{}}
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
	if c.failing[id] > 0 {
		delete(c.failing, id)
		c.report.Failed--
	}
}

// gone counts a client that does not exist, which is no failure, whatever it was before.
func (c *counters) gone(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.Gone++
	if c.failing[id] > 0 {
		delete(c.failing, id)
		c.report.Failed--
	}
}

// failed counts a client once, however often it fails, and stops the fleet at the limit.
func (c *counters) failed(id string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failing[id]++
	if c.failing[id] > 1 {
		return
	}
	c.report.Failed++
	if len(c.report.Failures) < maxReported {
		c.report.Failures = append(c.report.Failures, err)
	}
	if c.report.Failed >= c.limit {
		c.stop(fmt.Errorf("%w (%d); the last one: %w", ErrTooManyFailures, c.report.Failed, err))
	}
}

// tries is how often a client failed.
func (c *counters) tries(id string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failing[id]
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

// final returns the report at the end.
func (c *counters) final() Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.Left += c.waiting
	c.waiting = 0
	return c.report
}
