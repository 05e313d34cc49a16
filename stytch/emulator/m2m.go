package emulator

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/stytchkit/m2m/gen/server"
)

const (
	statusActive   = "active"
	statusInactive = "inactive"
)

type m2mClient struct {
	id, name, description, status string
	scopes                        []string
	metadata                      json.RawMessage // a compact object
	secrets                       secretPair
}

func (c *m2mClient) setMetadata(change json.RawMessage) (err error) {
	c.metadata, err = mergeMetadata(c.metadata, change)
	return err
}

func (c *m2mClient) wire(b Behavior) m2mClientWire {
	return m2mClientWire{
		ClientDescription:        c.description,
		ClientID:                 c.id,
		ClientName:               c.name,
		ClientSecretLastFour:     c.secrets.current.lastFour,
		NextClientSecretLastFour: c.secrets.nextLastFour(b),
		Scopes:                   c.scopes,
		Status:                   c.status,
		TrustedMetadata:          c.metadata,
	}
}

func (p *project) m2mAnswer(ctx context.Context, c *m2mClient, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(200, m2mClientAnswer{c.wire(p.behavior), callOf(ctx).requestID, 200}), nil
}

func (p *project) CreateM2MClient(ctx context.Context, _ server.CreateM2MClientRequestObject) (server.CreateM2MClientResponseObject, error) {
	in := callOf(ctx).input(Ignore)
	c := m2mClient{status: statusActive}
	id, _ := get[string](in, "client_id")
	secret, _ := get[string](in, "client_secret")
	name, _ := get[string](in, "client_name")
	description, _ := get[string](in, "client_description")
	scopes, given := in.texts("scopes")
	if !given {
		in.refuse(because("bad_request", "The field scopes is required."))
	}
	if in.err != nil {
		return nil, in.err
	}
	c.name, c.description, c.scopes = orZero(name), orZero(description), scopes
	metadata, ok := in.fields["trusted_metadata"]
	if !ok || isNull(metadata) {
		metadata = json.RawMessage("{}")
	}
	if err := c.setMetadata(metadata); err != nil {
		return nil, err
	}
	created, text, err := p.addM2MClient(c, id, secret)
	if err != nil {
		return nil, err
	}
	w := created.wire(p.behavior)
	w.ClientSecret = text
	return jsonAnswer(p.behavior.CreateStatus, m2mClientAnswer{w, callOf(ctx).requestID, p.behavior.CreateStatus}), nil
}

// addM2MClient checks and stores a client, with an id and a secret of its own where none is given.
func (p *project) addM2MClient(c m2mClient, id, secret *string) (*m2mClient, string, error) {
	c.id = "m2m-client-" + p.env + "-" + newUUID()
	if id != nil {
		c.id = *id
	}
	if !validClientID(c.id) {
		return nil, "", fail("m2m_client_invalid_client_id")
	}
	if err := p.checkM2MClient(c); err != nil {
		return nil, "", err
	}
	text, kept, err := p.chooseSecret(secret)
	if err != nil {
		return nil, "", err
	}
	c.secrets.current = kept
	return &c, text, p.clients.insert(c.id, &c, p.behavior.MaxM2MClients,
		"duplicate_m2m_client_id", "too_many_m2m_clients_for_billing_tier")
}

// checkM2MClient holds the rules that creation and update share.
func (p *project) checkM2MClient(c m2mClient) error {
	if c.status != statusActive && c.status != statusInactive {
		return fail(p.behavior.InvalidStatusType)
	}
	if len(c.scopes) == 0 && p.behavior.EmptyScopes == Refuse {
		return because("bad_request", "The client must have at least one scope.")
	}
	if len(c.scopes) > p.behavior.MaxScopes {
		return fail("too_many_m2m_client_scopes")
	}
	for _, scope := range c.scopes {
		if !validScope(scope) {
			return fail("invalid_m2m_client_scope")
		}
	}
	return nil
}

func (p *project) GetM2MClient(ctx context.Context, r server.GetM2MClientRequestObject) (server.GetM2MClientResponseObject, error) {
	c, err := p.clients.get(r.ClientID)
	return p.m2mAnswer(ctx, c, err)
}

func (p *project) UpdateM2MClient(ctx context.Context, r server.UpdateM2MClientRequestObject) (server.UpdateM2MClientResponseObject, error) {
	in := callOf(ctx).input(p.behavior.NullOnUpdate)
	name, setName := get[string](in, "client_name")
	description, setDescription := get[string](in, "client_description")
	status, _ := get[string](in, "status")
	scopes, setScopes := in.texts("scopes")
	metadata, setMetadata := get[json.RawMessage](in, "trusted_metadata")
	if in.err != nil {
		return nil, in.err
	}
	c, err := p.clients.update(r.ClientID, func(c *m2mClient) error {
		if setName {
			c.name = orZero(name)
		}
		if setDescription {
			c.description = orZero(description)
		}
		if status != nil {
			c.status = *status
		}
		if setScopes {
			c.scopes = scopes
		}
		if setMetadata && metadata == nil {
			c.metadata = json.RawMessage("{}")
		} else if setMetadata {
			if err := c.setMetadata(*metadata); err != nil {
				return err
			}
		}
		if setScopes || status != nil {
			return p.checkM2MClient(*c)
		}
		return nil
	})
	return p.m2mAnswer(ctx, c, err)
}

func (p *project) DeleteM2MClient(ctx context.Context, r server.DeleteM2MClientRequestObject) (server.DeleteM2MClientResponseObject, error) {
	if err := p.clients.remove(r.ClientID); err != nil {
		return nil, err
	}
	return jsonAnswer(200, deleteAnswer{r.ClientID, callOf(ctx).requestID, 200}), nil
}

// validClientID says which ids a caller may choose. The rule is assumed: Stytch publishes none. It leaves out what
// cannot be one segment of a path everywhere, and what would be another operation.
func validClientID(id string) bool {
	if id == "" || len(id) > 256 || id == "." || id == ".." || id == "search" {
		return false
	}
	return strings.TrimSpace(id) == id && !strings.ContainsAny(id, `/\%?#`) && !strings.ContainsFunc(id, isControl)
}

// validScope is the scope-token of RFC 6749, section 3.3; whether Stytch holds to it is assumed.
func validScope(scope string) bool {
	for _, b := range []byte(scope) {
		if b <= ' ' || b > '~' || b == '"' || b == '\\' {
			return false
		}
	}
	return scope != ""
}
