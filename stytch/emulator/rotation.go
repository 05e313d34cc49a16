package emulator

import (
	"net/http"

	"github.com/stytchkit/m2m/gen/server"
)

// rotationStep describes an operation that changes the secrets of a client or an app. Real clients
// send an empty body, {} or the client id.
func rotationStep(id, subject string) operation {
	return operation{id: id, subject: subject, body: server.SecretRotationRequest{}, bodyOptional: func(Behavior) bool { return true }}
}

// StartM2MClientSecretRotation adds a next secret.
func (s *service) StartM2MClientSecretRotation(w http.ResponseWriter, r *http.Request, id string) {
	s.serve(w, r, rotationStep("StartM2MClientSecretRotation", id), func(x *exchange) (response, error) {
		text, next := x.behavior.generateSecret()
		c, err := s.state.clients.update(&x.pending, id, func(c *m2mClient) error {
			return c.secrets.start(*x.behavior, next, "m2m_client_already_rotating_secret")
		})
		if err != nil {
			return response{}, err
		}
		wire := c.wire(*x.behavior)
		wire.NextClientSecret = text
		return jsonResponse(200, m2mClientResponse{wire, x.requestID, 200}), nil
	})
}

// CancelM2MClientSecretRotation drops the next secret.
func (s *service) CancelM2MClientSecretRotation(w http.ResponseWriter, r *http.Request, id string) {
	s.serve(w, r, rotationStep("CancelM2MClientSecretRotation", id), func(x *exchange) (response, error) {
		return s.m2mResponse(x)(s.state.clients.update(&x.pending, id, func(c *m2mClient) error {
			return c.secrets.cancel(*x.behavior, "m2m_client_not_rotating_secret")
		}))
	})
}

// CompleteM2MClientSecretRotation replaces the current secret with the next one.
func (s *service) CompleteM2MClientSecretRotation(w http.ResponseWriter, r *http.Request, id string) {
	s.serve(w, r, rotationStep("CompleteM2MClientSecretRotation", id), func(x *exchange) (response, error) {
		return s.m2mResponse(x)(s.state.clients.update(&x.pending, id, func(c *m2mClient) error {
			return c.secrets.complete(*x.behavior, "m2m_client_not_rotating_secret")
		}))
	})
}

// StartConnectedAppSecretRotation adds a next secret.
func (s *service) StartConnectedAppSecretRotation(w http.ResponseWriter, r *http.Request, id string) {
	s.serve(w, r, rotationStep("StartConnectedAppSecretRotation", id), func(x *exchange) (response, error) {
		text, next := x.behavior.generateSecret()
		a, err := s.updateSecrets(x, id, func(p *secretPair) error {
			return p.start(*x.behavior, next, "connected_app_already_rotating_secret")
		})
		if err != nil {
			return response{}, err
		}
		wire := a.wire(*x.behavior)
		wire.NextClientSecret = text
		return jsonResponse(200, connectedAppResponse{wire, x.requestID, 200}), nil
	})
}

// CancelConnectedAppSecretRotation drops the next secret.
func (s *service) CancelConnectedAppSecretRotation(w http.ResponseWriter, r *http.Request, id string) {
	s.serve(w, r, rotationStep("CancelConnectedAppSecretRotation", id), func(x *exchange) (response, error) {
		return s.appResponse(x)(s.updateSecrets(x, id, func(p *secretPair) error {
			return p.cancel(*x.behavior, "connected_app_not_rotating_secret")
		}))
	})
}

// CompleteConnectedAppSecretRotation replaces the current secret with the next one.
func (s *service) CompleteConnectedAppSecretRotation(w http.ResponseWriter, r *http.Request, id string) {
	s.serve(w, r, rotationStep("CompleteConnectedAppSecretRotation", id), func(x *exchange) (response, error) {
		return s.appResponse(x)(s.updateSecrets(x, id, func(p *secretPair) error {
			return p.complete(*x.behavior, "connected_app_not_rotating_secret")
		}))
	})
}

// updateSecrets changes the secrets of an app, which must not be public.
func (s *service) updateSecrets(x *exchange, id string, change func(*secretPair) error) (*connectedApp, error) {
	return s.state.apps.update(&x.pending, id, func(a *connectedApp) error {
		if a.public() {
			return fail("public_connected_apps_do_not_have_secrets")
		}
		return change(&a.secrets)
	})
}
