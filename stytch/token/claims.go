package token

import (
	"encoding/base64"
	"strings"
	"time"
)

// unverifiedClaims are what a token says about itself, if it is a JWT. Its signature was not
// checked, so they may shorten the time for which the token is used, and name its scopes, and
// nothing else.
type unverifiedClaims struct {
	exp, iat       float64
	hasExp, hasIat bool
	scope          string
}

func readClaims(token string) (c unverifiedClaims) {
	_, rest, _ := strings.Cut(token, ".")
	payload, signature, ok := strings.Cut(rest, ".")
	if !ok || strings.Contains(signature, ".") {
		return c
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(payload)
	if err != nil {
		return c
	}
	f, err := parseObject(decoded)
	if err != nil {
		return c
	}
	c.exp, c.hasExp = f.number("exp")
	c.iat, c.hasIat = f.number("iat")
	c.scope, _ = f.text("scope")
	return c
}

// life is how long the token is valid from now on, at most maxLife. known is false if it does not
// say.
func (c unverifiedClaims) life(now time.Time) (life time.Duration, known bool) {
	if !c.hasExp {
		return maxLife, false
	}
	left := c.exp - float64(now.UnixMilli())/1000
	if c.hasIat { // a clock that is wrong must not extend the token's life
		left = min(left, c.exp-c.iat)
	}
	return seconds(left), true
}

// seconds is a duration from 0 to maxLife.
func seconds(n float64) time.Duration {
	return time.Duration(max(0, min(n, maxLife.Seconds())) * float64(time.Second))
}
