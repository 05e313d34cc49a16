package verify

import (
	"slices"
	"strings"

	"github.com/stytchkit/m2m/internal/project"
)

// Stytch signs the tokens of sessions, of Connected Apps and of M2M clients with the same keys, and
// gives them the same issuer and audience. Their claims and the form of their ids distinguish them:
// a token of a session has a claim in the name of Stytch, one of a Connected App has a client_id
// that is not its subject, and the subject of both is the id of a user or member.

// kindRules decide which kind of token and which clients are accepted.
type kindRules struct {
	kind         Kind
	apps         map[string]struct{}
	clientIDs    map[string]struct{}
	clientIDFunc func(string) bool
	documents    bool // accept Connected Apps whose id is a URL
	documentIDs  map[string]struct{}
	clientPrefix string // of the ids that Stytch makes for M2M clients of the project's environment
	appPrefixes  []string
	userPrefixes []string
}

func newKindRules(projectID string, s *settings) kindRules {
	environment := project.Environment(projectID) + "-"
	return kindRules{
		kind: s.kind, apps: s.apps, clientIDs: s.clientIDs, clientIDFunc: s.clientIDFunc,
		documents: s.documents, documentIDs: s.documentIDs,
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
	case hasPrefix(p.subject, r.clientPrefix):
		return nil
	}
	return r.checkImported(string(p.subject))
}

// checkImported judges the id of an M2M client that Stytch did not make. The function of the caller
// is not asked here, because its result may change.
func (r *kindRules) checkImported(id string) error {
	_, listed := r.clientIDs[id]
	switch {
	case project.CheckClientID(id) != nil, isForeign(id):
		return errSubject
	case listed, r.clientIDFunc != nil:
		return nil
	case len(r.clientIDs) > 0, looksMade(id):
		return errClient
	}
	return nil
}

func (r *kindRules) checkApp(p *payload) error {
	switch {
	case p.session:
		return errSession
	case !p.hasClientID || !r.isApp(p.clientID):
		return errApp
	case !hasPrefix(p.subject, r.userPrefixes...):
		return errUser
	}
	return nil
}

// isApp reports whether a client id is that of an accepted Connected App.
func (r *kindRules) isApp(id []byte) bool {
	accepted := r.apps
	if r.documents && isDocumentURL(string(id)) {
		accepted = r.documentIDs
	} else if !hasPrefix(id, r.appPrefixes...) {
		return false
	}
	_, listed := accepted[string(id)]
	return listed || len(accepted) == 0
}

// isDocumentURL reports whether an id is the address of a client ID metadata document
// (draft-ietf-oauth-client-id-metadata-document, section 3).
func isDocumentURL(id string) bool {
	u, err := project.ParseURL(id)
	return err == nil && strings.HasPrefix(id, "https://") && isScope(id) && strings.Trim(u.Path, "/") != "" && project.CheckClientID(id) == nil
}

// hasPrefix reports whether an id is one of the prefixes and something after it.
func hasPrefix(id []byte, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool {
		return len(id) > len(prefix) && string(id[:len(prefix)]) == prefix
	})
}

// checkClient applies the one rule whose result may change from call to call: the function of the
// caller.
func (r *kindRules) checkClient(id string) error {
	if r.clientIDFunc == nil || strings.HasPrefix(id, r.clientPrefix) && len(id) > len(r.clientPrefix) {
		return nil
	}
	if _, listed := r.clientIDs[id]; listed || r.clientIDFunc(id) {
		return nil
	}
	return errClient
}
