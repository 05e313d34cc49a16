package fleet

import (
	"fmt"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate/audit"
)

// Option changes a setting of [New].
type Option func(*settings) error

type settings struct {
	concurrency   int
	maxFailures   int
	olderThan     time.Duration
	total         int
	audit         *audit.Log
	progress      func(Progress)
	progressEvery time.Duration
}

const mostFailures = 10_000 // each is remembered

func defaults() settings { return settings{concurrency: 8, maxFailures: 10} }

// WithConcurrency sets how many clients are worked on at once. The default is 8. Rotations in their
// grace period do not count.
func WithConcurrency(n int) Option {
	return func(s *settings) error {
		if n < 1 {
			return invalid("WithConcurrency: must be at least 1")
		}
		s.concurrency = n
		return nil
	}
}

// WithMaxFailures sets after how many failed clients a fleet stops. The default is 10, the most is
// 10,000. Records that cannot be read and faults of the journal do not count,
// unless it fails for one client again and again while it answers for others.
func WithMaxFailures(n int) Option {
	return func(s *settings) error {
		if n < 1 || n > mostFailures {
			return invalid(fmt.Sprintf("WithMaxFailures: must be 1 to %d", mostFailures))
		}
		s.maxFailures = n
		return nil
	}
}

// WithOlderThan leaves out the clients whose latest rotation in the journal was completed less than
// d ago. Without it, a client that is planned twice in a [rotate.Queue] may be rotated twice.
func WithOlderThan(d time.Duration) Option {
	return func(s *settings) error {
		if d < 0 {
			return invalid("WithOlderThan: must not be negative")
		}
		s.olderThan = d
		return nil
	}
}

// WithTotal sets how many clients there are, so that [Progress] can say how many are left.
func WithTotal(n int) Option {
	return func(s *settings) error {
		if n < 0 {
			return invalid("WithTotal: must not be negative")
		}
		s.total = n
		return nil
	}
}

// WithAudit writes a line to log for each change of state and each failure of this fleet. If a line
// cannot be written the fleet stops.
func WithAudit(log *audit.Log) Option {
	return func(s *settings) error {
		if log == nil {
			return invalid("WithAudit: log must not be nil")
		}
		s.audit = log
		return nil
	}
}

// WithProgress calls f at the given interval and once at the end, from one goroutine at a time. f
// must be quick. If it panics the fleet continues.
func WithProgress(every time.Duration, f func(Progress)) Option {
	return func(s *settings) error {
		if every <= 0 || f == nil {
			return invalid("WithProgress: interval must be positive and function must not be nil")
		}
		s.progress, s.progressEvery = f, every
		return nil
	}
}
