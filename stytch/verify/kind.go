package verify

import (
	"slices"
	"strings"

	"github.com/stytchkit/m2m/internal/project"
)

// Stytch signs the tokens of sessions, of Connected Apps and of M2M clients with the same keys, and
// gives them the same issuer and audience. Their claims and the form of their ids distinguish them.

// kindRules decide which kind of token and which clients are accepted.
type kindRules struct {
	kind         Kind
	apps         map[string]struct{}
	clientIDs    map[string]struct{}
	clientIDFunc func(string) bool
	clientPrefix string // of M2M clients of the project's environment
	appPrefixes  []string
	userPrefixes []string
}

func newKindRules(projectID string, s *settings) kindRules {
	environment := project.Environment(projectID) + "-"
	return kindRules{
		kind: s.kind, apps: s.apps, clientIDs: s.clientIDs, clientIDFunc: s.clientIDFunc,
		clientPrefix: "m2m-client-" + environment,
		appPrefixes:  []string{"connected-app-" + environment, "idp-client-" + environment}, // the latter on older pages
		userPrefixes: []string{"user-" + environment, "member-" + environment},
	}
}

// checkKind applies the rules whose result never changes for a token.
func (r *kindRules) checkKind(p *payload) error {
	switch {
	case r.kind == ConnectedApp:
		return r.checkApp(p)
	case p.stytch:
		return errSession
	case p.ownClientID():
		return errSubject
	}
	return nil
}

func (r *kindRules) checkApp(p *payload) error {
	switch {
	case p.session:
		return errSession
	case !p.hasClientID || !hasPrefix(p.clientID, r.appPrefixes):
		return errApp
	case !hasPrefix(p.subject, r.userPrefixes):
		return errUser
	}
	return nil
}

// hasPrefix reports whether an id is one of the prefixes and something after it.
func hasPrefix(id []byte, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool {
		return len(id) > len(prefix) && string(id[:len(prefix)]) == prefix
	})
}

// checkClient applies the rules whose result may change from call to call, because a function of
// the caller takes part.
func (r *kindRules) checkClient(id string) error {
	if r.kind == ConnectedApp {
		if _, listed := r.apps[id]; !listed && len(r.apps) > 0 {
			return errApp
		}
		return nil
	}
	if len(id) > len(r.clientPrefix) && strings.HasPrefix(id, r.clientPrefix) {
		return nil
	}
	if isForeign(id) {
		return errSubject
	}
	if _, listed := r.clientIDs[id]; listed || r.clientIDFunc != nil && r.clientIDFunc(id) {
		return nil
	}
	return errClient
}
