package awssecrets

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/stytchkit/m2m/stytch/secret"
)

// What is wrong with a secret in Secrets Manager, for errors.Is. What readers get was not changed.
var (
	ErrMissing = errors.New("awssecrets: the secret is missing")                          // or scheduled for deletion
	ErrPending = errors.New("awssecrets: another rotation of this secret is in progress") // of AWS, or of another program
	ErrValue   = errors.New("awssecrets: the value of the secret cannot be used")         // no JSON object, or another client's
)

// The errors of Secrets Manager that something follows from.
const (
	codeNotFound         = "ResourceNotFoundException"
	codeExists           = "ResourceExistsException" // as an answer to PutSecretValue: the same token with another value
	codeInvalidParameter = "InvalidParameterException"
	codeInvalidRequest   = "InvalidRequestException"
)

// apiError is an error that Secrets Manager answered. It holds no request.
type apiError interface {
	error
	ErrorCode() string
	ErrorMessage() string
}

// is reports whether err is one of these errors of Secrets Manager.
func is(err error, codes ...string) bool {
	var failed *callError
	return errors.As(err, &failed) && slices.Contains(codes, failed.code)
}

// callError is a call that failed. Of the SDK's error only that part can be reached which cannot
// hold a request or an answer: those have the secrets in their bodies, and the signature in their
// headers.
type callError struct {
	code  string // "" if there was no answer
	text  string
	cause error
}

func (e *callError) Error() string { return e.text }
func (e *callError) Unwrap() error { return e.cause }

// failed is nil if err is.
func (p *place) failed(op string, err error) error {
	if err == nil {
		return nil
	}
	e := &callError{}
	text := err.Error()
	var answered apiError
	var sent *url.Error
	switch {
	case errors.As(err, &answered):
		e.code, e.cause, text = answered.ErrorCode(), p.shown(answered), answered.ErrorMessage()
	case errors.Is(err, context.Canceled):
		e.cause = context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		e.cause = context.DeadlineExceeded
	case errors.As(err, &sent):
		e.cause = p.shown(sent)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "awssecrets: client %.256q, secret %.256q: %s: ", p.clientID, p.secretID, op)
	if e.code != "" {
		fmt.Fprintf(&b, "%.64s: ", e.code)
	}
	fmt.Fprintf(&b, "%.512q%s", p.scrub(text), advice(op, e.code))
	var numbered interface{ ServiceRequestID() string }
	if errors.As(err, &numbered) && numbered.ServiceRequestID() != "" {
		fmt.Fprintf(&b, " (request id %.64q)", numbered.ServiceRequestID())
	}
	e.text = b.String()
	return e
}

func advice(op, code string) string {
	switch code {
	case "AccessDeniedException", "AccessDenied":
		return "; allow secretsmanager:" + op + " for this secret, and with a KMS key of your own kms:Decrypt and kms:GenerateDataKey for that key"
	case "DecryptionFailure":
		return "; check that the KMS key of the secret is enabled, and allow kms:Decrypt for it"
	case "EncryptionFailure":
		return "; check that the KMS key of the secret is enabled, and allow kms:GenerateDataKey and kms:Decrypt for it"
	case "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded":
		return "; Secrets Manager asks for fewer requests, deliver again later"
	case "LimitExceededException":
		return "; a quota is reached: a secret has at most 100 versions, and those of the last 24 hours are not removed"
	}
	return ""
}

// wrong is an error of a sentinel with its particulars.
func (p *place) wrong(sentinel error, format string, args ...any) error {
	return fmt.Errorf("%w: client %.256q, secret %.256q: "+format, append([]any{sentinel, p.clientID, p.secretID}, args...)...)
}

// because names the place of an error that holds no secret.
func (p *place) because(err error) error {
	return fmt.Errorf("awssecrets: client %.256q, secret %.256q: %w", p.clientID, p.secretID, err)
}

// telling is a run of characters that no encoding of texts changes: JSON within JSON, URLs. Shorter
// ones are in many messages, and no secret of Stytch is shorter.
var telling = regexp.MustCompile(`[A-Za-z0-9_-]{8,}`)

// hide remembers what no error may hold: the text, and the parts of it that would be seen however
// it is written.
func (p *place) hide(text string) {
	if len(text) >= 8 {
		p.hidden = append(p.hidden, text)
	}
	p.hidden = append(p.hidden, telling.FindAllString(text, -1)...)
	// Of two texts one may be part of the other: its rest must not stay.
	slices.SortFunc(p.hidden, func(a, b string) int { return len(b) - len(a) })
}

func (p *place) scrub(text string) string {
	for _, hidden := range p.hidden {
		text = strings.ReplaceAll(text, hidden, secret.Placeholder)
	}
	return text
}

// shown is err, or nil if it quotes what must be hidden.
func (p *place) shown(err error) error {
	if text := err.Error(); p.scrub(text) != text {
		return nil
	}
	return err
}

// quiet keeps bodies, which hold the secrets, out of the client's log, whatever was asked for.
func quiet(o *secretsmanager.Options) {
	o.ClientLogMode &^= aws.LogRequestWithBody | aws.LogResponseWithBody
}
