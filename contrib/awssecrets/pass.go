package awssecrets

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// pass looks what the secret holds and does what is missing. done is false if somebody else changed
// something on the way, or may have done so, or there is something to look at again: err is what
// happened then.
//
// The order matters. Readers take AWSCURRENT, so it moves only to a version that was read back; it
// is moved from the version whose other keys were taken over, or not at all; and AWSPENDING goes
// last, so that a crash leaves a trace that is found.
func (p *place) pass(ctx context.Context, want rotate.Delivery) (done bool, err error) {
	s, err := p.describe(ctx)
	if err != nil {
		return true, err
	}
	if !s.exists {
		return p.first(ctx, want)
	}
	v, err := p.value(ctx, s.current)
	if err != nil {
		return true, err
	}
	if v.holds(want) {
		return p.unstage(ctx, s.pending)
	}
	switch {
	case p.foreign(s):
		return true, p.wrong(ErrPending, "version %.64q has the label AWSPENDING; let that rotation end, or take the label away if it was given up", s.pending)
	case p.seen != nil && !v.holds(*p.seen):
		return true, p.wrong(ErrPending, "somebody else delivered other credentials meanwhile")
	}
	p.seen = &v.held
	text, err := v.with(want)
	if err != nil {
		return true, p.because(err)
	}
	staged, pending, err := p.stage(ctx, want, s, text)
	switch {
	case err != nil:
		return true, err
	case s.current == "":
		// The first version of a secret becomes the current one by itself.
		return false, p.wrong(ErrValue, "its first version did not become the current one")
	}
	if done, err := p.move(ctx, staged, s.current); err != nil {
		return done, err
	}
	if !pending {
		staged = s.pending // of another version that was made before
	}
	return p.unstage(ctx, staged)
}

// first creates the secret. The next pass finds it, and reads it back.
func (p *place) first(ctx context.Context, want rotate.Delivery) (done bool, err error) {
	switch {
	case p.create == nil:
		return true, p.wrong(ErrMissing, "there is no such secret; create it, or use WithCreate")
	case strings.HasPrefix(p.secretID, "arn:"):
		return true, p.wrong(ErrMissing, "there is no such secret, and none can be created under an ARN; give its name")
	}
	text, err := new(value).with(want)
	if err != nil {
		return true, p.because(err)
	}
	p.seen = &rotate.Delivery{}
	in := *p.create
	in.Name, in.SecretString = aws.String(p.secretID), aws.String(text)
	in.ClientRequestToken = aws.String(versionID(want, "", 0))
	if _, err = p.api.CreateSecret(ctx, &in, quiet); err == nil {
		return false, p.wrong(ErrMissing, "it was created, and cannot be found")
	}
	err = p.failed("CreateSecret", err)
	return !is(err, codeExists), err // somebody else was quicker
}

// maxVersions bounds how many contents one rotation may deliver on top of one version. More than
// one are needed only when the next secret was given up for another before the version was made
// current.
const maxVersions = 16

// stage makes a version with this text that is not yet current, or finds the one that was made
// before a crash.
func (p *place) stage(ctx context.Context, want rotate.Delivery, s secretState, text string) (id string, pending bool, err error) {
	for n := range maxVersions {
		id = versionID(want, s.current, n)
		labels, there := s.labels[id]
		if !there {
			// To say the same again is harmless: the token is the id of the version. To say
			// something else is refused.
			out, err := p.api.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
				SecretId: aws.String(p.secretID), ClientRequestToken: aws.String(id), SecretString: aws.String(text),
				VersionStages: []string{labelPending},
			}, quiet)
			if err = p.failed("PutSecretValue", err); is(err, codeExists) {
				continue
			} else if err != nil {
				return "", false, err
			}
			labels = out.VersionStages
		}
		stored, err := p.get(ctx, secretsmanager.GetSecretValueInput{VersionId: aws.String(id)})
		switch {
		case err != nil:
			return "", false, err
		case stored == text:
			return id, slices.Contains(labels, labelPending), nil
		case !there:
			return "", false, p.wrong(ErrValue, "version %s does not give back what was put there", id)
		}
	}
	return "", false, p.wrong(ErrValue, "this rotation has made %d versions that never became current", maxVersions)
}

// move makes a version the current one. The label AWSPREVIOUS follows by itself.
func (p *place) move(ctx context.Context, to, from string) (done bool, err error) {
	return p.relabel(ctx, secretsmanager.UpdateSecretVersionStageInput{
		VersionStage: aws.String(labelCurrent), MoveToVersionId: aws.String(to), RemoveFromVersionId: aws.String(from),
	})
}

// unstage takes AWSPENDING away from a version, unless that is somebody else's.
func (p *place) unstage(ctx context.Context, from string) (done bool, err error) {
	if !p.made(from) {
		return true, nil
	}
	return p.relabel(ctx, secretsmanager.UpdateSecretVersionStageInput{
		VersionStage: aws.String(labelPending), RemoveFromVersionId: aws.String(from),
	})
}

// relabel is refused if the label is no longer where it was seen: another writer moved it, or we
// did and the answer was lost.
func (p *place) relabel(ctx context.Context, in secretsmanager.UpdateSecretVersionStageInput) (done bool, err error) {
	in.SecretId = aws.String(p.secretID)
	_, err = p.api.UpdateSecretVersionStage(ctx, &in, quiet)
	err = p.failed("UpdateSecretVersionStage", err)
	return !is(err, codeInvalidParameter, codeInvalidRequest, codeNotFound), err
}
