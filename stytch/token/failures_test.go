package token

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// However the random wait falls, two requests are never closer than the shortest wait.
func TestFailuresKeepADistance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shortest := time.Hour
		for range 1000 {
			for _, err := range []error{errors.New("other"), &Error{StatusCode: http.StatusServiceUnavailable, retryable: true}} {
				var f failures
				f.add(err)
				shortest = min(shortest, time.Until(f.retryAt))
			}
		}
		if shortest != minRetryWait { // a tenth of the waits would be shorter
			t.Errorf("the shortest of 2,000 waits is %v, want %v", shortest, minRetryWait)
		}
	})
}
