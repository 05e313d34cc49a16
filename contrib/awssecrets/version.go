package awssecrets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// The staging labels of Secrets Manager. Each is on one version at most.
const (
	labelCurrent = "AWSCURRENT"
	labelPending = "AWSPENDING"
)

// secretState is where the labels of a secret are.
type secretState struct {
	exists           bool
	current, pending string // the versions that have these labels; "" if none has
	labels           map[string][]string
}

// foreign reports whether somebody else is preparing a version. Two are none of that: one with
// AWSCURRENT too, which a rotation of AWS may leave when it is finished, and one that was made for
// this client before. The latter is left over, because Stytch has one next secret at a time:
// whoever has one to deliver knows that there is no other.
func (p *place) foreign(s secretState) bool {
	return s.pending != "" && s.pending != s.current && !p.made(s.pending)
}

func (p *place) made(id string) bool { return strings.HasPrefix(id, ours(p.clientID)) }

// describe does not take a secret that does not exist for an error.
func (p *place) describe(ctx context.Context) (secretState, error) {
	out, err := p.api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(p.secretID)}, quiet)
	if err = p.failed("DescribeSecret", err); is(err, codeNotFound) {
		return secretState{}, nil
	} else if err != nil {
		return secretState{}, err
	}
	if out.DeletedDate != nil {
		return secretState{}, p.wrong(ErrMissing, "it is scheduled for deletion (%s); restore it first (RestoreSecret)", out.DeletedDate.UTC().Format(time.RFC3339))
	}
	s := secretState{exists: true, labels: out.VersionIdsToStages}
	for id, labels := range s.labels {
		for _, label := range labels {
			switch label {
			case labelCurrent:
				s.current = id
			case labelPending:
				s.pending = id
			}
		}
	}
	return s, nil
}

// ours begins the id of every version that is made for a client, so that they are known from those
// of others.
func ours(clientID string) string { return digest("client", clientID)[:24] }

// versionID is the id of the n-th version that a rotation makes on top of another version. It is
// the same after a crash, because that other one is current until this one is. It is made of ids
// alone: many may see it, and from a hash over the content a secret could be guessed.
func versionID(d rotate.Delivery, base string, n int) string {
	return ours(d.ClientID) + digest("version", d.RotationID, base, strconv.Itoa(n))[:40] // 64 characters, the most that AWS allows
}

// digest tells ("a", "bc") from ("ab", "c").
func digest(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		fmt.Fprintf(&b, "%d:%s,", len(part), part)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}
