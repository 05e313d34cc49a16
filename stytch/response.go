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

	"github.com/stytchkit/m2m/internal/fastjson"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/retry"
)

const (
	maxErrorBody = 64 << 10  // bytes kept of a response that is an error
	maxDrain     = 512 << 10 // bytes read beyond that, so that the connection can be reused
	maxPooled    = 1 << 20   // larger buffers are left to the garbage collector
)

// response is a whole body in memory, and the Body of every response of a sender.
type response struct {
	bytes.Buffer
	origin
	source io.LimitedReader
	status int
	fault  error // of a success that shows a secret all the same; decode returns it
	closed bool
}

// origin is the request that a response belongs to.
type origin struct {
	op       *operation.Operation
	redactor *redactor // of the secrets that the request carries
	attempts int
}

var responses = sync.Pool{New: func() any { return new(response) }}

// Close gives the buffer back to the pool. Its bytes must not be used afterwards.
func (r *response) Close() error {
	if !r.closed && r.Cap() <= maxPooled {
		if r.op.ReturnsSecret {
			clear(r.Bytes()) // or the secret would stay in memory until a later response overwrites it
		}
		r.closed, r.origin, r.fault = true, origin{}, nil
		r.Reset()
		responses.Put(r)
	}
	return nil
}

// asResponse takes the two results of a method of the generated client.
func asResponse(resp *http.Response, err error) (*response, error) {
	if err != nil {
		return nil, err
	}
	return resp.Body.(*response), nil
}

// readResponse reads a body of at most limit bytes. The response must be closed, also if there is
// an error. Without an error it is a success with a JSON media type, whose content is still
// unchecked.
func readResponse(ctx context.Context, resp *http.Response, from origin, limit int64) (*response, retry.Failure, error) {
	failure := retry.Failure{Status: resp.StatusCode}
	defer resp.Body.Close()
	success := resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusCreated
	if !success {
		limit = maxErrorBody
	}
	r := responses.Get().(*response)
	r.origin, r.status, r.closed = from, resp.StatusCode, false
	if n := resp.ContentLength; n > 0 {
		r.Grow(int(min(n, limit, maxPooled)) + bytes.MinRead) // the header may promise anything
	}
	r.source = io.LimitedReader{R: resp.Body, N: limit + 1}
	n, err := r.ReadFrom(&r.source)
	r.source.R = nil
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // whatever the transport calls it
	}
	switch {
	case !success:
		if err == nil && n > limit {
			_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)
		}
		return r, failure, r.failed(resp.Header, err)
	case err != nil:
		failure.ResponseLost = true
		return r, failure, r.unreadable(fmt.Errorf("the body ended early: %w", err))
	case n > limit:
		return r, failure, r.invalid(fmt.Errorf("the body is larger than %d bytes", limit))
	case !isJSON(resp.Header.Get("Content-Type")):
		return r, failure, r.invalid(errors.New("the content type is not JSON"))
	}
	return r, failure, nil
}

func isJSON(contentType string) bool {
	if contentType == "application/json" { // the usual one, without parsing
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}

// requestID finds the request id without decoding the rest, also in a broken body. It is "" if
// there is none.
func (r *response) requestID() string {
	return r.redactor.line(fastjson.FindString(r.Bytes(), `"request_id"`))
}

// invalid is the error of a success that is not what the contract says. If the operation cannot be
// repeated, its outcome is unknown: it took effect, but its response is lost.
func (r *response) invalid(cause error) error {
	e := r.unreadable(cause)
	e.secretShown = r.showsSecret()
	e.outcomeUnknown = r.op.Safety == operation.ShownOnce && !e.secretShown
	return e
}

var errNoSecret = errors.New("the response has no secret")

// unreadable is the error of a success whose body is of no use.
func (r *response) unreadable(cause error) *Error {
	e := &Error{Operation: r.op.ID, StatusCode: r.status, RequestID: r.requestID(), Attempts: r.attempts, kind: ErrInvalidResponse}
	e.Message, e.cause = r.redactor.cause(cause)
	return e
}

// failed is the error of a response that is not a success. It reads both forms of error that Stytch
// has, and keeps the status whatever the body is. readErr is why the body ended early, or nil.
func (r *response) failed(header http.Header, readErr error) error {
	e := &Error{Operation: r.op.ID, StatusCode: r.status}
	if readErr != nil {
		_, e.cause = r.redactor.cause(readErr)
	}
	e.RetryAfter, _ = retry.After(header.Get("Retry-After"), time.Now())
	var body struct {
		RequestID   string          `json:"request_id"`
		Type        string          `json:"error_type"`
		Message     string          `json:"error_message"`
		URL         string          `json:"error_url"`
		Details     json.RawMessage `json:"error_details"`
		OAuthType   string          `json:"error"`
		Description string          `json:"error_description"`
		URI         string          `json:"error_uri"`
	}
	// A field of the wrong type does not hide the others: encoding/json decodes what it can and
	// reports the first mismatch.
	err := json.Unmarshal(r.Bytes(), &body)
	first := func(texts ...string) string {
		for _, text := range texts {
			if text != "" {
				return r.redactor.line(text)
			}
		}
		return ""
	}
	e.Type, e.Message, e.URL = first(body.Type, body.OAuthType), first(body.Message, body.Description), first(body.URL, body.URI)
	e.RequestID = first(body.RequestID, r.requestID())
	if body.Details != nil && string(body.Details) != "null" {
		e.Details = r.redactor.json(body.Details)
	}
	if e.Type == "" {
		e.kind = ErrInvalidResponse
		what := "the body is not a Stytch error"
		if known := first(e.Message, http.StatusText(r.status)); known != "" {
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

// decode is the way from a method of the generated client to the type of its success.
func decode[T any](resp *http.Response, err error) (*T, error) {
	r, err := asResponse(resp, err)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return decodeOpen[T](r)
}

// decodeOpen is decode for a response that the caller closes. If a field has another type than in
// the contract, there are both an error and the value with the other fields.
func decodeOpen[T any](r *response) (*T, error) {
	value := new(T)
	err := r.decode(value)
	var mismatch *json.UnmarshalTypeError
	if err != nil && (!errors.As(err, &mismatch) || mismatch.Field == "") {
		return nil, err
	}
	return value, err
}

// decode reads a success as the contract describes it. Any difference is an error of this response;
// value then has what could be read.
func (r *response) decode(value any) error {
	if r.fault != nil {
		return r.fault
	}
	body := r.Bytes()
	if bytes.HasPrefix(body, byteOrderMark) {
		return r.invalid(errors.New("the body begins with a byte order mark"))
	}
	if err := fastjson.Unmarshal(body, value); err != nil {
		return r.invalid(err)
	}
	if bytes.TrimLeft(body, " \t\r\n")[0] != '{' {
		return r.invalid(errors.New("the body is not an object"))
	}
	// Every response of the management API repeats its status. A success that does not came from
	// another server.
	status := reflect.ValueOf(value).Elem().FieldByName("StatusCode")
	if r.op.ProjectAuth && status.Int()/100 != 2 {
		return r.invalid(errors.New("the body has no status_code of a success"))
	}
	status.SetInt(int64(r.status)) // the status that was received, whatever the body says
	if r.op.ReturnsSecret {
		if err := fastjson.UniqueKeys(body); err != nil {
			return r.invalid(err)
		}
	}
	return nil
}

// check decodes the response and discards the result. It is for a body that the caller's generated
// client will decode, which then no longer knows the status and the request id.
func (r *response) check() error { return r.decode(newSuccess(r.op)) }
