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
	current, pending string // the versions with these labels; "" if there is none
	labels           map[string][]string
}

// describe reads the labels. A secret that does not exist is not an error.
func (p *place) describe(ctx context.Context) (secretState, error) {
	out, err := p.api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(p.secretID)}, noBodies)
	if err = p.callFailed("DescribeSecret", err); hasCode(err, codeNotFound) {
		return secretState{}, nil
	} else if err != nil {
		return secretState{}, err
	}
	if !named(out.ARN, out.Name) {
		return secretState{}, p.nonsense("DescribeSecret")
	}
	if out.DeletedDate != nil {
		return secretState{}, p.fault(ErrMissing, "it is scheduled for deletion (%s): restore it with RestoreSecret",
			out.DeletedDate.UTC().Format(time.RFC3339))
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

// named reports whether a response names a secret, as each response of Secrets Manager does.
func named(arn, name *string) bool { return aws.ToString(arn) != "" && aws.ToString(name) != "" }

// nonsense is a response that claims success and is not one of Secrets Manager.
func (p *place) nonsense(op string) error {
	return p.fault(ErrResponse, "%s: the response does not name the secret or its version: look for a proxy that answers in place of Secrets Manager", op)
}

// foreign reports whether something else is preparing a version. A pending version that is also
// current is not that: a rotation by AWS may end so. Nor is one that this package made earlier for
// the same client: Stytch has one next secret at a time, so that version is a remnant.
func (p *place) foreign(s secretState) bool {
	return s.pending != "" && s.pending != s.current && !p.made(s.pending)
}

func (p *place) made(version string) bool {
	return strings.HasPrefix(version, versionPrefix(p.clientID))
}

func (p *place) missing() error {
	return p.fault(ErrMissing, "it does not exist: create it, or use WithCreate")
}

// versionPrefix begins the id of every version that this package makes for a client.
func versionPrefix(clientID string) string { return digest("client", clientID)[:24] }

// versionID is the id of the n-th version that a rotation makes on top of the version base. It is
// the same after a crash, because base stays current until the new version is. It is derived from
// ids alone: many users may see it, and a hash of the content would let them guess a secret.
func versionID(d rotate.Delivery, base string, n int) string {
	// 64 characters, the most that AWS allows.
	return versionPrefix(d.ClientID) + digest("version", d.RotationID, base, strconv.Itoa(n))[:40]
}

// digest is different for ("a", "bc") and ("ab", "c").
func digest(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		fmt.Fprintf(&b, "%d:%s,", len(part), part)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}
