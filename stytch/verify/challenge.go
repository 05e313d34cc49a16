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

// answerTo returns the index of the answer to an error. An unknown error comes from a [Check] of
// the caller, which refused a valid token: that is the last one.
func answerTo(err error) int {
	if broken, ok := err.(*brokenRule); ok {
		err = broken.kind // most errors end here, without a search through what they wrap
	}
	last := len(answers) - 1
	for i := range last {
		if err == answers[i].err { //nolint:errorlint // a short cut; the next loop unwraps
			return i
		}
	}
	for i := range last {
		if errors.Is(err, answers[i].err) {
			return i
		}
	}
	return last
}

func responseTo(err error) response { return answers[answerTo(err)].response }

// answers are what each error counts as, and what it is answered with, in the order in which they
// are tried. Errors that leave a token undecided come before those that blame it: a client that
// throws away a good token asks for another one in the middle of an outage.
var answers = []struct {
	err    error
	reason string
	response
}{
	{ErrNoToken, "no_token", response{http.StatusUnauthorized, "", "An access token is required."}},
	{ErrInvalidRequest, "invalid_request", response{http.StatusBadRequest, "invalid_request", "The authorization of the request is malformed."}},
	{ErrKeysUnavailable, "keys_unavailable", undecided},
	{ErrCheckUnavailable, "check_unavailable", undecided},
	{ErrInvalidArgument, "misuse", undecided},
	{context.Canceled, "canceled", undecided},
	{context.DeadlineExceeded, "canceled", undecided},
	{ErrScope, "scope", response{http.StatusForbidden, "insufficient_scope", "The access token lacks a scope."}},
	{ErrExpired, "expired", invalidToken("The access token has expired.")},
	{ErrTooOld, "too_old", invalidToken("The access token is too old.")},
	{ErrMalformed, "malformed", invalidToken("The access token is malformed.")},
	{ErrUnknownKey, "unknown_key", invalidToken("The access token is not valid.")},
	{ErrSignature, "signature", invalidToken("The access token is not valid.")},
	{ErrNotYetValid, "not_yet_valid", notAccepted("The access token is not valid yet.")},
	{ErrInactive, "inactive", notAccepted("The client of the access token is not active.")},
	{ErrAlgorithm, "algorithm", notAccepted(notHere)},
	{ErrLifetime, "lifetime", notAccepted(notHere)},
	{ErrIssuer, "issuer", notAccepted(notHere)},
	{ErrAudience, "audience", notAccepted(notHere)},
	{ErrKind, "kind", notAccepted(notHere)},
	{nil, "check", response{http.StatusForbidden, "insufficient_scope", "The access token does not permit this."}},
}

var undecided = response{http.StatusServiceUnavailable, "temporarily_unavailable", "Access tokens cannot be verified at the moment."}

// invalidToken is for a token that another one of the same client may replace: RFC 6750 lets a
// client that reads this code request a new one.
func invalidToken(description string) response {
	return response{http.StatusUnauthorized, "invalid_token", description}
}

// notHere does not say which rule a token broke: the observer learns that.
const notHere = "This API does not accept this access token, nor another one like it."

// notAccepted is for a token that no new one of the same client would improve on. RFC 6750 has no
// code for that. With invalid_token, clients would throw the token away and pay for another.
func notAccepted(description string) response {
	return response{http.StatusUnauthorized, "", description}
}
