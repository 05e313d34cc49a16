package token

import "time"

const (
	refreshJitter = 0.1 // a refresh comes earlier by up to this fraction, so that a fleet does not refresh at once
	latestRefresh = 0.9 // fraction of the usable time after which a refresh is due at the latest
)

// cachedToken is a token in memory, with the times that decide about it. It never changes.
type cachedToken struct {
	issuedToken
	refreshAt   time.Time // when a new one is requested in the background
	usableUntil time.Time

	// usableUntilUnix is usableUntil by the wall clock. The monotonic clock, which usableUntil is
	// compared by, stops on some systems while the machine is suspended.
	usableUntilUnix int64
}

// newCached returns nil for a token that has less than minLife left and so must not be cached.
func newCached(t issuedToken, minLife time.Duration, refreshFraction float64) *cachedToken {
	usableUntil := t.Expiry.Add(-minLife)
	if !usableUntil.After(time.Now()) {
		return nil
	}
	return &cachedToken{
		issuedToken: t,
		refreshAt:   t.issuedAt.Add(refreshAfter(t.Expiry.Sub(t.issuedAt), minLife, refreshFraction)),
		usableUntil: usableUntil, usableUntilUnix: usableUntil.Unix(),
	}
}

// refreshAfter is how long a token is used before the next one is requested.
func refreshAfter(life, minLife time.Duration, fraction float64) time.Duration {
	after := min(time.Duration(float64(life)*fraction), time.Duration(float64(life-minLife)*latestRefresh))
	if after <= 0 {
		return 0
	}
	return jitter(time.Duration(float64(after)*(1-refreshJitter)), after)
}

// usable reports whether the token may be handed out.
func (c *cachedToken) usable(now time.Time) bool {
	return c != nil && now.Before(c.usableUntil) && now.Unix() < c.usableUntilUnix
}

// fresh reports whether the token may be handed out and is not due for a refresh. A refresh is
// always due before usableUntil.
func (c *cachedToken) fresh(now time.Time) bool {
	return c != nil && now.Before(c.refreshAt) && now.Unix() < c.usableUntilUnix
}
