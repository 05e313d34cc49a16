package token

import (
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// Token is an access token. It prints without its value.
type Token struct {
	Value  secret.String // Reveal it where it leaves: in an Authorization header
	Expiry time.Time     // by this machine's clock; the zero time if the answer did not say

	// Scopes are those that the endpoint granted, if its answer or the token says so, and otherwise those that were asked
	// for. Nothing here was verified. All who get this token share the slice: do not change it.
	Scopes []string
}

func (d *tokenData) token() Token { return Token{Value: d.value, Expiry: d.expires, Scopes: d.scopes} }

// ready is a token in memory. It never changes.
type ready struct {
	Token
	data      tokenData
	refreshAt time.Time // when a new one is asked for in the background
	last      time.Time // until when it is handed out
	lastUnix  int64     // the same by the wall clock, because the monotonic one stands still while a machine is suspended
}

// newReady plans the life of a token, or returns nil for one that must not be kept.
func newReady(d tokenData, minLife time.Duration, refresh float64) *ready {
	usable := d.expires.Add(-minLife)
	if !usable.After(time.Now()) {
		return nil
	}
	return &ready{Token: d.token(), data: d, refreshAt: d.issued.Add(refreshAfter(d.expires.Sub(d.issued), minLife, refresh)), last: usable, lastUnix: usable.Unix()}
}

const (
	refreshJitter = 0.1 // of the time until a refresh, by which it may come earlier: a fleet must not refresh at once
	latestRefresh = 0.9 // of the time that a token is handed out, so that a short one is not refreshed too late
)

// refreshAfter is how long a token is used before the next one is asked for.
func refreshAfter(life, minLife time.Duration, fraction float64) time.Duration {
	after := min(time.Duration(float64(life)*fraction), time.Duration(float64(life-minLife)*latestRefresh))
	if after <= 0 {
		return 0
	}
	return jitter(time.Duration(float64(after)*(1-refreshJitter)), after)
}

// usable reports whether the token may be handed out.
func (r *ready) usable(now time.Time) bool {
	return r != nil && now.Before(r.last) && now.Unix() < r.lastUnix
}

// fresh reports whether it may be handed out and need not be refreshed, which is always due before its end.
func (r *ready) fresh(now time.Time) bool {
	return r != nil && now.Before(r.refreshAt) && now.Unix() < r.lastUnix
}
