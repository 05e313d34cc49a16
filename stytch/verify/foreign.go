package verify

import (
	"slices"
	"strings"
)

// foreignPrefixes are what the ids of other objects begin with. None of them is ever an M2M client,
// not even an imported one.
var foreignPrefixes = []string{"user-", "member-", "organization-", "connected-app-", "session-"}

// foreignObjects are further objects. An imported client's id may begin with the same word, so
// these count as foreign only with an environment after it.
var foreignObjects = []string{
	"biometric-registration-", "crypto-wallet-", "email-", "idp-client-", "jwk-", "member-session-", "oauth-user-",
	"oidc-connection-", "password-", "phone-number-", "project-", "public-token-", "request-id-", "saml-connection-",
	"scim-connection-", "secret-", "totp-", "webauthn-registration-",
}

// isForeign reports whether an id is that of another object than an M2M client.
func isForeign(id string) bool {
	if slices.ContainsFunc(foreignPrefixes, func(prefix string) bool { return strings.HasPrefix(id, prefix) }) {
		return true
	}
	return slices.ContainsFunc(foreignObjects, func(prefix string) bool {
		rest, ok := strings.CutPrefix(id, prefix)
		return ok && (strings.HasPrefix(rest, "test-") || strings.HasPrefix(rest, "live-"))
	})
}
