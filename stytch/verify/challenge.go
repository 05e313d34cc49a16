package verify

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// Why a request holds no token to verify, for errors.Is.
var (
	// ErrNoToken: the request has no bearer token at all.
	ErrNoToken = errors.New("verify: no access token")

	// ErrInvalidRequest: the request has an Authorization header that is malformed, or more than one.
	ErrInvalidRequest = errors.New("verify: malformed authorization")
)

// BearerToken returns the access token among the values of a request's Authorization header, as RFC 6750, section 2.1, has
// it: one value, the scheme Bearer in any case, one token. Another scheme is [ErrNoToken], like no value; anything else is
// [ErrInvalidRequest]. The token is not verified.
func BearerToken(values []string) (string, error) {
	switch {
	case len(values) == 0, len(values) == 1 && values[0] == "":
		return "", ErrNoToken
	case len(values) > 1:
		return "", ErrInvalidRequest // which of them counts would be anybody's guess
	}
	scheme, rest, separated := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		if !isToken(scheme) {
			return "", ErrInvalidRequest
		}
		return "", ErrNoToken
	}
	token := strings.TrimLeft(rest, " ")
	if !separated || !isToken68(token) {
		return "", ErrInvalidRequest
	}
	return token, nil
}

// isToken reports whether a text is a token of RFC 9110, section 5.6.2, such as the name of a scheme.
func isToken(text string) bool {
	for i := range len(text) {
		if c := text[i]; !isAlphanumeric(c) && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return text != ""
}

// isToken68 reports whether a text is what RFC 6750 calls b64token and RFC 9110 token68.
func isToken68(text string) bool {
	text = strings.TrimRight(text, "=")
	for i := range len(text) {
		if c := text[i]; !isAlphanumeric(c) && strings.IndexByte("-._~+/", c) < 0 {
			return false
		}
	}
	return text != ""
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// A challenge is a WWW-Authenticate header of RFC 6750, section 3, and RFC 9728, section 5.1. What is empty is left out.
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

// quote writes the inside of a quoted-string. Nothing but printable ASCII gets out: where these headers are made, other
// text is refused long before, but a line break that slipped through would be a header of its own.
func quote(b *strings.Builder, text string) {
	for i := range len(text) {
		switch c := text[i]; {
		case !isPrintable(c):
			b.WriteByte('?')
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
}

func isPrintable(c byte) bool { return ' ' <= c && c <= '~' }

// A response is what a request gets that is not let through.
type response struct {
	status      int
	code        string // of OAuth 2.0; "" where RFC 6750 wants a challenge without one
	description string // a fixed text: nothing of a token is ever quoted
}

// responseTo says what to answer. An error of [Verifier.Verify] that is none of its own is that of a [Check], which found fault
// with a good token.
func responseTo(err error) response {
	for _, known := range responses {
		if errors.Is(err, known.err) {
			return known.response
		}
	}
	return response{http.StatusForbidden, "insufficient_scope", "The access token does not permit this."}
}

// responses go from the request to the token. What could not be decided comes before all that blames a token: a good one that
// is called bad is thrown away by its client, and another one asked for, in the middle of an outage.
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
	{ErrNotYetValid, invalidToken("The access token is not valid yet.")},
	{ErrMalformed, invalidToken("The access token is malformed.")},
	{ErrInactive, invalidToken("The access token is revoked.")},
	{ErrAlgorithm, invalidToken("The access token is not valid.")},
	{ErrUnknownKey, invalidToken("The access token is not valid.")},
	{ErrSignature, invalidToken("The access token is not valid.")},
	{ErrLifetime, invalidToken("The access token is not valid here.")},
	{ErrIssuer, invalidToken("The access token is not valid here.")},
	{ErrAudience, invalidToken("The access token is not valid here.")},
	{ErrKind, invalidToken("The access token is not valid here.")},
}

var undecided = response{http.StatusServiceUnavailable, "temporarily_unavailable", "Access tokens cannot be verified at the moment."}

func invalidToken(description string) response {
	return response{http.StatusUnauthorized, "invalid_token", description}
}
