package awssecrets

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/stytchkit/m2m/internal/credentials"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// pass reads the secret and does what is missing. It is not done if another process changed, or may
// have changed, the secret meanwhile, or if the result must be read again; err is the reason.
//
// The order matters. Readers use AWSCURRENT, so it moves only to a version that was read back, and
// only from the version whose other keys were copied. AWSPENDING goes last, so that a crash leaves
// a trace.
func (p *place) pass(ctx context.Context, want rotate.Delivery) (done bool, err error) {
	s, err := p.describe(ctx)
	if err != nil {
		return true, err
	}
	if !s.exists {
		return p.createSecret(ctx, want)
	}
	v, err := p.value(ctx, s.current)
	if err != nil {
		return true, err
	}
	if v.object.Holds(credentialsOf(want)) {
		return p.unstage(ctx, s.pending)
	}
	switch {
	case p.foreign(s):
		return true, p.pending(s)
	case p.replaced != nil && !v.held.Equal(*p.replaced):
		return true, p.fault(ErrPending, "another process delivered other credentials meanwhile: stop one of the two")
	}
	p.replaced = &v.held
	text, err := v.with(want)
	if err != nil {
		return true, p.fault(ErrInvalidArgument, "%w", err)
	}
	staged, pending, err := p.stage(ctx, want, s, text)
	switch {
	case err != nil:
		return true, err
	case s.current == "":
		// Secrets Manager makes the first version of a secret current.
		return false, p.fault(ErrValue, "its first version did not become current: deliver again")
	}
	if done, err := p.move(ctx, staged, s.current); err != nil {
		return done, err
	}
	if !pending {
		staged = s.pending // a version that was made earlier
	}
	return p.unstage(ctx, staged)
}

// pending is the error of a version that something else is preparing.
func (p *place) pending(s secretState) error {
	return p.fault(ErrPending, "version %.64q has the label AWSPENDING: wait for that rotation to end, or remove the label if it was abandoned", s.pending)
}

// createSecret is not done when it succeeds: the next pass reads the secret back.
func (p *place) createSecret(ctx context.Context, want rotate.Delivery) (done bool, err error) {
	switch {
	case p.create == nil:
		return true, p.missing()
	case strings.HasPrefix(p.secretID, "arn:"):
		return true, p.fault(ErrMissing, "it does not exist and cannot be created under an ARN: return its name instead")
	}
	text, err := value{}.with(want)
	if err != nil {
		return true, p.fault(ErrInvalidArgument, "%w", err)
	}
	p.replaced = &credentials.Credentials{}
	in := *p.create
	in.Name, in.SecretString = aws.String(p.secretID), aws.String(text)
	in.ClientRequestToken = aws.String(versionID(want, "", 0))
	out, err := p.api.CreateSecret(ctx, &in, noBodies)
	if err == nil {
		if aws.ToString(out.VersionId) != *in.ClientRequestToken {
			return true, p.nonsense("CreateSecret")
		}
		return false, p.fault(ErrMissing, "it was created but cannot be found: deliver again")
	}
	err = p.callFailed("CreateSecret", err)
	return !hasCode(err, codeExists), err // another process created it first
}

// maxVersions limits how many values one rotation may deliver on top of one version. It needs more
// than one only if the next secret was replaced by another before its version became current.
const maxVersions = 16

// stage makes a version with this text that is not yet current, or finds the one that was made
// before a crash. It reports whether the version has the label AWSPENDING.
func (p *place) stage(ctx context.Context, want rotate.Delivery, s secretState, text string) (id string, pending bool, err error) {
	for n := range maxVersions {
		id = versionID(want, s.current, n)
		labels, exists := s.labels[id]
		if !exists {
			// The token is the id of the version. Repeating the same value is harmless; another is
			// refused.
			out, err := p.api.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
				SecretId: aws.String(p.secretID), ClientRequestToken: aws.String(id), SecretString: aws.String(text),
				VersionStages: []string{labelPending},
			}, noBodies)
			if err = p.callFailed("PutSecretValue", err); hasCode(err, codeExists) {
				continue
			} else if err != nil {
				return "", false, err
			}
			if aws.ToString(out.VersionId) != id {
				return "", false, p.nonsense("PutSecretValue")
			}
			labels = out.VersionStages
		}
		stored, err := p.get(ctx, secretsmanager.GetSecretValueInput{VersionId: aws.String(id)})
		switch {
		case err != nil:
			return "", false, err
		case stored == text:
			return id, slices.Contains(labels, labelPending), nil
		case !exists:
			return "", false, p.fault(ErrValue, "version %s does not hold what was written to it", id)
		}
	}
	return "", false, p.fault(ErrValue, "this rotation has made %d versions that never became current: cancel it and start another", maxVersions)
}

// move makes a version current. Secrets Manager moves AWSPREVIOUS.
func (p *place) move(ctx context.Context, to, from string) (done bool, err error) {
	return p.relabel(ctx, secretsmanager.UpdateSecretVersionStageInput{
		VersionStage: aws.String(labelCurrent), MoveToVersionId: aws.String(to), RemoveFromVersionId: aws.String(from),
	})
}

// unstage removes AWSPENDING from a version that this package made.
func (p *place) unstage(ctx context.Context, from string) (done bool, err error) {
	if !p.made(from) {
		return true, nil
	}
	return p.relabel(ctx, secretsmanager.UpdateSecretVersionStageInput{
		VersionStage: aws.String(labelPending), RemoveFromVersionId: aws.String(from),
	})
}

// relabel is not done if the label is no longer where it was: another process moved it, or this one
// did and the response was lost.
func (p *place) relabel(ctx context.Context, in secretsmanager.UpdateSecretVersionStageInput) (done bool, err error) {
	in.SecretId = aws.String(p.secretID)
	out, err := p.api.UpdateSecretVersionStage(ctx, &in, noBodies)
	if err == nil && !named(out.ARN, out.Name) {
		return true, p.nonsense("UpdateSecretVersionStage")
	}
	err = p.callFailed("UpdateSecretVersionStage", err)
	return !hasCode(err, codeInvalidParameter, codeInvalidRequest, codeNotFound), err
}
