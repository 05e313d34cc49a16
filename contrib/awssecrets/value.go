package awssecrets

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/stytchkit/m2m/internal/credentials"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// value is the content of a version: the credentials, and what else its owner keeps there. The zero
// value is that of no version.
type value struct {
	held   credentials.Credentials
	object credentials.Object
}

// credentialsOf is what a value must hold after d.
func credentialsOf(d rotate.Delivery) credentials.Credentials {
	return credentials.Credentials{ClientID: d.ClientID, Secret: d.Secret, Previous: d.Previous}
}

// get reads a version, by its id or a label.
func (p *place) get(ctx context.Context, in secretsmanager.GetSecretValueInput) (string, error) {
	in.SecretId = aws.String(p.secretID)
	out, err := p.api.GetSecretValue(ctx, &in, noBodies)
	if err != nil {
		return "", p.callFailed("GetSecretValue", err)
	}
	if !named(out.ARN, out.Name) || aws.ToString(out.VersionId) == "" {
		return "", p.nonsense("GetSecretValue")
	}
	if out.SecretString == nil {
		return "", p.fault(ErrValue, "the value is binary: replace it by a JSON object")
	}
	return *out.SecretString, nil
}

// value reads a version; "" is no version.
func (p *place) value(ctx context.Context, id string) (value, error) {
	if id == "" {
		return value{}, nil
	}
	text, err := p.get(ctx, secretsmanager.GetSecretValueInput{VersionId: aws.String(id)})
	if err != nil {
		return value{}, err
	}
	return p.parse(text)
}

// parse also redacts what it read from later errors.
func (p *place) parse(text string) (value, error) {
	object, err := credentials.Parse([]byte(text))
	if err != nil {
		return value{}, p.fault(ErrValue, "the value is %w", err)
	}
	p.redactor = p.redactor.With(object.Values()...)
	held, err := object.For(p.clientID)
	if err != nil {
		return value{}, p.fault(ErrValue, "%w", err)
	}
	return value{held, object}, nil
}

// with is the text of v with the credentials of d. The same v and d always give the same text.
func (v value) with(d rotate.Delivery) (string, error) {
	object, err := v.object.With(credentialsOf(d))
	return string(object.Bytes()), err
}
