package verify

import (
	"slices"
	"time"
)

// A Check is one more condition on a token that is valid otherwise. [AllScopes], [AnyScope],
// [ScopeFunc] and [MaxAge] make the common ones; make them once and use them for many calls. A
// Check of your own gets the claims and the time at which the token is verified; [Verifier.Verify]
// returns its error unchanged. A Check must be safe for concurrent use.
type Check func(claims Claims, now time.Time) error

// AllScopes requires that every one of the scopes was granted, see [Claims.HasScope]. The error is
// [ErrScope]. It panics if it is given a list that is empty but not nil, as from a configuration
// without scopes: such a Check would let every valid token through.
func AllScopes(scopes ...string) Check {
	if isEmpty(scopes) {
		panic("verify: AllScopes: the list of scopes is empty")
	}
	scopes = slices.Clone(scopes)
	return func(claims Claims, _ time.Time) error {
		for _, scope := range scopes {
			if !claims.HasScope(scope) {
				return errScope
			}
		}
		return nil
	}
}

// AnyScope requires that at least one of the scopes was granted, see [Claims.HasScope]. The error
// is [ErrScope]. Without scopes, it accepts no token. It panics if it is given a list that is empty
// but not nil.
func AnyScope(scopes ...string) Check {
	if isEmpty(scopes) {
		panic("verify: AnyScope: the list of scopes is empty")
	}
	scopes = slices.Clone(scopes)
	return func(claims Claims, _ time.Time) error {
		for _, scope := range scopes {
			if claims.HasScope(scope) {
				return nil
			}
		}
		return errScope
	}
}

// ScopeFunc requires that f accepts the granted scopes. It corresponds to the authorization_func of
// Stytch's own SDKs. f gets a slice of its own. The error is [ErrScope].
func ScopeFunc(f func(granted []string) bool) Check {
	return func(claims Claims, _ time.Time) error {
		if f == nil || !f(claims.Scopes()) {
			return errScopeFunc
		}
		return nil
	}
}

// MaxAge refuses tokens issued longer ago than age, with [ErrTooOld]. The leeway is not added. Use
// it for sensitive routes: deactivating a client does not revoke the tokens it already has.
func MaxAge(age time.Duration) Check {
	return func(claims Claims, now time.Time) error {
		if now.Sub(claims.IssuedAt) > age {
			return errTooOld
		}
		return nil
	}
}

// isEmpty reports whether a list was given and is empty: a mistake of the program, where nil means
// that nothing was asked for.
func isEmpty[T any](list []T) bool { return list != nil && len(list) == 0 }
