package stytch

import (
	"context"
	"net/http"
	"time"
)

// Attempt is what an observer is told about one request of a call. It holds no body, no header and no id of a client.
type Attempt struct {
	Operation  string        // operationId of the contract
	Number     int           // 1 for the first attempt of a call
	StatusCode int           // 0 if there was no answer
	RequestID  string        // "" if there was no answer or it has none
	Duration   time.Duration // from sending the request to the last byte of its answer
	Err        error         // nil for a success; it holds no secret
}

// Response is what came with an answer beside its payload.
type Response struct {
	StatusCode int
	RequestID  string
	Header     http.Header
	Attempts   int // requests that the call made
}

type responseKey struct{}

// WithResponse returns a context whose calls store in r what came with their last answer, success or error:
//
//	var r stytch.Response
//	client, err := api.M2M.Get(stytch.WithResponse(ctx, &r), id)
//
// A call without any answer leaves r alone. Calls that run at the same time need contexts of their own.
func WithResponse(ctx context.Context, r *Response) context.Context {
	return context.WithValue(ctx, responseKey{}, r)
}

// responseOf is where a call leaves what came with its answer, or nil.
func responseOf(ctx context.Context) *Response {
	r, _ := ctx.Value(responseKey{}).(*Response)
	return r
}

func record(ctx context.Context, resp *http.Response, a *answer, attempt int) {
	r := responseOf(ctx)
	if r == nil {
		return
	}
	*r = Response{StatusCode: resp.StatusCode, RequestID: a.requestID(), Header: resp.Header, Attempts: attempt}
}
