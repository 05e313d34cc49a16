package emulator

import (
	"encoding/json"
	"net/http"

	"github.com/stytchkit/m2m/gen/server"
)

// CreateM2MClient creates a client.
func (s *service) CreateM2MClient(w http.ResponseWriter, r *http.Request) {
	op := operation{id: "CreateM2MClient", body: server.CreateM2MClientRequest{}}
	s.serve(w, r, op, func(x *exchange) (response, error) {
		in := &input{fields: x.fields, null: Ignore}
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
			return response{}, in.err
		}
		c.name, c.description, c.scopes = orZero(name), orZero(description), scopes
		metadata, ok := in.fields["trusted_metadata"]
		if !ok || isNull(metadata) {
			metadata = json.RawMessage("{}")
		}
		if err := c.mergeMetadata(metadata); err != nil {
			return response{}, err
		}
		created, text, err := s.state.addM2MClient(&x.pending, *x.behavior, c, id, secret)
		if err != nil {
			return response{}, err
		}
		x.clientID = created.id
		wire := created.wire(*x.behavior)
		wire.ClientSecret = text
		status := x.behavior.CreateStatus
		return jsonResponse(status, m2mClientResponse{wire, x.requestID, status}), nil
	})
}

// GetM2MClient reads a client.
func (s *service) GetM2MClient(w http.ResponseWriter, r *http.Request, id string) {
	s.serve(w, r, operation{id: "GetM2MClient", subject: id}, func(x *exchange) (response, error) {
		return s.m2mResponse(x)(s.state.clients.get(id))
	})
}

// UpdateM2MClient changes the fields that are present.
func (s *service) UpdateM2MClient(w http.ResponseWriter, r *http.Request, id string) {
	op := operation{id: "UpdateM2MClient", subject: id, body: server.UpdateM2MClientRequest{}}
	s.serve(w, r, op, func(x *exchange) (response, error) {
		in := &input{fields: x.fields, null: x.behavior.NullOnUpdate}
		name, setName := get[string](in, "client_name")
		description, setDescription := get[string](in, "client_description")
		status, _ := get[string](in, "status")
		scopes, setScopes := in.texts("scopes")
		metadata, setMetadata := get[json.RawMessage](in, "trusted_metadata")
		if in.err != nil {
			return response{}, in.err
		}
		return s.m2mResponse(x)(s.state.clients.update(&x.pending, id, func(c *m2mClient) error {
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
				if err := c.mergeMetadata(*metadata); err != nil {
					return err
				}
			}
			if setScopes || status != nil {
				return c.check(*x.behavior)
			}
			return nil
		}))
	})
}

// DeleteM2MClient removes a client.
func (s *service) DeleteM2MClient(w http.ResponseWriter, r *http.Request, id string) {
	s.serve(w, r, operation{id: "DeleteM2MClient", subject: id}, func(x *exchange) (response, error) {
		return deleteResult(x, id, s.state.clients.remove(&x.pending, id))
	})
}

// m2mResponse returns a function that responds with a client, or passes an error on.
func (s *service) m2mResponse(x *exchange) func(*m2mClient, error) (response, error) {
	return func(c *m2mClient, err error) (response, error) {
		if err != nil {
			return response{}, err
		}
		return jsonResponse(200, m2mClientResponse{c.wire(*x.behavior), x.requestID, 200}), nil
	}
}

func deleteResult(x *exchange, id string, err error) (response, error) {
	if err != nil {
		return response{}, err
	}
	return jsonResponse(200, deleteResponse{id, x.requestID, 200}), nil
}
