package awssecrets

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/stytchkit/m2m/internal/credentials"
	"github.com/stytchkit/m2m/internal/redact"
)

// place is the secret of one client in Secrets Manager, during one call of a [Deliverer].
type place struct {
	api      API
	create   *secretsmanager.CreateSecretInput // nil: never create
	clientID string
	secretID string // name or ARN
	redactor *redact.Redactor

	// replaced is the credentials that the delivery replaces; nil until they are known.
	replaced *credentials.Credentials
}

// noBodies keeps the bodies of requests and responses, which hold the secrets, out of the client's
// log, whatever it is configured to log.
func noBodies(o *secretsmanager.Options) {
	o.ClientLogMode &^= aws.LogRequestWithBody | aws.LogResponseWithBody
}
