package token

import (
	"testing"
	"time"
)

// While a machine is suspended, its monotonic clock may stand still. The wall clock does not, and
// it ends a token too.
func TestCachedTokenEndsByEitherClock(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		monotonic, wall time.Duration // how long the token is still usable
		usable          bool
	}{
		"neither has ended":           {time.Hour, time.Hour, true},
		"ended by the wall clock":     {time.Hour, -time.Second, false},
		"ends now by the wall clock":  {time.Hour, 0, false},
		"ended by the monotonic one":  {-time.Second, time.Hour, false},
		"ends now by the monotonic":   {0, time.Hour, false},
		"ended by both of the clocks": {-time.Second, -time.Second, false},
	} {
		cached := &cachedToken{refreshAt: now.Add(c.monotonic), usableUntil: now.Add(c.monotonic), usableUntilUnix: now.Add(c.wall).Unix()}
		if cached.usable(now) != c.usable || cached.fresh(now) != c.usable {
			t.Errorf("%s: usable %t, fresh %t, want %t", name, cached.usable(now), cached.fresh(now), c.usable)
		}
	}
	planned := newCached(issuedToken{Token{Expiry: now.Add(time.Hour)}, now}, time.Minute, 0.8)
	if planned.usableUntilUnix != now.Add(59*time.Minute).Unix() {
		t.Error("the two clocks do not end a token at the same time")
	}
}
