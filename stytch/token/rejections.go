package token

import "time"

const (
	minRejectWait = time.Second      // shortest time between two tokens dropped because a resource server rejected them
	maxRejectWait = 10 * time.Minute // longest, if it rejects one token after another
)

// rejections limits how often a resource server can have a token replaced. A server that rejects
// every token, because it expects those of another project, must not cause a new one for every
// request.
type rejections struct {
	wait  time.Duration
	until time.Time // no token is dropped before
}

// allow reports whether a rejected token may be dropped now. If so, the next one must wait longer.
func (r *rejections) allow(now time.Time) bool {
	if now.Before(r.until) {
		return false
	}
	if now.Sub(r.until) > maxRejectWait {
		r.wait = 0
	}
	r.wait = min(max(2*r.wait, minRejectWait), maxRejectWait)
	r.until = now.Add(r.wait)
	return true
}
