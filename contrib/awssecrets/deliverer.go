package awssecrets

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// API is what a [Deliverer] needs of Secrets Manager. *secretsmanager.Client is one.
type API interface {
	DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error)
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
	UpdateSecretVersionStage(context.Context, *secretsmanager.UpdateSecretVersionStageInput, ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error)
	CreateSecret(context.Context, *secretsmanager.CreateSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.CreateSecretOutput, error)
}

var _ API = (*secretsmanager.Client)(nil)

// Deliverer keeps the secrets of clients in AWS Secrets Manager. It is safe for concurrent use.
type Deliverer struct {
	api    API
	name   func(clientID string) string
	create *secretsmanager.CreateSecretInput // nil: never create
}

var (
	_ rotate.Deliverer = (*Deliverer)(nil)
	_ rotate.Reader    = (*Deliverer)(nil)
)

// Option changes what New makes.
type Option func(*Deliverer) error

// WithCreate creates a secret that does not exist when it is first delivered to, instead of failing
// with [ErrMissing]. Of the template the description, KMS key, tags, policies and replicas are
// used; its name, value and token must be left empty.
func WithCreate(template secretsmanager.CreateSecretInput) Option {
	return func(d *Deliverer) error {
		if template.Name != nil || template.SecretString != nil || template.SecretBinary != nil || template.ClientRequestToken != nil {
			return errors.New("awssecrets: WithCreate: name, value and token must be left empty")
		}
		d.create = &template
		return nil
	}
}

// New returns a deliverer that keeps the secret of each client where name says: the name or the ARN
// of a secret in Secrets Manager. name must be safe for concurrent use and always say the same; ""
// refuses a client. New sends no request.
func New(api API, name func(clientID string) string, opts ...Option) (*Deliverer, error) {
	if api == nil || name == nil {
		return nil, errors.New("awssecrets: api and name must not be nil")
	}
	d := &Deliverer{api: api, name: name}
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("awssecrets: nil Option")
		}
		if err := opt(d); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// passes bounds how often a delivery begins anew because somebody else changed the secret in the
// meantime.
const passes = 4

// Deliver implements [rotate.Deliverer]. What is delivered becomes the version AWSCURRENT at once
// or not at all, and keys of others in the JSON object stay. After a crash or a failure the next
// call goes on where that one stopped, and makes no second version. Without a rotation id it stores
// the first secret of a client.
func (d *Deliverer) Deliver(ctx context.Context, want rotate.Delivery) error {
	if want.Secret.IsZero() {
		return errors.New("awssecrets: there is no secret to deliver")
	}
	p, err := d.place(want.ClientID)
	if err != nil {
		return err
	}
	p.hide(want.Secret.Reveal())
	p.hide(want.Previous.Reveal())
	for range passes {
		var done bool
		if done, err = p.pass(ctx, want); done {
			return err
		}
	}
	return err
}

// Read implements [rotate.Reader]: it tells the version AWSCURRENT. A secret that has no value, or
// one without client_secret, holds nothing. One that does not exist is [ErrMissing], unless
// [WithCreate] will create it.
func (d *Deliverer) Read(ctx context.Context, clientID string) (rotate.Delivery, error) {
	p, err := d.place(clientID)
	if err != nil {
		return rotate.Delivery{}, err
	}
	text, err := p.get(ctx, secretsmanager.GetSecretValueInput{VersionStage: aws.String(labelCurrent)})
	if is(err, codeNotFound, codeInvalidRequest) { // which of several reasons it is, only the description tells
		s, descErr := p.describe(ctx)
		switch {
		case descErr != nil:
			return rotate.Delivery{}, descErr
		case !s.exists && d.create == nil:
			return rotate.Delivery{}, p.wrong(ErrMissing, "there is no such secret; create it, or use WithCreate")
		case s.current == "":
			return rotate.Delivery{}, nil
		}
	}
	if err != nil {
		return rotate.Delivery{}, err
	}
	v, err := p.parse(text)
	if err != nil || v.held.Secret.IsZero() {
		return rotate.Delivery{}, err
	}
	return v.held, nil
}

// place is one client's secret during one call.
type place struct {
	api      API
	create   *secretsmanager.CreateSecretInput
	clientID string
	secretID string
	hidden   []string         // texts that no error may hold
	seen     *rotate.Delivery // the credentials that are to be replaced, once they are known
}

func (d *Deliverer) place(clientID string) (*place, error) {
	if clientID == "" {
		return nil, errors.New("awssecrets: the client id is empty")
	}
	secretID := d.name(clientID)
	if secretID == "" {
		return nil, fmt.Errorf("awssecrets: there is no name for the secret of client %.256q", clientID)
	}
	return &place{api: d.api, create: d.create, clientID: clientID, secretID: secretID}, nil
}
