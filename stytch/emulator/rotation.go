package emulator

import (
	"context"

	"github.com/stytchkit/m2m/gen/server"
)

// The rules of a rotation are the same for both families; only the names of the errors differ.

func (b Behavior) start(s *secretPair, next *clientSecret, already string) error {
	if s.next != nil && b.StartWhileRotating == Refuse {
		return fail(already)
	}
	s.next = next
	return nil
}

func (b Behavior) cancel(s *secretPair, idle string) error {
	if s.next == nil && b.FinishWhileIdle == Refuse {
		return fail(idle)
	}
	s.next = nil
	return nil
}

func (b Behavior) complete(s *secretPair, idle string) error {
	if s.next == nil {
		return b.cancel(s, idle)
	}
	s.current, s.next = s.next, nil
	return nil
}

func (p *project) StartM2MClientSecretRotation(ctx context.Context, r server.StartM2MClientSecretRotationRequestObject) (server.StartM2MClientSecretRotationResponseObject, error) {
	text, next := p.generateSecret()
	c, err := p.clients.update(r.ClientID, func(c *m2mClient) error {
		return p.behavior.start(&c.secrets, next, "m2m_client_already_rotating_secret")
	})
	if err != nil {
		return nil, err
	}
	w := c.wire(p.behavior)
	w.NextClientSecret = text
	return jsonAnswer(200, m2mClientAnswer{w, callOf(ctx).requestID, 200}), nil
}

func (p *project) CancelM2MClientSecretRotation(ctx context.Context, r server.CancelM2MClientSecretRotationRequestObject) (server.CancelM2MClientSecretRotationResponseObject, error) {
	c, err := p.clients.update(r.ClientID, func(c *m2mClient) error {
		return p.behavior.cancel(&c.secrets, "m2m_client_not_rotating_secret")
	})
	return p.m2mAnswer(ctx, c, err)
}

func (p *project) CompleteM2MClientSecretRotation(ctx context.Context, r server.CompleteM2MClientSecretRotationRequestObject) (server.CompleteM2MClientSecretRotationResponseObject, error) {
	c, err := p.clients.update(r.ClientID, func(c *m2mClient) error {
		return p.behavior.complete(&c.secrets, "m2m_client_not_rotating_secret")
	})
	return p.m2mAnswer(ctx, c, err)
}

func (p *project) StartConnectedAppSecretRotation(ctx context.Context, r server.StartConnectedAppSecretRotationRequestObject) (server.StartConnectedAppSecretRotationResponseObject, error) {
	text, next := p.generateSecret()
	a, err := p.apps.update(r.ClientID, confidential(func(s *secretPair) error {
		return p.behavior.start(s, next, "connected_app_already_rotating_secret")
	}))
	if err != nil {
		return nil, err
	}
	w := a.wire(p.behavior)
	w.NextClientSecret = text
	return jsonAnswer(200, connectedAppAnswer{w, callOf(ctx).requestID, 200}), nil
}

func (p *project) CancelConnectedAppSecretRotation(ctx context.Context, r server.CancelConnectedAppSecretRotationRequestObject) (server.CancelConnectedAppSecretRotationResponseObject, error) {
	a, err := p.apps.update(r.ClientID, confidential(func(s *secretPair) error {
		return p.behavior.cancel(s, "connected_app_not_rotating_secret")
	}))
	return p.appAnswer(ctx, a, err)
}

func (p *project) CompleteConnectedAppSecretRotation(ctx context.Context, r server.CompleteConnectedAppSecretRotationRequestObject) (server.CompleteConnectedAppSecretRotationResponseObject, error) {
	a, err := p.apps.update(r.ClientID, confidential(func(s *secretPair) error {
		return p.behavior.complete(s, "connected_app_not_rotating_secret")
	}))
	return p.appAnswer(ctx, a, err)
}

func confidential(rotate func(*secretPair) error) func(*connectedApp) error {
	return func(a *connectedApp) error {
		if a.public() {
			return fail("public_connected_apps_do_not_have_secrets")
		}
		return rotate(&a.secrets)
	}
}
