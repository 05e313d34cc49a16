package verify

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// A Protection is which requests [Verifier.Protect] lets through, and how it refuses the others.
// The zero value lets every request with a valid token through.
type Protection struct {
	// A list that is empty and not nil is a mistake.
	Scopes   []string // all of these are required
	AnyScope []string // at least one of these is required; challenges name the first, so put the least powerful one there

	// Checks are further conditions, such as [MaxAge] or [ScopeFunc]. An error of your own Check is
	// a 403, or a 503 if it is [ErrCheckUnavailable] or the end of a context; its text is not sent.
	Checks []Check

	// Realm is the realm in challenges, "api" if empty. It must be printable ASCII.
	Realm string

	// ResourceMetadata is the address of the API's description, [ProtectedResource.MetadataURL].
	// Challenges then name it.
	ResourceMetadata string

	// Token finds the token of a request. If it returns "" or [ErrNoToken], the response is a 401;
	// with any other error, a 400. If it is nil, the token is taken from the Authorization header,
	// see [BearerToken]. Do not take tokens from the query: addresses are logged.
	Token func(r *http.Request) (string, error)

	// Refuse writes the response to a refused request. The headers WWW-Authenticate, Cache-Control
	// and Retry-After are already set. The error is one of this package's sentinels or that of a
	// Check, and is not meant for the client. If Refuse is nil, the body is a small JSON object
	// with the members error and error_description.
	Refuse func(w http.ResponseWriter, r *http.Request, status int, err error)
}

// Require returns middleware for net/http that lets a request through if its bearer token is valid
// and grants all scopes; without scopes, any valid token will do. It panics if one of the texts is
// not a scope, such as two scopes in one text, or if it is given a list that is empty but not nil,
// as from a configuration without scopes. All other requests are refused:
//
//   - no bearer token: 401 with a challenge of RFC 6750 that has no error code
//   - a bad token that a new one may replace, such as an expired one: 401, invalid_token
//   - a token of another kind, client, issuer, audience, algorithm or lifetime, of a client that is
//     not active, or from the future: 401 without an error code, because a new token of the same
//     client would be refused as well, and would be billed
//   - a valid token without the scopes: 403, insufficient_scope, and the scopes that are required
//   - a malformed Authorization header, or two: 400, invalid_request
//   - keys could not be fetched, or a check could not be made: 503 with Retry-After, never 401,
//     because it is not the token's fault
//
// The handler finds the claims with [ClaimsFromContext]. All methods are treated alike, including
// OPTIONS: put middleware for the preflight requests of browsers outside of this one.
func (v *Verifier) Require(scopes ...string) func(http.Handler) http.Handler {
	return v.Protect(Protection{Scopes: scopes})
}

// RequireAny is [Verifier.Require] for tokens that grant at least one of the scopes. It panics if
// scopes is empty.
func (v *Verifier) RequireAny(scopes ...string) func(http.Handler) http.Handler {
	if len(scopes) == 0 {
		panic("verify: RequireAny needs a scope")
	}
	return v.Protect(Protection{AnyScope: scopes})
}

// Protect is [Verifier.Require] with more settings. Like http.ServeMux with a bad pattern, it
// panics if a field is invalid, so that the mistake shows at the start of the program and not as an
// endpoint that lets the wrong requests through.
func (v *Verifier) Protect(p Protection) func(http.Handler) http.Handler {
	if v == nil || v.watch == nil {
		panic(errZero.Error())
	}
	g := newGuard(p)
	return func(next http.Handler) http.Handler {
		if next == nil {
			panic("verify: the handler to protect is nil")
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, err := g.token(r)
			if err != nil {
				v.watch.refuse(r.Context(), "", nil, err)
				g.refuse(w, r, err)
				return
			}
			claims, err := v.verify(r.Context(), token, g.checks)
			if err != nil {
				g.refuse(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(contextWith(r.Context(), claims)))
		})
	}
}

type protector struct {
	checks    []Check
	find      func(*http.Request) (string, error)                  // nil: BearerToken
	respond   func(http.ResponseWriter, *http.Request, int, error) // nil: a JSON body
	challenge challenge                                            // the parameters that are the same for every request
}

func newGuard(p Protection) *protector {
	g := &protector{find: p.Token, respond: p.Refuse, challenge: challenge{realm: "api", metadata: p.ResourceMetadata}}
	if isEmpty(p.Scopes) || isEmpty(p.AnyScope) || isEmpty(p.Checks) {
		panic("verify: a list of scopes or checks is empty: leave it nil if any valid token will do")
	}
	for _, scope := range slices.Concat(p.Scopes, p.AnyScope) {
		if !isScope(scope) {
			panic("verify: a scope must be printable ASCII without space, quote and backslash, and not empty")
		}
	}
	if !isPrintable(p.Realm) {
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

func (g *protector) token(r *http.Request) (string, error) {
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

// A requestError is [ErrInvalidRequest] with the error of Protection.Token.
type requestError struct{ cause error }

func (e *requestError) Error() string        { return ErrInvalidRequest.Error() }
func (e *requestError) Is(target error) bool { return target == ErrInvalidRequest }
func (e *requestError) Unwrap() error        { return e.cause }

// retryAfter is in seconds. After a failed fetch, the key set is fetched again within about 30 s.
const retryAfter = "5"

func (g *protector) refuse(w http.ResponseWriter, r *http.Request, err error) {
	why := responseTo(err)
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if why.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", retryAfter)
	} else {
		c := g.challenge
		c.code = why.code
		if !errors.Is(err, ErrNoToken) { // RFC 6750 wants no reason then
			c.description = why.description
		}
		if why.status == http.StatusForbidden && !errors.Is(err, ErrScope) {
			c.scope = "" // the token has these already
		}
		h.Set("WWW-Authenticate", c.String())
	}
	if g.respond != nil {
		g.respond(w, r, why.status, err)
		return
	}
	code := why.code
	if code == "" {
		code = "unauthorized"
	}
	body, _ := json.Marshal(struct { // two strings can always be encoded
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{code, why.description})
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(why.status)
	_, _ = w.Write(body) // nothing to do if the client is gone
}
