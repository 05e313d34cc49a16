package stytch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/fastjson"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/retry"
)

const (
	maxErrorBody = 64 << 10  // kept of an answer that is an error
	maxDrain     = 512 << 10 // read beyond that, so that the connection can be used again
	maxPooled    = 1 << 20   // larger buffers are left to the garbage collector
)

// answer is a whole body in memory. It is the Body of every response that Do returns.
type answer struct {
	bytes.Buffer
	source   io.LimitedReader
	op       *operation.Operation
	req      *http.Request // whose credentials no text may repeat
	status   int
	attempts int
	closed   bool
}

var answers = sync.Pool{New: func() any { return new(answer) }}

// Close gives the buffer back. The bytes must not be used after it.
func (a *answer) Close() error {
	if !a.closed && a.Cap() <= maxPooled {
		a.closed, a.req = true, nil
		if a.op.AnswersSecret {
			clear(a.Bytes()) // or a secret would lie in memory until another answer is as long
		}
		a.Reset()
		answers.Put(a)
	}
	return nil
}

// read takes the body of a response into an answer, which must be closed. A nil error means a success with a JSON media type,
// whose content has yet to be checked.
func (c *call) read(ctx context.Context, resp *http.Response, attempt int) (*answer, retry.Failure, error) {
	failure := retry.Failure{Status: resp.StatusCode}
	defer resp.Body.Close()
	success := resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusCreated
	limit := int64(maxErrorBody)
	if success {
		limit = c.client.settings.maxAnswer
	}
	a := answers.Get().(*answer)
	a.op, a.req, a.status, a.attempts, a.closed = c.op, c.req, resp.StatusCode, attempt, false
	if n := resp.ContentLength; n > 0 {
		a.Grow(int(min(n, limit, maxPooled)) + bytes.MinRead) // the header may promise anything
	}
	a.source = io.LimitedReader{R: resp.Body, N: limit + 1}
	n, err := a.ReadFrom(&a.source)
	a.source.R = nil
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // whatever the transport calls it
	}
	switch {
	case !success:
		if err == nil && n > limit {
			_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)
		}
		return a, failure, c.failed(resp, a, err)
	case err != nil:
		failure.AnswerLost = true
		return a, failure, a.wrong(fmt.Errorf("the body broke off: %w", err))
	case n > limit:
		return a, failure, a.invalid(fmt.Errorf("the body is larger than %d bytes", limit))
	case !isJSON(resp.Header.Get("Content-Type")):
		return a, failure, a.invalid(errors.New("the content type is not JSON"))
	}
	return a, failure, nil
}

func isJSON(contentType string) bool {
	if contentType == "application/json" { // the usual answer, without parsing
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}

func (a *answer) requestID() string { return clean(a.req, requestID(a.Bytes())) }

// invalid is the error of a success that is not what the contract says. If the operation cannot be repeated, its outcome is
// unknown: it had its effect, but the answer is lost.
func (a *answer) invalid(cause error) error {
	e := a.wrong(cause)
	e.outcomeUnknown = a.op.Safety == operation.ShownOnce
	return e
}

func (a *answer) wrong(cause error) *Error {
	e := &Error{Operation: a.op.ID, StatusCode: a.status, RequestID: a.requestID(), Attempts: a.attempts, kind: ErrInvalidResponse}
	e.Message, e.cause = muted(a.req, cause)
	return e
}

// failed reads both shapes of error that Stytch has, and keeps the status of any other body. broken says why the body ended early.
func (c *call) failed(resp *http.Response, a *answer, broken error) error {
	e := &Error{Operation: c.op.ID, StatusCode: resp.StatusCode}
	if broken != nil {
		_, e.cause = muted(c.req, broken)
	}
	e.RetryAfter, _ = retry.After(resp.Header.Get("Retry-After"), time.Now())
	var shape struct {
		RequestID   string          `json:"request_id"`
		Type        string          `json:"error_type"`
		Message     string          `json:"error_message"`
		URL         string          `json:"error_url"`
		Details     json.RawMessage `json:"error_details"`
		OAuthType   string          `json:"error"`
		Description string          `json:"error_description"`
		URI         string          `json:"error_uri"`
	}
	// A field of the wrong type does not hide the others: encoding/json decodes what it can and reports the first fault.
	err := json.Unmarshal(a.Bytes(), &shape)
	first := func(texts ...string) string {
		for _, text := range texts {
			if text != "" {
				return clean(c.req, text)
			}
		}
		return ""
	}
	e.Type, e.Message, e.URL = first(shape.Type, shape.OAuthType), first(shape.Message, shape.Description), first(shape.URL, shape.URI)
	e.RequestID = first(shape.RequestID, a.requestID())
	if shape.Details != nil && string(shape.Details) != "null" {
		e.Details = redactJSON(c.req, shape.Details)
	}
	if e.Type == "" {
		e.kind = ErrInvalidResponse
		what := "the body is not an error of Stytch"
		if known := first(e.Message, http.StatusText(resp.StatusCode)); known != "" {
			what = known + ", and " + what
		}
		e.Message = what
		var syntax *json.SyntaxError
		if e.cause == nil && errors.As(err, &syntax) {
			e.cause = err
		}
	}
	return e
}

// decode is the one way from a response to a type of the contract. It takes the two results of a generated method.
func decode[T any](resp *http.Response, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	a, ok := resp.Body.(*answer)
	if !ok {
		return nil, fmt.Errorf("stytch: a response that did not come from the client: %T", resp.Body)
	}
	defer a.Close()
	return decodeAnswer[T](a)
}

func decodeAnswer[T any](a *answer) (*T, error) {
	value := new(T)
	if err := a.decode(value); err != nil {
		return nil, err
	}
	return value, nil
}

// decodeSecret is decodeAnswer for the one answer that shows a secret: without it, it is worth nothing. It closes the answer.
func decodeSecret[T any](a *answer, holds func(*T) bool) (*T, error) {
	defer a.Close()
	value, err := decodeAnswer[T](a)
	if err != nil {
		return nil, err
	}
	if !holds(value) {
		return nil, a.invalid(errors.New("the answer holds no secret"))
	}
	return value, nil
}

// decode reads a success as the contract describes it. Whatever it finds to be different is an error of this answer.
func (a *answer) decode(value any) error {
	body := a.Bytes()
	if err := fastjson.Unmarshal(body, value); err != nil {
		return a.invalid(err)
	}
	if bytes.TrimLeft(body, " \t\r\n")[0] != '{' {
		return a.invalid(errors.New("the body is not an object"))
	}
	// Every answer of the management API repeats its status. A success that does not is somebody else's JSON.
	status := reflect.ValueOf(value).Elem().FieldByName("StatusCode")
	if a.op.ProjectAuth && status.Int()/100 != 2 {
		return a.invalid(errors.New("the body has no status_code of a success"))
	}
	status.SetInt(int64(a.status)) // whatever the body says, an error made from it must tell the status that was received
	if a.op.AnswersSecret {
		if err := uniqueKeys(body); err != nil {
			return a.invalid(err)
		}
	}
	return nil
}

// check is decode for an answer that the generated client will decode, without the status and the request id at hand.
func (a *answer) check() error {
	shape, ok := shapes[a.op]
	if !ok {
		return a.invalid(errors.New("no shape is known for this operation: add it to shapes"))
	}
	return a.decode(shape())
}

func shapeOf[T any]() any { return new(T) }

// shapes are the types of all successes.
var shapes = map[*operation.Operation]func() any{
	operation.CreateM2MClient:                 shapeOf[gen.CreateM2MClientResponse],
	operation.GetM2MClient:                    shapeOf[gen.GetM2MClientResponse],
	operation.SearchM2MClients:                shapeOf[gen.SearchM2MClientsResponse],
	operation.UpdateM2MClient:                 shapeOf[gen.UpdateM2MClientResponse],
	operation.DeleteM2MClient:                 shapeOf[gen.DeleteM2MClientResponse],
	operation.StartM2MClientSecretRotation:    shapeOf[gen.StartM2MClientSecretRotationResponse],
	operation.CompleteM2MClientSecretRotation: shapeOf[gen.CompleteM2MClientSecretRotationResponse],
	operation.CancelM2MClientSecretRotation:   shapeOf[gen.CancelM2MClientSecretRotationResponse],

	operation.CreateConnectedApp:                 shapeOf[gen.CreateConnectedAppResponse],
	operation.GetConnectedApp:                    shapeOf[gen.GetConnectedAppResponse],
	operation.SearchConnectedApps:                shapeOf[gen.SearchConnectedAppsResponse],
	operation.UpdateConnectedApp:                 shapeOf[gen.UpdateConnectedAppResponse],
	operation.DeleteConnectedApp:                 shapeOf[gen.DeleteConnectedAppResponse],
	operation.StartConnectedAppSecretRotation:    shapeOf[gen.StartConnectedAppSecretRotationResponse],
	operation.CompleteConnectedAppSecretRotation: shapeOf[gen.CompleteConnectedAppSecretRotationResponse],
	operation.CancelConnectedAppSecretRotation:   shapeOf[gen.CancelConnectedAppSecretRotationResponse],

	operation.IssueM2MToken: shapeOf[gen.IssueM2MTokenResponse],
	operation.GetJWKS:       shapeOf[gen.JWKSResponse],
	operation.GetB2BJWKS:    shapeOf[gen.JWKSResponse],
}
