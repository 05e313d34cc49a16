package verify

import "time"

// A Check is one more condition on a token that is good otherwise. [AllScopes], [AnyScope], [ScopeFunc] and [MaxAge] make the
// common ones; make them once and use them for many calls. Anybody may write one: it gets the time that the token is judged
// at, and its error is returned as it is. A Check must be safe for concurrent use and must not change the claims.
type Check func(claims *Claims, now time.Time) error

// AllScopes requires that every one of the scopes was granted, see [Claims.HasScope]. The error is [ErrScope].
func AllScopes(scopes ...string) Check {
	scopes = append([]string(nil), scopes...)
	return func(claims *Claims, _ time.Time) error {
		for _, scope := range scopes {
			if !claims.HasScope(scope) {
				return errScope
			}
		}
		return nil
	}
}

// AnyScope requires that at least one of the scopes was granted, see [Claims.HasScope]. The error is [ErrScope].
func AnyScope(scopes ...string) Check {
	scopes = append([]string(nil), scopes...)
	return func(claims *Claims, _ time.Time) error {
		for _, scope := range scopes {
			if claims.HasScope(scope) {
				return nil
			}
		}
		return errScope
	}
}

// ScopeFunc leaves the judgement on the granted scopes to f, which must not change them. The error is [ErrScope]. It is what
// the authorization_func of Stytch's own SDKs is.
func ScopeFunc(f func(granted []string) bool) Check {
	return func(claims *Claims, _ time.Time) error {
		if f == nil || !f(claims.Scopes) {
			return errScopeFunc
		}
		return nil
	}
}

// MaxAge refuses tokens issued longer ago than age, with [ErrTooOld]. The leeway is not added. Deactivating a client does not
// revoke its tokens, so a sensitive route may want a younger one.
func MaxAge(age time.Duration) Check {
	return func(claims *Claims, now time.Time) error {
		if now.Sub(claims.IssuedAt) > age {
			return errTooOld
		}
		return nil
	}
}
