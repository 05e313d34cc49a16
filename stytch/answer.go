package stytch

import (
	"bytes"
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

	"github.com/stytchkit/m2m/stytch/internal/operation"
	"github.com/stytchkit/m2m/stytch/internal/retry"
	"github.com/stytchkit/m2m/stytch/secret"
)

const (
	maxErrorBody = 64 << 10  // kept of an answer that is an error
	maxDrain     = 512 << 10 // read beyond that, so that the connection can be used again
	maxPooled    = 1 << 20   // larger buffers are left to the garbage collector
)

// answer is a whole body in memory. It is the Body of every response that Do returns.
type answer struct {
	bytes.Buffer
	op       *operation.Operation
	status   int
	attempts int
	closed   bool
}

var answers = sync.Pool{New: func() any { return new(answer) }}

// Close gives the buffer back. The bytes must not be used after it.
func (a *answer) Close() error {
	if !a.closed && a.Cap() <= maxPooled {
		a.closed = true
		a.Reset()
		answers.Put(a)
	}
	return nil
}

// read takes the body of a response. The answer is nil if the body of a success broke off; otherwise it must be closed. A nil
// error means a success with a JSON media type, whose content has yet to be checked.
func (c *call) read(resp *http.Response, attempt int) (*answer, error) {
	defer resp.Body.Close()
	success := resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusCreated
	limit := int64(maxErrorBody)
	if success {
		limit = c.client.settings.maxAnswer
	}
	a := answers.Get().(*answer)
	a.op, a.status, a.attempts, a.closed = c.op, resp.StatusCode, attempt, false
	if n := resp.ContentLength; n > 0 {
		a.Grow(int(min(n, limit)) + bytes.MinRead)
	}
	n, err := a.ReadFrom(io.LimitReader(resp.Body, limit+1))
	switch {
	case !success:
		if err == nil && n > limit {
			_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)
		}
		return a, c.failed(resp, a.Bytes())
	case err != nil:
		defer a.Close()
		return nil, a.wrong(fmt.Errorf("the body broke off: %w", err))
	case n > limit:
		return a, a.invalid(fmt.Errorf("the body is larger than %d bytes", limit))
	case !isJSON(resp.Header.Get("Content-Type")):
		return a, a.invalid(errors.New("the content type is not JSON"))
	}
	return a, nil
}

func isJSON(contentType string) bool {
	if contentType == "application/json" { // the usual answer, without parsing
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}

// invalid is the error of a success that is not what the contract says. If the operation cannot be repeated, its outcome is
// unknown: it had its effect, but the answer is lost.
func (a *answer) invalid(cause error) error {
	e := a.wrong(cause)
	e.outcomeUnknown = a.op.Safety == operation.ShownOnce
	return e
}

func (a *answer) wrong(cause error) *Error {
	return &Error{Operation: a.op.ID, StatusCode: a.status, RequestID: printable(requestID(a.Bytes())), Message: cause.Error(), Attempts: a.attempts, kind: ErrInvalidAnswer, cause: cause}
}

// failed reads both shapes of error that Stytch has, and keeps the status of any other body.
func (c *call) failed(resp *http.Response, body []byte) error {
	e := &Error{Operation: c.op.ID, StatusCode: resp.StatusCode}
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
	err := json.Unmarshal(body, &shape)
	first := func(texts ...string) string {
		for _, text := range texts {
			if text != "" {
				return c.clean(text)
			}
		}
		return ""
	}
	e.Type, e.Message, e.URL = first(shape.Type, shape.OAuthType), first(shape.Message, shape.Description), first(shape.URL, shape.URI)
	e.RequestID, e.Details = first(shape.RequestID, requestID(body)), shape.Details
	if e.Type == "" {
		e.kind = ErrInvalidAnswer
		e.Message = first(e.Message, http.StatusText(resp.StatusCode)) + ", and the body is not an error of Stytch"
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			e.cause = err
		}
	}
	return e
}

// clean makes a text of the answer fit to print. An error text that quotes the project's own credentials would be a leak.
func (c *call) clean(text string) string {
	text = printable(text)
	encoded := strings.TrimPrefix(c.client.authorization.Reveal(), "Basic ")
	for _, known := range []string{encoded, c.client.secret.Reveal()} {
		text = strings.ReplaceAll(text, known, secret.Placeholder)
	}
	return text
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
	if err := json.Unmarshal(a.Bytes(), value); err != nil {
		return nil, a.invalid(err)
	}
	// Every answer of the management API repeats its status. One that does not is somebody else's JSON, or none: {}, null.
	if status := reflect.ValueOf(value).Elem().FieldByName("StatusCode"); status.IsValid() && status.Int() == 0 {
		return nil, a.invalid(errors.New("the body has no status_code"))
	}
	if a.op.AnswersSecret {
		if err := uniqueKeys(a.Bytes()); err != nil {
			return nil, a.invalid(err)
		}
	}
	return value, nil
}
