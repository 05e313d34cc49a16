package verify

import (
	"errors"
	"strings"
)

// Why there is no token to verify, for errors.Is.
var (
	// ErrNoToken: the request has no bearer token at all.
	ErrNoToken = errors.New("verify: no access token")

	// ErrInvalidRequest: the request has an Authorization header that is malformed, or more than
	// one.
	ErrInvalidRequest = errors.New("verify: malformed authorization")
)

// BearerToken returns the access token in the values of a request's Authorization header by RFC
// 6750, section 2.1: one value, the scheme Bearer in any case, one token. No value and another
// scheme are [ErrNoToken]; anything else is [ErrInvalidRequest]. The token is not verified.
func BearerToken(values []string) (string, error) {
	switch {
	case len(values) == 0, len(values) == 1 && values[0] == "":
		return "", ErrNoToken
	case len(values) > 1:
		return "", ErrInvalidRequest // two readers might choose different ones
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

// isToken reports whether a text is a token of RFC 9110, section 5.6.2, as the name of a scheme
// must be.
func isToken(text string) bool {
	for i := range len(text) {
		if c := text[i]; !isAlphanumeric(c) && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return text != ""
}

// isToken68 reports whether a text is a token68 of RFC 9110, which RFC 6750 calls b64token.
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
