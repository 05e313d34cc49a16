package emulator

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"time"

	"github.com/stytchkit/m2m/gen/server"
)

// A project is what the operations of the contract work on. If this line does not compile, the contract has gained or
// changed an operation: serve it beside its relatives, and give answer.go the method for its response.
var _ server.StrictServerInterface = (*project)(nil)

type project struct {
	id       string
	env      string // test or live
	secret   [sha256.Size]byte
	reveal   func() string // a closure, so that no way of printing the project shows its secret
	issuer   string
	clock    func() time.Time
	behavior Behavior
	strict   bool
	noTotals bool

	clients table[m2mClient]
	apps    table[connectedApp]
	keys    keyring
	minted  counter
}

func newProject(cfg *config) (*project, error) {
	id, secret := cfg.projectID, cfg.secret
	if id == "" {
		id, secret = "project-test-"+newUUID(), "secret-test-"+newSecretText(36)
	}
	behavior, err := cfg.behavior.filled()
	if err != nil {
		return nil, err
	}
	p := &project{
		id: id, env: environment(id), secret: sha256.Sum256([]byte(secret)), reveal: func() string { return secret },
		issuer: cfg.issuer, clock: cfg.clock, behavior: behavior, strict: cfg.strict, noTotals: cfg.noTotals,
		clients: newTable[m2mClient]("m2m_client_not_found"),
		apps:    newTable[connectedApp]("connected_app_not_found"),
	}
	if p.issuer == "" {
		p.issuer = "stytch.com/" + id
	}
	p.keys.env = p.env
	if cfg.signingKey != nil {
		p.keys.add(cfg.signingKey)
	}
	return p, p.plant(cfg)
}

func environment(projectID string) string {
	if strings.HasPrefix(projectID, "project-live-") {
		return "live"
	}
	return "test"
}

// newUUID returns a random UUID (version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0F|0x40, b[8]&0x3F|0x80
	return formatUUID(b)
}

func formatUUID(b [16]byte) string {
	var text [36]byte
	hex.Encode(text[:], b[:4])
	hex.Encode(text[9:], b[4:6])
	hex.Encode(text[14:], b[6:8])
	hex.Encode(text[19:], b[8:10])
	hex.Encode(text[24:], b[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
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

func (c *counter) count(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if name == "" {
		return c.total
	}
	return c.byName[name]
}
