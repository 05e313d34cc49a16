package awssecrets

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/stytchkit/m2m/internal/redact"
)

// labelCheck is a staging label that no version has. Requests of a check that Secrets Manager
// should ignore, or refuse as needless, are about this label alone.
const labelCheck = "stytch-m2m-check"

// Check implements [rotate.Checker]: the secret can be read, no other rotation of it is in
// progress, and the permissions to write it are there. It repeats the current version, which
// Secrets Manager ignores, and removes a label that is not there. For a secret that does not exist
// yet, with [WithCreate], only reading is checked.
func (d *Deliverer) Check(ctx context.Context, clientID string) error {
	p, err := d.place(clientID)
	if err != nil {
		return err
	}
	p.redactor = redact.New()
	s, err := p.describe(ctx)
	switch {
	case err != nil:
		return err
	case !s.exists && d.create == nil:
		return p.missing()
	case p.foreign(s):
		return p.pending(s)
	case s.current == "":
		return nil
	}
	text, err := p.get(ctx, secretsmanager.GetSecretValueInput{VersionId: aws.String(s.current)})
	if err == nil {
		_, err = p.parse(text)
	}
	if err != nil {
		return err
	}
	_, err = p.api.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(p.secretID), ClientRequestToken: aws.String(s.current), SecretString: aws.String(text),
		VersionStages: []string{labelCheck},
	}, noBodies)
	if err := p.callFailed("PutSecretValue", err); err != nil {
		return err
	}
	done, err := p.relabel(ctx, secretsmanager.UpdateSecretVersionStageInput{
		VersionStage: aws.String(labelCheck), RemoveFromVersionId: aws.String(s.current),
	})
	if !done { // refused as needless
		return nil
	}
	return err
}
