// Package awssecrets stores the secrets that package rotate rotates in AWS Secrets Manager.
//
//	config, err := config.LoadDefaultConfig(ctx) // of aws-sdk-go-v2
//	...
//	deliverer, err := awssecrets.New(secretsmanager.NewFromConfig(config),
//		func(clientID string) string { return "stytch/" + clientID })
//	...
//	rotator, err := rotate.New(api.M2M.Secrets, deliverer, journal)
//
// Each client has a secret in Secrets Manager. It holds the JSON object that token.File reads:
// client_secret is the secret to use and, during a rotation, previous_client_secret the one that it
// replaces and that is still accepted. Other keys are kept.
//
//	{"client_id": "…", "client_secret": "…", "previous_client_secret": "…"}
//
// # How a delivery works
//
// A delivery writes a new version with the label AWSPENDING and reads it back. It then moves
// AWSCURRENT to that version, provided that AWSCURRENT is still on the version whose other keys
// were copied; Secrets Manager moves AWSPREVIOUS. Last, it removes AWSPENDING. The id of a version
// is derived from the ids of the client, the rotation and the version before, so a delivery that is
// repeated after a crash finds its version. A rotation makes two versions, one with both secrets
// and one with the next secret alone, with six requests each.
//
// AWSPENDING on a version that this package did not make means that something else, perhaps a
// Lambda function, is rotating the secret: that is [ErrPending], and nothing is changed. So do not
// configure rotation by AWS for these secrets. A version that an earlier rotation of the same
// client left pending is ignored: Stytch has one next secret at a time, so that version is void.
//
// Each step counts as made when Secrets Manager names the secret and the version; a response that
// does not is [ErrResponse]. [Deliverer.Check] shows in advance that a secret can be read and
// written: it repeats the current version, which is ignored, and removes a label that is not there.
//
// # Permissions
//
// These are the fewest that work. Add secretsmanager:CreateSecret for [WithCreate], also
// secretsmanager:TagResource if its template has tags, and kms:Decrypt and kms:GenerateDataKey on
// the key if it is your own.
//
//	{
//		"Version": "2012-10-17",
//		"Statement": [{
//			"Effect": "Allow",
//			"Action": [
//				"secretsmanager:DescribeSecret",
//				"secretsmanager:GetSecretValue",
//				"secretsmanager:PutSecretValue",
//				"secretsmanager:UpdateSecretVersionStage"
//			],
//			"Resource": "arn:aws:secretsmanager:REGION:ACCOUNT:secret:stytch/*"
//		}]
//	}
//
// # Safety
//
// No error holds a secret, a request or a response. The bodies of these calls are never logged,
// whatever the client is configured to log. The AWS SDK repeats a request whose response was lost;
// each of these requests may be repeated.
package awssecrets
