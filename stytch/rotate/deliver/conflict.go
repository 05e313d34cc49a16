package deliver

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/stytchkit/m2m/internal/sleep"
)

const (
	pause    = 10 * time.Millisecond // the longest pause before the second attempt; doubled before each later one
	maxPause = time.Second
	patience = time.Minute // without a deadline of the caller
)

// untilUnchanged calls try until it is done or the context ends. Each attempt that is not done lost
// to another process, which made progress.
func untilUnchanged(ctx context.Context, where string, try func(context.Context) (done bool, err error)) error {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	for lost := 0; ; {
		done, err := try(ctx)
		if err == nil && !done {
			err = sleep.For(ctx, rand.N(min(pause<<min(lost, 10), maxPause))) //nolint:gosec // spreads load, guards nothing
			lost++
			if err == nil {
				continue
			}
		}
		if err != nil && lost > 0 && ctx.Err() != nil {
			return &conflictError{fmt.Sprintf("deliver: %s: changed by others on each of %d attempts: deliver again later", where, lost), err}
		}
		return err
	}
}

// conflictError is an [ErrConflict] whose text does not repeat that of the sentinel.
type conflictError struct {
	text  string
	cause error
}

func (e *conflictError) Error() string        { return e.text }
func (e *conflictError) Is(target error) bool { return target == ErrConflict }
func (e *conflictError) Unwrap() error        { return e.cause }
