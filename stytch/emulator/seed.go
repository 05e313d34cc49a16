package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// An M2MClientSeed describes an M2M client that exists from the start. Empty fields get the values
// that creation through the API would give them. It prints without its secret.
type M2MClientSeed struct {
	ClientID    string
	Secret      string // checked like a secret that is imported through the API
	Name        string
	Description string
	Scopes      []string
	Metadata    map[string]any // encoded with encoding/json; json.Number and json.RawMessage keep every digit
	Status      string         // "active" (default) or "inactive"
}

// A ConnectedAppSeed describes a Connected App that exists from the start. Empty fields get the
// values that creation through the API would give them. It prints without its secret.
type ConnectedAppSeed struct {
	ClientID     string // the address of a Client ID Metadata Document for an app that registered by one
	Secret       string // only for the types first_party and third_party
	ClientType   string // "first_party" by default
	Name         string
	Description  string
	RedirectURLs []string
}

// Format prints the seed without its secret, for every verb.
func (seed M2MClientSeed) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "M2MClientSeed("+seed.ClientID+")")
}

// Format prints the seed without its secret, for every verb.
func (seed ConnectedAppSeed) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "ConnectedAppSeed("+seed.ClientID+")")
}

func (seed M2MClientSeed) addTo(s *state, b Behavior) error {
	c := m2mClient{name: seed.Name, description: seed.Description, status: seed.Status, scopes: append([]string{}, seed.Scopes...)}
	if c.status == "" {
		c.status = statusActive
	}
	metadata, err := json.Marshal(seed.Metadata)
	if err != nil {
		return errors.New("the metadata cannot be encoded as JSON")
	}
	if seed.Metadata == nil {
		metadata = []byte("{}")
	}
	if err := c.mergeMetadata(metadata); err != nil {
		return err
	}
	_, _, err = s.addM2MClient(new(pending), b, c, optional(seed.ClientID), optional(seed.Secret))
	return err
}

func (seed ConnectedAppSeed) addTo(s *state, b Behavior) error {
	a := connectedApp{
		clientType: seed.ClientType, name: seed.Name, description: seed.Description,
		redirectURLs: append([]string{}, seed.RedirectURLs...), postLogoutURLs: []string{}, expiryMinutes: defaultExpiryMinutes,
	}
	if a.clientType == "" {
		a.clientType = "first_party"
	}
	_, _, err := s.addConnectedApp(new(pending), b, a, optional(seed.ClientID), optional(seed.Secret))
	return err
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
