package emulator

import (
	"errors"
	"strings"
	"time"
)

// Claims returns the claims that a token of a client would have now, to be changed and passed to
// [Emulator.Sign]. Without scopes they are all that an M2M client holds. No token is counted, and
// the status of the client is not checked. It fails with an error matching [ErrInvalidArgument] for
// an unknown id, and for a scope that an M2M client does not hold if [Behavior] refuses it.
//
// A Connected App gets the scopes as they are. The user whom such a token names in sub is made up,
// because the emulator has no users.
func (e *Emulator) Claims(clientID string, scopes ...string) (map[string]any, error) {
	s, requested := e.service.state, strings.Join(scopes, " ")
	b := s.switches.load()
	client, err := s.clients.get(clientID)
	if err == nil {
		scope, err := grantedScope(client.scopes, requested, b.UnheldScope)
		if refused := (*failure)(nil); errors.As(err, &refused) {
			return nil, invalidArgument("Claims: %s", refused.reason)
		}
		return s.claims(b, client, s.issuer, scope, nil), nil
	}
	app, err := s.apps.get(clientID)
	if err != nil {
		return nil, invalidArgument("Claims: no M2M client or Connected App has the ID %.256q", clientID)
	}
	return s.appClaims(app, requested), nil
}

// appClaims are the claims of an access token of a Connected App (documented).
func (s *state) appClaims(app *connectedApp, scope string) map[string]any {
	now := s.clock()
	audience := []string{s.id}
	if app.customAudience != nil && *app.customAudience != "" {
		audience = append(audience, *app.customAudience)
	}
	return map[string]any{
		"aud": audience, "client_id": app.id, "exp": now.Add(time.Duration(app.expiryMinutes) * time.Minute).Unix(),
		"iat": now.Unix(), "iss": s.issuer, "jti": newTokenID(), "nbf": now.Unix(), "scope": scope, "sub": "user-" + s.env + "-" + newUUID(),
	}
}
