package emulator

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/stytchkit/m2m/internal/project"
)

// A state is one project in memory: what the operations read and change. It knows nothing of HTTP.
type state struct {
	id       string
	env      string // test or live
	secret   [sha256.Size]byte
	reveal   func() string // a closure, so that no way of printing the state shows the secret
	issuer   string
	clock    func() time.Time
	strict   bool
	noTotals bool
	template template

	clients table[m2mClient]
	apps    table[connectedApp]
	keys    keyring
	minted  counter
	revoked revocations

	registering sync.Mutex // orders the registrations of apps, so that equal ones find each other

	switches switches
	store    *store // nil if the state is in memory only
}

// newState returns an empty project.
func newState(id, secret string, clock func() time.Time) *state {
	s := &state{
		id: id, env: project.Environment(id), secret: sha256.Sum256([]byte(secret)), reveal: func() string { return secret },
		issuer: "stytch.com/" + id, clock: clock,
		clients: newTable("m2m_client_not_found", "an M2M client", kindClient, encodeClient),
		apps:    newTable("connected_app_not_found", "a Connected App", kindApp, encodeApp),
	}
	s.keys.env, s.keys.clock = s.env, clock
	return s
}

// attach passes all further changes to a store.
func (s *state) attach(to *store) {
	s.store, s.clients.store, s.apps.store, s.keys.store, s.minted.store, s.revoked.store, s.switches.store = to, to, to, to, to, to, to
}

// addM2MClient checks and stores a client. A nil id or secret is generated. It returns the secret
// in plain text.
func (s *state) addM2MClient(p *pending, b Behavior, c m2mClient, id, secret *string) (*m2mClient, string, error) {
	c.id = "m2m-client-" + s.env + "-" + newUUID()
	if id != nil {
		c.id = *id
	}
	if !validClientID(c.id) {
		return nil, "", fail("m2m_client_invalid_client_id").
			why("the client_id must have 1 to 256 bytes, none of / \\ %% ? # or control characters, no space around it, and must not be \".\", \"..\" or \"search\"")
	}
	if err := c.check(b); err != nil {
		return nil, "", err
	}
	text, stored, err := b.generateOrImport(secret)
	if err != nil {
		return nil, "", err
	}
	c.secrets.current = stored
	return &c, text, s.clients.insert(p, c.id, &c, b.MaxM2MClients,
		"duplicate_m2m_client_id", "too_many_m2m_clients_for_billing_tier")
}

// addConnectedApp checks and stores an app. Only seeds choose the id and the secret; nil generates
// them. It returns the secret in plain text, "" for a public app.
func (s *state) addConnectedApp(p *pending, b Behavior, a connectedApp, id, secret *string) (*connectedApp, string, error) {
	a.id = "connected-app-" + s.env + "-" + newUUID()
	if id != nil {
		a.id = *id
	}
	if !validClientType(a.clientType) {
		return nil, "", fail("invalid_connected_app_type")
	}
	if err := a.check(s.env, b); err != nil {
		return nil, "", err
	}
	if a.public() && secret != nil {
		return nil, "", fail("public_connected_apps_do_not_have_secrets")
	}
	text := ""
	if !a.public() {
		var err error
		if text, a.secrets.current, err = b.generateOrImport(secret); err != nil {
			return nil, "", err
		}
	}
	return &a, text, s.apps.insert(p, a.id, &a, b.MaxConnectedApps, "bad_request", "too_many_connected_apps")
}
