package rotate

import (
	"errors"
	"sync"
	"time"
)

// maxReported bounds the failures that a report holds.
const maxReported = 100

// Report says what became of the clients of a fleet. Those that were not reached are in none of the numbers.
type Report struct {
	Done    int // completed
	Failed  int // at the last try
	Busy    int // another engine works on them, or took them over
	Skipped int // see [Fleet.OlderThan], or twice in the list
	Left    int // under way when the fleet was stopped, in their grace period or in work: Resume goes on with them

	Failures []error // the first 100, each an [*Error] or of the journal; a later try may have succeeded
}

// tally counts. It is safe for concurrent use.
type tally struct {
	limit int
	stop  func(error)

	mu      sync.Mutex
	report  Report
	failing map[string]int // tries of the clients that failed, at most limit and a few
	waiting int            // in their grace period, as far as this process knows
	found   int            // of those, in the sweep that is under way
	soonest time.Time      // when the first of them can go on
	latest  time.Time      // and the last
}

func (t *tally) count(what *int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*what++
}

func (t *tally) done(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Done++
	if t.failing[id] > 0 {
		delete(t.failing, id)
		t.report.Failed--
	}
}

// failed counts a client once, however often it fails, and stops the fleet at the limit.
func (t *tally) failed(id string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failing[id]++
	if t.failing[id] > 1 {
		return
	}
	t.report.Failed++
	if len(t.report.Failures) < maxReported {
		t.report.Failures = append(t.report.Failures, err)
	}
	if t.report.Failed >= t.limit {
		t.stop(wrong(ErrTooManyFailures, "%d; the last one: %w", t.report.Failed, err))
	}
}

// tries is how often a client failed.
func (t *tally) tries(id string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failing[id]
}

// wait notes a rotation that can go on later. In a sweep it was counted before.
func (t *tally) wait(until time.Time, sweep bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if sweep {
		t.found++
	} else {
		t.waiting++
	}
	if t.soonest.IsZero() || until.Before(t.soonest) {
		t.soonest = until
	}
	if until.After(t.latest) {
		t.latest = until
	}
}

// resume notes that a rotation waits no longer.
func (t *tally) resume() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = max(0, t.waiting-1) // it may have been counted by another process
}

// next is when the first and the last of those that wait can go on.
func (t *tally) next() (soonest, latest time.Time, some bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.soonest, t.latest, t.waiting > 0
}

// sweeping begins a sweep over all that wait; swept ends one that saw them all.
func (t *tally) sweeping() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.found, t.soonest, t.latest = 0, time.Time{}, time.Time{}
}

func (t *tally) swept() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = t.found
}

// final is the report at the end.
func (t *tally) final() Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Left += t.waiting
	t.waiting = 0
	return t.report
}

// begunBy reports whether an error left a rotation that has to be gone on with.
func begunBy(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Stage != "" && e.Stage != Planned && !e.Stage.Final()
}
