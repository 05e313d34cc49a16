// Package awssecrets delivers the secrets that package rotate rotates to AWS Secrets Manager.
//
//	config, err := config.LoadDefaultConfig(ctx) // of aws-sdk-go-v2
//	...
//	deliverer, err := awssecrets.New(secretsmanager.NewFromConfig(config), func(clientID string) string {
//		return "stytch/" + clientID
//	})
//	...
//	rotator, err := rotate.New(api.M2M.Secrets, deliverer, journal)
//
// Each client has a secret in Secrets Manager, which holds a JSON object of the form that
// token.File reads. The secret to use is client_secret; the one that is still accepted, while there
// is one, is next_client_secret. Other keys in it stay.
//
//	{"client_id": "…", "client_secret": "…", "next_client_secret": "…"}
//
// # How it is delivered
//
// A new version is put under the label AWSPENDING and read back. Then AWSCURRENT is moved to it, if
// that is still on the version whose other keys were taken over; AWSPREVIOUS follows by itself.
// Last, AWSPENDING is taken away. The id of a version is made of the ids of the client, the
// rotation and the version before, so that a delivery which is repeated after a crash finds what it
// has made. A rotation makes two versions, one with both secrets and one with the next one alone,
// by six requests each.
//
// AWSPENDING on a version that this package did not make means that somebody else is rotating,
// perhaps a Lambda function: that is [ErrPending], and nothing is changed. So do not configure
// rotation by AWS for these secrets. A version that an earlier rotation of the same client left
// pending is passed over: Stytch has one next secret at a time, so that one is void.
//
// # Permissions
//
// The least that is needed. Add secretsmanager:CreateSecret for [WithCreate], with
// secretsmanager:TagResource if its template has tags, and kms:Decrypt and kms:GenerateDataKey on
// the key if that is one of your own.
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
// No error holds a secret, a request or an answer. Whatever the client is set to log, the bodies of
// these calls are left out. The SDK repeats a request whose answer was lost; each of them may be
// repeated.
package awssecrets
