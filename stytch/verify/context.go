package verify

import "context"

type claimsKey struct{}

// ClaimsFromContext returns the claims of a request's token. It returns false if no middleware or
// interceptor of this module has verified one.
func ClaimsFromContext(ctx context.Context) (Claims, bool) {
	c, ok := ctx.Value(claimsKey{}).(*Claims)
	if !ok {
		return Claims{}, false
	}
	return *c, true
}

// ContextWithClaims returns a context with claims for [ClaimsFromContext]. Use it in middleware of
// your own, and in tests of handlers.
func ContextWithClaims(ctx context.Context, c Claims) context.Context { return contextWith(ctx, &c) }

// contextWith keeps the claims by reference. They must not change after this.
func contextWith(ctx context.Context, c *Claims) context.Context {
	return context.WithValue(ctx, claimsKey{}, c)
}
