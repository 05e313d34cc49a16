package postgres

import (
	"sync"
	"time"
)

// clock is the time of the database, as far as this process knows it from the responses to its
// statements. Between two of them it goes by the monotonic clock of the machine, so the time that
// the machine believes it is does not matter.
type clock struct {
	mu  sync.Mutex
	now time.Time // of the database
	at  time.Time // when the response with it arrived
}

// fresh is how long a response counts that took less time on its way than a later one.
const fresh = time.Second

// hear is called with the time in a response that just arrived.
func (c *clock) hear(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := time.Now()
	if since := at.Sub(c.at); since > fresh || now.After(c.now.Add(since)) {
		c.now, c.at = now, at
	}
}

// Now is the time by which the deadlines in the database are kept. Before the first response it is
// the time of this machine.
func (j *Journal) Now() time.Time {
	j.clock.mu.Lock()
	defer j.clock.mu.Unlock()
	if j.clock.at.IsZero() {
		return time.Now()
	}
	return j.clock.now.Add(time.Since(j.clock.at))
}
