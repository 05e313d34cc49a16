package stytch

import (
	"context"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch/secret"
)

// Secrets rotates the secrets of one family of clients: M2M clients or confidential Connected Apps. The methods are the bare
// steps, of which Start, Complete and Cancel are never repeated after a lost answer, which is [ErrOutcomeUnknown]. Package
// rotate makes a whole rotation of them. It is safe for concurrent use.
type Secrets struct{ family secretFamily }

// secretFamily is what differs between the families: the operations and the shape of their answers.
type secretFamily interface {
	start(ctx context.Context, id string) (next secret.String, err error)
	complete(ctx context.Context, id string) error
	cancel(ctx context.Context, id string) error
	lastFour(ctx context.Context, id string) (secret.LastFour, error)
	probe(ctx context.Context, id string, value secret.String) (accepted bool, err error)
}

// Start makes a second secret and returns it. Store it before anything else: it is never shown again. From now on both
// secrets are accepted. A client that is rotating already is [ErrRotating]; a public Connected App is [ErrNoSecret].
func (s *Secrets) Start(ctx context.Context, clientID string) (next secret.String, err error) {
	return s.family.start(ctx, clientID)
}

// Complete makes the next secret the current one. The former is refused at once. A client that is not rotating is [ErrNotRotating].
func (s *Secrets) Complete(ctx context.Context, clientID string) error {
	return s.family.complete(ctx, clientID)
}

// Cancel drops the next secret, which is refused from now on. A client that is not rotating is [ErrNotRotating].
func (s *Secrets) Cancel(ctx context.Context, clientID string) error {
	return s.family.cancel(ctx, clientID)
}

// LastFour reads the last four characters of the secrets. Those of the next one are "" unless a rotation is in progress.
func (s *Secrets) LastFour(ctx context.Context, clientID string) (secret.LastFour, error) {
	return s.family.lastFour(ctx, clientID)
}

type m2mSecrets struct{ client *Client }

func (f m2mSecrets) start(ctx context.Context, id string) (secret.String, error) {
	if err := checkClientID(operation.StartM2MClientSecretRotation, id); err != nil {
		return secret.String{}, err
	}
	a, err := asAnswer(f.client.raw.StartM2MClientSecretRotation(ctx, id, gen.SecretRotationRequest{}))
	if err != nil {
		return secret.String{}, err
	}
	out, err := decodeSecret(a, func(out *gen.StartM2MClientSecretRotationResponse) bool {
		return !out.M2MClient.NextClientSecret.IsZero()
	})
	if err != nil {
		return secret.String{}, err
	}
	return out.M2MClient.NextClientSecret, nil
}

func (f m2mSecrets) complete(ctx context.Context, id string) error {
	if err := checkClientID(operation.CompleteM2MClientSecretRotation, id); err != nil {
		return err
	}
	_, err := decode[gen.CompleteM2MClientSecretRotationResponse](f.client.raw.CompleteM2MClientSecretRotation(ctx, id, gen.SecretRotationRequest{}))
	return err
}

func (f m2mSecrets) cancel(ctx context.Context, id string) error {
	if err := checkClientID(operation.CancelM2MClientSecretRotation, id); err != nil {
		return err
	}
	_, err := decode[gen.CancelM2MClientSecretRotationResponse](f.client.raw.CancelM2MClientSecretRotation(ctx, id, gen.SecretRotationRequest{}))
	return err
}

func (f m2mSecrets) lastFour(ctx context.Context, id string) (secret.LastFour, error) {
	client, err := f.client.M2M.Get(ctx, id)
	if err != nil {
		return secret.LastFour{}, err
	}
	return secret.LastFour{Current: client.ClientSecretLastFour, Next: text(client.NextClientSecretLastFour)}, nil
}

type connectedAppSecrets struct{ client *Client }

func (f connectedAppSecrets) start(ctx context.Context, id string) (secret.String, error) {
	if err := checkClientID(operation.StartConnectedAppSecretRotation, id); err != nil {
		return secret.String{}, err
	}
	a, err := asAnswer(f.client.raw.StartConnectedAppSecretRotation(ctx, id, gen.SecretRotationRequest{}))
	if err != nil {
		return secret.String{}, err
	}
	out, err := decodeSecret(a, func(out *gen.StartConnectedAppSecretRotationResponse) bool {
		return !out.ConnectedApp.NextClientSecret.IsZero()
	})
	if err != nil {
		return secret.String{}, err
	}
	return out.ConnectedApp.NextClientSecret, nil
}

func (f connectedAppSecrets) complete(ctx context.Context, id string) error {
	if err := checkClientID(operation.CompleteConnectedAppSecretRotation, id); err != nil {
		return err
	}
	_, err := decode[gen.CompleteConnectedAppSecretRotationResponse](f.client.raw.CompleteConnectedAppSecretRotation(ctx, id, gen.SecretRotationRequest{}))
	return err
}

func (f connectedAppSecrets) cancel(ctx context.Context, id string) error {
	if err := checkClientID(operation.CancelConnectedAppSecretRotation, id); err != nil {
		return err
	}
	_, err := decode[gen.CancelConnectedAppSecretRotationResponse](f.client.raw.CancelConnectedAppSecretRotation(ctx, id, gen.SecretRotationRequest{}))
	return err
}

func (f connectedAppSecrets) lastFour(ctx context.Context, id string) (secret.LastFour, error) {
	app, err := f.client.ConnectedApps.Get(ctx, id)
	if err != nil {
		return secret.LastFour{}, err
	}
	return secret.LastFour{Current: text(app.ClientSecretLastFour), Next: text(app.NextClientSecretLastFour)}, nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
