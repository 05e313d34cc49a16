package deliver

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	attempts = 10                    // more than the processes that are likely to share one place
	pause    = 10 * time.Millisecond // the longest pause before the second attempt; doubled before each later one
	maxPause = 250 * time.Millisecond
)

// untilUnchanged calls try until it is done. Each attempt that is not done lost to another process,
// which made progress.
func untilUnchanged(ctx context.Context, where string, try func() (done bool, err error)) error {
	for n := range attempts {
		if n > 0 {
			if err := sleep(ctx, rand.N(min(pause<<(n-1), maxPause))); err != nil { //nolint:gosec // spreads load, guards nothing
				return fmt.Errorf("deliver: %s: %w", where, err)
			}
		}
		if done, err := try(); done || err != nil {
			return err
		}
	}
	return &conflictError{fmt.Sprintf("deliver: %s: changed by others on each of %d attempts: deliver again later", where, attempts)}
}

// conflictError is an [ErrConflict] whose text does not repeat that of the sentinel.
type conflictError struct{ text string }

func (e *conflictError) Error() string        { return e.text }
func (e *conflictError) Is(target error) bool { return target == ErrConflict }

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
