package verify

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// A Protection says which requests [Verifier.Protect] lets through, and what it tells the others. The zero value lets every
// request with a good token through.
type Protection struct {
	Scopes   []string // all of these must be held
	AnyScope []string // at least one of these must be held; challenges name the first, so put the least one there

	// Checks are what else a token must meet, such as [MaxAge] or [ScopeFunc]. The error of a Check of your own is answered with
	// 403, or 503 if it is [ErrCheckUnavailable] or the end of a context; its text is not sent.
	Checks []Check

	// Realm is the realm of challenges: "api" if empty. It must be printable ASCII.
	Realm string

	// ResourceMetadata is the address of the API's description, [ProtectedResource.MetadataURL], which challenges then name.
	ResourceMetadata string

	// Token finds the token of a request. "" and [ErrNoToken] are answered with 401, any other error with 400. If it is nil, the
	// token is that of the Authorization header, see [BearerToken]. The query is no place for one: addresses get logged.
	Token func(r *http.Request) (string, error)

	// Refuse writes the answer to a request that is not let through. The headers WWW-Authenticate, Cache-Control and
	// Retry-After are set already. The error says why, by the sentinels of this package, and is not meant for the client. If it
	// is nil, the answer is a small JSON object with the members error and error_description.
	Refuse func(w http.ResponseWriter, r *http.Request, status int, err error)
}

// Require returns middleware for net/http that lets requests through whose bearer token is good and holds all scopes; without
// scopes, any good token does. It panics if a scope is not one, such as two in one text. Next to it:
//
//   - no bearer token: 401 with a challenge of RFC 6750 that has no error code
//   - a bad token: 401, invalid_token
//   - a good token without the scopes: 403, insufficient_scope, and the scopes that are required
//   - a malformed Authorization header, or two: 400, invalid_request
//   - keys cannot be had, or a check cannot be made: 503 with Retry-After. That is no fault of the token, so it is never 401.
//
// The handler finds the claims with [ClaimsFromContext]. Every method is treated alike, OPTIONS as well: middleware that answers
// the preflight requests of browsers goes outside of this one.
func (v *Verifier) Require(scopes ...string) func(http.Handler) http.Handler {
	return v.Protect(Protection{Scopes: scopes})
}

// RequireAny is [Verifier.Require] for tokens that hold at least one of the scopes. It panics if there is none to hold.
func (v *Verifier) RequireAny(scopes ...string) func(http.Handler) http.Handler {
	if len(scopes) == 0 {
		panic("verify: RequireAny needs a scope")
	}
	return v.Protect(Protection{AnyScope: scopes})
}

// Protect is [Verifier.Require] with everything that can be said about it. Like http.ServeMux for its patterns, it panics if a
// field cannot be used, so that a mistake shows at the start and not as an endpoint that refuses, or lets in, the wrong ones.
func (v *Verifier) Protect(p Protection) func(http.Handler) http.Handler {
	if v == nil {
		panic("verify: the verifier is nil")
	}
	g := newGuard(v, p)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, err := g.token(r)
			if err != nil {
				g.refuse(w, r, err)
				return
			}
			claims, err := v.Verify(r.Context(), token, g.checks...)
			if err != nil {
				g.refuse(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(ContextWithClaims(r.Context(), claims)))
		})
	}
}

type guard struct {
	checks    []Check
	find      func(*http.Request) (string, error)
	answer    func(http.ResponseWriter, *http.Request, int, error)
	challenge challenge // with all that is the same for every request
}

func newGuard(v *Verifier, p Protection) *guard {
	g := &guard{find: p.Token, answer: p.Refuse, challenge: challenge{realm: "api", metadata: p.ResourceMetadata}}
	for _, scope := range slices.Concat(p.Scopes, p.AnyScope) {
		if !isScope(scope) {
			panic("verify: a scope must be printable ASCII without space, quote and backslash, and not empty")
		}
	}
	if strings.ContainsFunc(p.Realm, func(r rune) bool { return r < ' ' || r > '~' }) {
		panic("verify: Protection.Realm must be printable ASCII")
	}
	if p.ResourceMetadata != "" {
		if _, err := checkURL("Protection.ResourceMetadata", p.ResourceMetadata); err != nil {
			panic(err.Error())
		}
	}
	if slices.ContainsFunc(p.Checks, func(c Check) bool { return c == nil }) {
		panic("verify: Protection.Checks must not hold nil")
	}
	if p.Realm != "" {
		g.challenge.realm = p.Realm
	}
	named := slices.Clone(p.Scopes)
	if len(p.Scopes) > 0 {
		g.checks = append(g.checks, AllScopes(p.Scopes...))
	}
	if len(p.AnyScope) > 0 {
		named = append(named, p.AnyScope[0])
		g.checks = append(g.checks, AnyScope(p.AnyScope...))
	}
	g.challenge.scope = strings.Join(named, " ")
	g.checks = append(g.checks, p.Checks...)
	return g
}

func (g *guard) token(r *http.Request) (string, error) {
	if g.find == nil {
		return BearerToken(r.Header.Values("Authorization"))
	}
	token, err := g.find(r)
	switch {
	case err != nil:
		return "", &requestError{err}
	case token == "":
		return "", ErrNoToken
	}
	return token, nil
}

// A requestError is what Protection.Token says against a request.
type requestError struct{ cause error }

func (e *requestError) Error() string        { return ErrInvalidRequest.Error() }
func (e *requestError) Is(target error) bool { return target == ErrInvalidRequest }
func (e *requestError) Unwrap() error        { return e.cause }

// retryAfter is in seconds. A key set that could not be had is tried again within 30 s at the latest.
const retryAfter = "5"

func (g *guard) refuse(w http.ResponseWriter, r *http.Request, err error) {
	why := responseTo(err)
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if why.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", retryAfter)
	} else {
		c := g.challenge
		if c.code = why.code; c.code != "" {
			c.description = why.description
		}
		if why.status == http.StatusForbidden && !errors.Is(err, ErrScope) {
			c.scope = "" // it has these already, and asking for them again would not help
		}
		h.Set("WWW-Authenticate", c.String())
	}
	if g.answer != nil {
		g.answer(w, r, why.status, err)
		return
	}
	code := why.code
	if code == "" {
		code = "unauthorized"
	}
	body, _ := json.Marshal(struct { // two texts can be encoded
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{code, why.description})
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(why.status)
	_, _ = w.Write(body) // a client that has gone needs no answer
}

type claimsKey struct{}

// ClaimsFromContext returns the claims of the token that a request came with. It is false where no middleware or interceptor of
// this module has let the request through.
func ClaimsFromContext(ctx context.Context) (*Claims, bool) {
	c, ok := ctx.Value(claimsKey{}).(*Claims)
	return c, ok && c != nil
}

// ContextWithClaims returns a context that holds claims, for [ClaimsFromContext]: for middleware of another kind, and for tests
// of handlers.
func ContextWithClaims(ctx context.Context, c *Claims) context.Context {
	return context.WithValue(ctx, claimsKey{}, c)
}
