package awssecrets

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// Errors, for errors.Is. AWSCURRENT, which readers of the secret see, was not changed.
var (
	// ErrInvalidArgument: an argument, the client id or the delivery is not valid. Nothing was
	// sent.
	ErrInvalidArgument = rotate.ErrInvalidArgument
	// ErrMissing: the secret does not exist, or is scheduled for deletion.
	ErrMissing = errors.New("awssecrets: the secret is missing")
	// ErrPending: AWS or another program is rotating this secret.
	ErrPending = errors.New("awssecrets: another rotation of this secret is in progress")
	// ErrValue: the value of the secret is not a JSON object, or belongs to another client.
	ErrValue = errors.New("awssecrets: the value of the secret cannot be used")
	// ErrResponse: a response claims success, but does not confirm what was asked for.
	ErrResponse = errors.New("awssecrets: the response is not one of Secrets Manager")
)

// kindError is one of the errors above whose text does not repeat that of the sentinel.
type kindError struct {
	text  string
	kind  error
	cause error // may be nil
}

func (e *kindError) Error() string        { return e.text }
func (e *kindError) Is(target error) bool { return target == e.kind }
func (e *kindError) Unwrap() error        { return e.cause }

func newKindError(kind error, format string, args ...any) error {
	err := fmt.Errorf("awssecrets: "+format, args...)
	return &kindError{err.Error(), kind, errors.Unwrap(err)}
}

func invalid(format string, args ...any) error {
	return newKindError(ErrInvalidArgument, format, args...)
}

// fault is an error of this kind about the secret.
func (p *place) fault(kind error, format string, args ...any) error {
	return newKindError(kind, "secret %.256q of client %.256q: "+format, append([]any{p.secretID, p.clientID}, args...)...)
}

// The error codes of Secrets Manager that a delivery acts on.
const (
	codeNotFound         = "ResourceNotFoundException"
	codeExists           = "ResourceExistsException" // from PutSecretValue: same token, other value
	codeInvalidParameter = "InvalidParameterException"
	codeInvalidRequest   = "InvalidRequestException"
)

// apiError is an error response of Secrets Manager. It holds no request.
type apiError interface {
	error
	ErrorCode() string
	ErrorMessage() string
}

// hasCode reports whether err is one of these error responses.
func hasCode(err error, codes ...string) bool {
	var failed *callError
	return errors.As(err, &failed) && slices.Contains(codes, failed.code)
}

// callError is a call that failed. It gives access only to the part of the SDK's error that cannot
// hold a request or a response: their bodies hold the secrets, and their headers the signature.
type callError struct {
	code  string // "" if there was no error response
	text  string
	cause error
}

func (e *callError) Error() string { return e.text }
func (e *callError) Unwrap() error { return e.cause }

// maxQuoted is how many bytes of a message of the SDK or of AWS an error repeats.
const maxQuoted = 512

// callFailed is err as an error of this operation, nil if err is nil.
func (p *place) callFailed(op string, err error) error {
	if err == nil {
		return nil
	}
	e := &callError{}
	text := err.Error()
	var refused apiError
	var transport *url.Error
	switch {
	case errors.As(err, &refused):
		e.code, e.cause, text = refused.ErrorCode(), p.redactor.Error(refused), refused.ErrorMessage()
	case errors.Is(err, context.Canceled):
		e.cause = context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		e.cause = context.DeadlineExceeded
	case errors.As(err, &transport):
		e.cause = p.redactor.Error(transport)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "awssecrets: secret %.256q of client %.256q: %s: ", p.secretID, p.clientID, op)
	if e.code != "" {
		b.WriteString(p.redactor.Line(e.code, 64) + ": ")
	}
	fmt.Fprintf(&b, "%q", p.redactor.Line(text, maxQuoted))
	var numbered interface{ ServiceRequestID() string }
	if errors.As(err, &numbered) && numbered.ServiceRequestID() != "" {
		fmt.Fprintf(&b, " (request id %.64q)", numbered.ServiceRequestID())
	}
	if advice := advice(op, e.code); advice != "" {
		b.WriteString(": " + advice)
	}
	e.text = b.String()
	return e
}

// advice is what to do about an error code.
func advice(op, code string) string {
	switch code {
	case "AccessDeniedException", "AccessDenied":
		return "allow secretsmanager:" + op + " for this secret and, if it has a KMS key of your own, kms:Decrypt and kms:GenerateDataKey for that key"
	case "DecryptionFailure":
		return "check that the KMS key of the secret is enabled, and allow kms:Decrypt for it"
	case "EncryptionFailure":
		return "check that the KMS key of the secret is enabled, and allow kms:GenerateDataKey and kms:Decrypt for it"
	case "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded":
		return "Secrets Manager asks for fewer requests, so deliver again later"
	case "LimitExceededException":
		return "a secret has at most 100 versions, and those of the last 24 hours are not removed, so deliver again later"
	}
	return ""
}
