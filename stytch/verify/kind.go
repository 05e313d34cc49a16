package verify

import (
	"slices"
	"strings"
)

// Stytch signs the tokens of sessions, of Connected Apps and of M2M clients with the same keys, and gives them the same
// issuer and audience. So what tells them apart has to be looked at.

// foreign is what the ids of other objects begin with. None of them is ever an M2M client, also not an imported one.
var foreign = []string{"user-", "member-", "organization-", "connected-app-", "session-"}

// foreignObjects are more of them, with names that an imported id may well begin with: these need an environment behind it.
var foreignObjects = []string{
	"biometric-registration-", "crypto-wallet-", "email-", "idp-client-", "jwk-", "member-session-", "oauth-user-",
	"oidc-connection-", "password-", "phone-number-", "project-", "public-token-", "request-id-", "saml-connection-",
	"scim-connection-", "secret-", "totp-", "webauthn-registration-",
}

func isForeign(id string) bool {
	if slices.ContainsFunc(foreign, func(prefix string) bool { return strings.HasPrefix(id, prefix) }) {
		return true
	}
	return slices.ContainsFunc(foreignObjects, func(prefix string) bool {
		rest, ok := strings.CutPrefix(id, prefix)
		return ok && (strings.HasPrefix(rest, "test-") || strings.HasPrefix(rest, "live-"))
	})
}

// kindOf judges what kind of token this is as far as that cannot change.
func (v *Verifier) kindOf(p *payload) error {
	if v.kind == ConnectedApp {
		return v.isConnectedApp(p)
	}
	if p.ofStytch {
		return errStytch
	}
	if p.hasClientID && string(p.clientID) != string(p.subject) {
		return errOther
	}
	return nil
}

func (v *Verifier) isConnectedApp(p *payload) error {
	hasPrefix := func(id []byte, prefixes []string) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool {
			return len(id) > len(prefix) && string(id[:len(prefix)]) == prefix
		})
	}
	switch {
	case p.ofSession:
		return errStytch
	case !p.hasClientID || !hasPrefix(p.clientID, v.appPrefixes):
		return errNoApp
	case !hasPrefix(p.subject, v.userPrefixes):
		return errNoUser
	}
	return nil
}

// acceptsClient is the part of the judgement that may change from call to call, because the caller's function has a say.
func (v *Verifier) acceptsClient(id string) error {
	if v.kind == ConnectedApp {
		if _, listed := v.clientIDs[id]; !listed && len(v.clientIDs) > 0 {
			return errNoApp
		}
		return nil
	}
	if len(id) > len(v.clientPrefix) && strings.HasPrefix(id, v.clientPrefix) {
		return nil
	}
	if isForeign(id) {
		return errOther
	}
	if _, listed := v.clientIDs[id]; listed || v.clientIDFunc != nil && v.clientIDFunc(id) {
		return nil
	}
	return errClient
}
