package emulator

import (
	"crypto/rsa"
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
	behavior Behavior
	strict   bool
	noTotals bool
	template template

	clients table[m2mClient]
	apps    table[connectedApp]
	keys    keyring
	minted  counter
}

// newState returns an empty project. The behavior has its defaults filled in; key may be nil.
func newState(id, secret string, behavior Behavior, key *rsa.PrivateKey) *state {
	s := &state{
		id: id, env: project.Environment(id), secret: sha256.Sum256([]byte(secret)), reveal: func() string { return secret },
		issuer: "stytch.com/" + id, clock: time.Now, behavior: behavior,
		clients: newTable[m2mClient]("m2m_client_not_found"),
		apps:    newTable[connectedApp]("connected_app_not_found"),
	}
	s.keys.env = s.env
	if key != nil {
		s.keys.add(key)
	}
	return s
}

// addM2MClient checks and stores a client. A nil id or secret is generated. It returns the secret
// in plain text.
func (s *state) addM2MClient(c m2mClient, id, secret *string) (*m2mClient, string, error) {
	c.id = "m2m-client-" + s.env + "-" + newUUID()
	if id != nil {
		c.id = *id
	}
	if !validClientID(c.id) {
		return nil, "", fail("m2m_client_invalid_client_id")
	}
	if err := c.check(s.behavior); err != nil {
		return nil, "", err
	}
	text, stored, err := s.behavior.generateOrImport(secret)
	if err != nil {
		return nil, "", err
	}
	c.secrets.current = stored
	return &c, text, s.clients.insert(c.id, &c, s.behavior.MaxM2MClients,
		"duplicate_m2m_client_id", "too_many_m2m_clients_for_billing_tier")
}

// addConnectedApp checks and stores an app. Only seeds choose the id and the secret; nil generates
// them. It returns the secret in plain text, "" for a public app.
func (s *state) addConnectedApp(a connectedApp, id, secret *string) (*connectedApp, string, error) {
	a.id = "connected-app-" + s.env + "-" + newUUID()
	if id != nil {
		a.id = *id
	}
	switch a.clientType {
	case "first_party", "first_party_public", "third_party", "third_party_public":
	default:
		return nil, "", fail("invalid_connected_app_type")
	}
	if err := a.check(s.env, s.behavior); err != nil {
		return nil, "", err
	}
	if a.public() && secret != nil {
		return nil, "", fail("public_connected_apps_do_not_have_secrets")
	}
	text := ""
	if !a.public() {
		var err error
		if text, a.secrets.current, err = s.behavior.generateOrImport(secret); err != nil {
			return nil, "", err
		}
	}
	return &a, text, s.apps.insert(a.id, &a, s.behavior.MaxConnectedApps, "bad_request", "too_many_connected_apps")
}

// A counter counts by name.
type counter struct {
	mu     sync.Mutex
	total  int
	byName map[string]int
}

func (c *counter) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byName == nil {
		c.byName = map[string]int{}
	}
	c.total++
	c.byName[name]++
}

// count returns the count of a name, or of all names for "".
func (c *counter) count(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if name == "" {
		return c.total
	}
	return c.byName[name]
}
