package awssecrets

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/stytchkit/m2m/internal/credentials"
	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// Deliverer stores the secrets of clients in AWS Secrets Manager. It is safe for concurrent use.
type Deliverer struct {
	api  API
	name func(clientID string) string
	settings
}

var (
	_ rotate.Deliverer = (*Deliverer)(nil)
	_ rotate.Reader    = (*Deliverer)(nil)
	_ rotate.Checker   = (*Deliverer)(nil)
)

// Option configures [New].
type Option func(*settings) error

type settings struct {
	create *secretsmanager.CreateSecretInput // nil: never create
}

// WithCreate creates a missing secret on its first delivery, which otherwise fails with
// [ErrMissing]. The description, KMS key, tags, policies and replicas come from the template; its
// name, value and token must be empty.
func WithCreate(template secretsmanager.CreateSecretInput) Option {
	return func(s *settings) error {
		if template.Name != nil || template.SecretString != nil || template.SecretBinary != nil || template.ClientRequestToken != nil {
			return invalid("WithCreate: name, value and token of the template must be empty")
		}
		s.create = &template
		return nil
	}
}

// New returns a deliverer. name returns the name or the ARN of the secret of a client in Secrets
// Manager; "" refuses the client. It must be safe for concurrent use and always return the same for
// the same client. New sends no request. A nil argument or option is [ErrInvalidArgument].
func New(api API, name func(clientID string) string, opts ...Option) (*Deliverer, error) {
	switch {
	case api == nil:
		return nil, invalid("New: api must not be nil")
	case name == nil:
		return nil, invalid("New: name must not be nil")
	}
	d := &Deliverer{api: api, name: name}
	for _, opt := range opts {
		if opt == nil {
			return nil, invalid("New: an option must not be nil")
		}
		if err := opt(&d.settings); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// passes limits how often a delivery starts over because another process changed the secret.
const passes = 4

// Deliver implements [rotate.Deliverer]. The version AWSCURRENT changes at once or not at all, and
// other keys in the JSON object are kept. After a crash or an error the next call continues and
// makes no second version. A delivery without a rotation id stores the first secret of a client.
func (d *Deliverer) Deliver(ctx context.Context, want rotate.Delivery) error {
	p, err := d.place(want.ClientID)
	if err != nil {
		return err
	}
	if want.Secret.IsZero() {
		return invalid("the delivery for client %q has no secret", want.ClientID)
	}
	if _, err := (credentials.Object{}).With(credentialsOf(want)); err != nil {
		return invalid("the delivery for client %q: %w", want.ClientID, err)
	}
	p.redactor = redact.New(want.Secret.Reveal(), want.Previous.Reveal())
	for range passes {
		var done bool
		if done, err = p.pass(ctx, want); done {
			return err
		}
	}
	return err
}

// Read implements [rotate.Reader]: it returns the credentials in the version AWSCURRENT, and none
// if the secret has no value or no client_secret. A missing secret is [ErrMissing], except with
// [WithCreate].
func (d *Deliverer) Read(ctx context.Context, clientID string) (rotate.Delivery, error) {
	p, err := d.place(clientID)
	if err != nil {
		return rotate.Delivery{}, err
	}
	text, err := p.get(ctx, secretsmanager.GetSecretValueInput{VersionStage: aws.String(labelCurrent)})
	if hasCode(err, codeNotFound, codeInvalidRequest) { // only DescribeSecret separates the reasons
		s, describeErr := p.describe(ctx)
		switch {
		case describeErr != nil:
			return rotate.Delivery{}, describeErr
		case !s.exists && d.create == nil:
			return rotate.Delivery{}, p.missing()
		case s.current == "":
			return rotate.Delivery{}, nil
		}
	}
	if err != nil {
		return rotate.Delivery{}, err
	}
	v, err := p.parse(text)
	if err != nil {
		return rotate.Delivery{}, err
	}
	return rotate.Delivery{ClientID: v.held.ClientID, Secret: v.held.Secret, Previous: v.held.Previous}, nil
}

func (d *Deliverer) place(clientID string) (*place, error) {
	if err := project.CheckClientID(clientID); err != nil {
		return nil, invalid("%w", err)
	}
	secretID := d.name(clientID)
	if secretID == "" {
		return nil, invalid("client %q: name returned no name for its secret", clientID)
	}
	return &place{api: d.api, create: d.create, clientID: clientID, secretID: secretID}, nil
}
