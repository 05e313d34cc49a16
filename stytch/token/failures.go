package token

import (
	"errors"
	"time"

	"github.com/stytchkit/m2m/internal/retry"
)

const (
	maxRetries    = 3                      // requests in a row that fail before the next one waits for a caller
	minRetryWait  = 100 * time.Millisecond // before any repetition
	maxRetryAfter = time.Minute            // a longer wait that the server asks for is cut to this
)

// retryPolicy bounds the time between requests after a failure.
var retryPolicy = retry.Policy{BaseDelay: time.Second, MaxDelay: 30 * time.Second, MaxRetryAfter: maxRetryAfter}

// failures are the refreshes that failed in a row, and the plan that follows from them. The zero
// value has none.
type failures struct {
	count   int
	last    error
	retryAt time.Time // no request before
	waits   retry.Waits
}

// add plans the next request after err. It reports whether that request should be made even if no
// caller needs it.
func (f *failures) add(err error) (automatic bool) {
	if f.count == 0 {
		f.waits = retryPolicy.Waits()
	}
	f.count++
	f.last = err
	var e *Error
	status, retryAfter, retryable := 0, time.Duration(0), false
	if errors.As(err, &e) {
		status, retryAfter, retryable = e.StatusCode, min(e.RetryAfter, maxRetryAfter), e.retryable
	}
	wait, _ := f.waits.Next(status, retryAfter)
	f.retryAt = time.Now().Add(max(wait, minRetryWait))
	return retryable && f.count < maxRetries
}

// reset begins again after a success. No request is sent before retryAt, which may be the zero
// time.
func (f *failures) reset(retryAt time.Time) { *f = failures{retryAt: retryAt} }
