package jwks

import "time"

// A bucket holds a few fetches, and gets one more every so often. It refuses; it never makes anybody wait.
type bucket struct {
	tokens int
	at     time.Time // when the last one was added, or would have been
}

func (b *bucket) take(now time.Time) bool {
	if n := int(now.Sub(b.at) / refill); n > 0 {
		b.at = b.at.Add(time.Duration(n) * refill)
		b.tokens = min(b.tokens+n, burst)
	}
	if b.tokens == 0 {
		return false
	}
	b.tokens--
	return true
}

func (b *bucket) give() { b.tokens = min(b.tokens+1, burst) }
