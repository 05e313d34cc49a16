package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/stytchkit/m2m/gen/server"
)

// A call is one request on its way through the emulator.
type call struct {
	emulator  *Emulator
	w         http.ResponseWriter
	r         *http.Request // as it came
	requestID string
	operation string // operationId of the contract; empty for other routes

	body    []byte
	bodyErr error
	fields  map[string]json.RawMessage // of a JSON body
}

type callKey struct{}

// callOf returns the call that a context belongs to. Every context inside the emulator has one.
func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// dispatch is what every operation of the contract goes through: faults, then credentials, then the body, then the work.
func (e *Emulator) dispatch(work server.StrictHandlerFunc, operation string) server.StrictHandlerFunc {
	return func(ctx context.Context, w http.ResponseWriter, r *http.Request, request any) (any, error) {
		c := callOf(ctx)
		c.operation = operation
		fault, struck := e.faults.next(operation)
		if !struck {
			a := c.perform(ctx, work, request)
			c.note(a.status)
			return a, nil
		}
		if !c.wait(ctx, fault) {
			return nil, nil
		}
		var a answer
		if fault.runsOperation() {
			a = c.perform(ctx, work, request)
		}
		c.strike(ctx, fault, a)
		return nil, nil
	}
}

// perform does the work of an operation. Credentials are checked before the body: a stranger learns nothing about it.
func (c *call) perform(ctx context.Context, work server.StrictHandlerFunc, request any) answer {
	p := c.emulator.project
	switch request.(type) {
	case server.IssueM2MTokenRequestObject, server.GetJWKSRequestObject, server.GetB2BJWKSRequestObject:
		// Public: the project is named by the path, and the token endpoint reads its own body.
	default:
		if err := p.authenticate(c.r.Header); err != nil {
			return c.refusal(err)
		}
		if err := c.parse(request); err != nil {
			return c.refusal(err)
		}
	}
	result, err := work(ctx, c.w, c.r, request)
	if err != nil {
		return c.refusal(err)
	}
	return result.(answer)
}

// refusal turns an error into its answer. Only failures are expected; anything else is a fault of the emulator itself
// and is answered as Stytch would answer one of its own.
func (c *call) refusal(err error) answer {
	var f *failure
	if !errors.As(err, &f) {
		f = fail("internal_server_error")
	}
	return f.answer(c.requestID)
}

// note puts the call into the request log. It comes before the answer is written, so that a client which has its answer
// finds its request there.
func (c *call) note(status int) {
	e := c.emulator
	e.log.add(Request{
		Time: e.project.clock(), Method: c.r.Method, Path: clip(c.r.URL.EscapedPath()),
		Operation: c.operation, Status: status, RequestID: c.requestID,
	})
}

func (c *call) send(a answer) {
	c.note(a.status)
	_ = a.write(c.w) // the client may be gone, which is its own business
}
