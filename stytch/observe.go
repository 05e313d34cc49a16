package stytch

import (
	"context"
	"net/http"
	"time"
)

// Attempt describes one request of a call to an observer. It has no body, no header and no client
// id.
type Attempt struct {
	Operation  string        // operationId of the contract
	Number     int           // 1 for the first attempt of a call
	StatusCode int           // 0 if there was no response
	RequestID  string        // "" if there was no response or it has none
	Duration   time.Duration // from sending the request to the last byte of its response
	Err        error         // nil for a success; contains no secret
}

// Response is what a response has besides its payload.
type Response struct {
	StatusCode int
	RequestID  string
	Header     http.Header
	Attempts   int // requests that the call made
}

type responseKey struct{}

// WithResponse returns a context whose calls store in r what their last response has besides its
// payload, be it a success or an error:
//
//	var r stytch.Response
//	client, err := api.M2M.Get(stytch.WithResponse(ctx, &r), id)
//
// A call without any response leaves r alone. Concurrent calls need a context each.
func WithResponse(ctx context.Context, r *Response) context.Context {
	return context.WithValue(ctx, responseKey{}, r)
}

// responseTarget is the r of WithResponse, or nil.
func responseTarget(ctx context.Context) *Response {
	r, _ := ctx.Value(responseKey{}).(*Response)
	return r
}

func storeResponse(ctx context.Context, resp *http.Response, body *response, attempt int) {
	if r := responseTarget(ctx); r != nil {
		*r = Response{StatusCode: resp.StatusCode, RequestID: body.requestID(), Header: resp.Header, Attempts: attempt}
	}
}
