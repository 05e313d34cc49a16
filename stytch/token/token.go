package token

import (
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// maxLife is how long any token is used at most, whatever its response says.
const maxLife = 24 * time.Hour

// Token is an access token. It prints without its value.
type Token struct {
	Value  secret.String // call Reveal only where it leaves the process, in an Authorization header
	Expiry time.Time     // by this machine's clock; the zero time if the response did not say

	// Scopes are those that the endpoint granted, if its response or the token says so, and
	// otherwise those that were requested. They were not verified. All callers that get this token
	// share the slice: do not change it.
	Scopes []string
}

// issuedToken is a token with the time at which it was requested.
type issuedToken struct {
	Token
	issuedAt time.Time
}
