package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// An M2MClientSeed is a client that exists from the start. What is left out is chosen as on creation through the API.
// It prints without its secret.
type M2MClientSeed struct {
	ClientID    string
	Secret      string // checked like an imported one
	Name        string
	Description string
	Scopes      []string
	Metadata    map[string]any // anything that encoding/json encodes; json.Number and json.RawMessage keep every digit
	Status      string         // active if empty
}

// A ConnectedAppSeed is a Connected App that exists from the start. What is left out is chosen as on creation through
// the API. It prints without its secret.
type ConnectedAppSeed struct {
	ClientID     string
	Secret       string // of the types first_party and third_party only
	ClientType   string // first_party if empty
	Name         string
	Description  string
	RedirectURLs []string
}

// Format prints the seed without its secret, whatever the verb.
func (s M2MClientSeed) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "M2MClientSeed("+s.ClientID+")")
}

// Format prints the seed without its secret, whatever the verb.
func (s ConnectedAppSeed) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "ConnectedAppSeed("+s.ClientID+")")
}

func (p *project) plant(cfg *config) error {
	for _, b := range cfg.clients {
		for i := range b.n {
			if err := p.plantM2MClient(b.seed(i)); err != nil {
				return invalidArgument("M2M client seed %d: %w", i, err)
			}
		}
	}
	for i, seed := range cfg.apps {
		if err := p.plantConnectedApp(seed); err != nil {
			return invalidArgument("Connected App seed %d: %w", i, err)
		}
	}
	return nil
}

func (p *project) plantM2MClient(seed M2MClientSeed) error {
	c := m2mClient{name: seed.Name, description: seed.Description, status: seed.Status, scopes: append([]string{}, seed.Scopes...)}
	if c.status == "" {
		c.status = statusActive
	}
	metadata, err := json.Marshal(seed.Metadata)
	if err != nil {
		return errors.New("the metadata cannot be encoded")
	}
	if seed.Metadata == nil {
		metadata = []byte("{}")
	}
	if err := c.setMetadata(metadata); err != nil {
		return err
	}
	_, _, err = p.addM2MClient(c, optional(seed.ClientID), optional(seed.Secret))
	return err
}

func (p *project) plantConnectedApp(seed ConnectedAppSeed) error {
	a := connectedApp{
		clientType: seed.ClientType, name: seed.Name, description: seed.Description,
		redirectURLs: append([]string{}, seed.RedirectURLs...), postLogoutURLs: []string{}, expiryMinutes: defaultExpiryMinutes,
	}
	if a.clientType == "" {
		a.clientType = "first_party"
	}
	_, _, err := p.addConnectedApp(a, optional(seed.ClientID), optional(seed.Secret))
	return err
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
