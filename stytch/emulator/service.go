package emulator

import (
	"net/http"

	"github.com/stytchkit/m2m/gen/server"
)

// A service carries out the operations of the contract on a state. If this line does not compile,
// the contract has gained or changed an operation: serve it beside its relatives.
var _ server.ServerInterface = (*service)(nil)

type service struct {
	state  *state
	faults faultPlan
	log    requestLog
}

// An operation says how the requests of one operation are checked before it runs.
type operation struct {
	id           string              // operationId of the contract
	public       bool                // takes no project credentials
	body         any                 // zero value of the generated type of the JSON body; nil if the body is ignored
	bodyOptional func(Behavior) bool // whether an empty body is allowed; nil if it never is
}

// serve takes a request through faults, credentials, the body and the operation itself, in this
// order.
func (s *service) serve(w http.ResponseWriter, r *http.Request, op operation, run func(*exchange) (response, error)) {
	x := newExchange(w, r, s.state, &s.log)
	x.operation = op.id
	fault, found := s.faults.next(op.id)
	if !found {
		x.send(s.perform(x, op, run))
		return
	}
	if fault.kind != faultSlow && !pause(r.Context(), fault.delay) {
		x.hangUp()
		return
	}
	var real response
	if fault.runsOperation() {
		real = s.perform(x, op, run)
	}
	x.sendFault(fault, real)
}

// perform checks credentials before the body, so that a request without them learns nothing about
// its body. Operations that take no body ignore one: real clients send {} with DELETE, and a
// Content-Type with GET.
func (s *service) perform(x *exchange, op operation, run func(*exchange) (response, error)) response {
	if !op.public {
		if err := s.state.authenticate(x.r.Header); err != nil {
			return x.failure(err)
		}
	}
	if op.body != nil {
		if err := x.parseBody(op.body, op.bodyOptional != nil && op.bodyOptional(x.behavior), s.state.strict); err != nil {
			return x.failure(err)
		}
	}
	r, err := run(x)
	if unsettled := s.state.store.settle(&x.pending); unsettled != nil {
		return x.failure(unsettled)
	}
	if err != nil {
		return x.failure(err)
	}
	return r
}
