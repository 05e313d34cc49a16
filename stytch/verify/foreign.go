package verify

import (
	"slices"
	"strings"
)

// objects are what the ids of other objects than M2M clients begin with, before the environment.
var objects = []string{
	"biometric-registration-", "connected-app-", "crypto-wallet-", "email-", "idp-client-", "jwk-", "member-",
	"member-session-", "oauth-user-", "oidc-connection-", "organization-", "password-", "phone-number-", "project-",
	"public-token-", "request-id-", "saml-connection-", "scim-connection-", "secret-", "session-", "totp-", "user-",
	"webauthn-registration-",
}

// isForeign reports whether an id is that of another object. Such an id is never an M2M client, not
// even an imported one.
func isForeign(id string) bool {
	return slices.ContainsFunc(objects, func(prefix string) bool {
		rest, ok := strings.CutPrefix(id, prefix)
		return ok && (strings.HasPrefix(rest, "test-") || strings.HasPrefix(rest, "live-"))
	})
}

// madeWords are what an id may begin with that a person could take for one that Stytch made.
var madeWords = []string{"user-", "member-", "organization-", "connected-app-", "session-"}

// looksMade reports whether an id, in any case, looks as if Stytch had made it, for a client or for
// an object whose tokens are no M2M tokens. An imported client with such an id must be named.
func looksMade(id string) bool {
	id = strings.ToLower(id)
	return strings.Contains(id, "m2m-client-test-") || strings.Contains(id, "m2m-client-live-") ||
		slices.ContainsFunc(madeWords, func(word string) bool { return strings.HasPrefix(id, word) })
}
