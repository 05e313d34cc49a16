package verify

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// A challenge is a WWW-Authenticate header of RFC 6750, section 3, and RFC 9728, section 5.1. Empty
// parameters are left out.
type challenge struct {
	realm, code, description, scope, metadata string
}

func (c challenge) String() string {
	var b strings.Builder
	b.WriteString("Bearer")
	separator := " "
	for _, parameter := range [...]struct{ name, value string }{
		{"realm", c.realm},
		{"error", c.code},
		{"error_description", c.description},
		{"scope", c.scope},
		{"resource_metadata", c.metadata},
	} {
		if parameter.value != "" {
			b.WriteString(separator + parameter.name + `="`)
			quote(&b, parameter.value)
			b.WriteByte('"')
			separator = ", "
		}
	}
	return b.String()
}

// quote writes the inside of a quoted-string, and a question mark for all but printable ASCII.
// Other text is refused where it enters; this is the second line of defense, because a line break
// would begin another header.
func quote(b *strings.Builder, text string) {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c > '~':
			b.WriteByte('?')
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
}

// isPrintable reports whether a text is printable ASCII.
func isPrintable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// A response is what a refused request gets.
type response struct {
	status      int
	code        string // of OAuth 2.0, or ""
	description string // a fixed text, which never quotes the token
}

// responseTo chooses the response for an error. An unknown error comes from a [Check] of the
// caller, which refused a valid token.
func responseTo(err error) response {
	for _, known := range responses {
		if errors.Is(err, known.err) {
			return known.response
		}
	}
	return response{http.StatusForbidden, "insufficient_scope", "The access token does not permit this."}
}

// responses are in the order in which they are tried. Errors that leave a token undecided come
// before those that blame it: a client that throws away a good token asks for another one in the
// middle of an outage.
var responses = []struct {
	err error
	response
}{
	{ErrNoToken, response{http.StatusUnauthorized, "", "An access token is required."}},
	{ErrInvalidRequest, response{http.StatusBadRequest, "invalid_request", "The authorization of the request is malformed."}},
	{ErrKeysUnavailable, undecided},
	{ErrCheckUnavailable, undecided},
	{context.Canceled, undecided},
	{context.DeadlineExceeded, undecided},
	{ErrScope, response{http.StatusForbidden, "insufficient_scope", "The access token lacks a scope."}},
	{ErrExpired, invalidToken("The access token has expired.")},
	{ErrTooOld, invalidToken("The access token is too old.")},
	{ErrMalformed, invalidToken("The access token is malformed.")},
	{ErrUnknownKey, invalidToken("The access token is not valid.")},
	{ErrSignature, invalidToken("The access token is not valid.")},
	{ErrNotYetValid, notAccepted("The access token is not valid yet.")},
	{ErrInactive, notAccepted("The client of the access token is not active.")},
	{ErrAlgorithm, notAccepted("This API does not accept the algorithm of the access token.")},
	{ErrLifetime, notAccepted("This API does not accept access tokens that live so long.")},
	{ErrIssuer, notAccepted("This API does not accept access tokens of this issuer.")},
	{ErrAudience, notAccepted("This API does not accept access tokens for this audience.")},
	{ErrKind, notAccepted("This API does not accept access tokens of this kind, or of this client.")},
}

var undecided = response{http.StatusServiceUnavailable, "temporarily_unavailable", "Access tokens cannot be verified at the moment."}

// invalidToken is for a token that another one of the same client may replace: RFC 6750 lets a
// client that reads this code request a new one.
func invalidToken(description string) response {
	return response{http.StatusUnauthorized, "invalid_token", description}
}

// notAccepted is for a token that no new one of the same client would improve on. RFC 6750 has no
// code for that. With invalid_token, clients would throw the token away and pay for another.
func notAccepted(description string) response {
	return response{http.StatusUnauthorized, "", description}
}
