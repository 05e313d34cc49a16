package jwks

import "time"

const (
	burst  = 3 // fetches that unknown key ids may cause at once
	refill = 10 * time.Second
)

// A bucket limits the fetches that unknown key ids cause: a few at once, and one more every so
// often. It refuses, and never makes a caller wait.
type bucket struct {
	tokens int
	at     time.Time // when a token was added last, or would have been
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
