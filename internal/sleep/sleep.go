// Package sleep waits for time to pass, unless a context ends first.
package sleep

import (
	"context"
	"time"
)

// For waits for d, or until ctx ends, and returns the error of ctx then. With a d of 0 or less it
// returns at once.
func For(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
