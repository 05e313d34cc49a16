package retry

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// After reads a Retry-After header (RFC 9110, section 10.2.3): seconds, or a date in any of the
// three formats of HTTP. ok is false for anything else. A date in the past is zero. Seconds that
// overflow a Duration become the longest one, so that they exceed every cap and never wrap around
// to a short wait.
func After(header string, now time.Time) (wait time.Duration, ok bool) {
	if header == "" {
		return 0, false
	}
	if header[0] >= '0' && header[0] <= '9' {
		seconds, err := strconv.ParseUint(header, 10, 63)
		if err != nil {
			return 0, false
		}
		if seconds > uint64(math.MaxInt64/time.Second) {
			return math.MaxInt64, true
		}
		return time.Duration(seconds) * time.Second, true
	}
	date, err := http.ParseTime(header)
	if err != nil {
		return 0, false
	}
	return max(0, date.Sub(now)), true
}
