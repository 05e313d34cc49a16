package emulator

import (
	"errors"
	"net/http"

	"github.com/stytchkit/m2m/gen/server"
	"github.com/stytchkit/m2m/internal/sleep"
)

// A service carries out the operations of the contract on a state. If this line does not compile,
// the contract has gained or changed an operation: serve it beside its relatives.
var _ server.ServerInterface = (*service)(nil)

type service struct {
	state  *state
	faults *faultPlan  // these two are nil if the callers are trusted
	log    *requestLog // and need no credentials
}

// An operation says how the requests of one operation are checked before it runs.
type operation struct {
	id      string // operationId of the contract
	subject string // client id in the path; empty for other operations
	public  bool   // takes no project credentials
	body    any    // zero value of the generated type of the JSON body; nil if the body is ignored

	bodyOptional func(Behavior) bool // whether an empty body is allowed; nil if it never is
}

// serve takes a request through faults, credentials, the body and the operation itself, in this
// order.
func (s *service) serve(w http.ResponseWriter, r *http.Request, op operation, run func(*exchange) (response, error)) {
	x := newExchange(w, r, s.state, s.log)
	x.operation = op.id
	fault, found := s.faults.next(op.id)
	if !found {
		x.send(s.perform(x, op, run))
		return
	}
	if fault.kind != faultSlow && sleep.For(r.Context(), fault.delay) != nil {
		x.reason = fault.struck(op.id) + " and the client left before the wait of " + fault.delay.String() + " ended: the operation was not carried out"
		x.hangUp()
		return
	}
	var real response
	if fault.runsOperation() {
		real = s.perform(x, op, run)
	}
	x.reason = fault.reason(op.id, x.reason)
	x.sendFault(fault, real)
}

func (s *service) trusted() bool { return s.log == nil }

// perform checks credentials before the body, so that a request without them learns nothing about
// its body. Operations that take no body ignore one: real clients send {} with DELETE, and a
// Content-Type with GET.
func (s *service) perform(x *exchange, op operation, run func(*exchange) (response, error)) response {
	if !op.public && !s.trusted() {
		if err := s.state.authenticate(x.r.Header); err != nil {
			return x.failure(err)
		}
	}
	if op.body != nil {
		if err := x.parseBody(op.body, op.bodyOptional != nil && op.bodyOptional(*x.behavior), s.state.strict); err != nil {
			return x.failure(err)
		}
	}
	r, err := run(x)
	if op.subject != "" && (err == nil || !isMissing(err)) {
		x.clientID = op.subject
	}
	if unsettled := s.state.store.settle(&x.pending); unsettled != nil {
		return x.failure(unsettled)
	}
	if err != nil {
		return x.failure(err)
	}
	return r
}

// isMissing reports whether an error says that no client or app has the id.
func isMissing(err error) bool {
	var f *failure
	return errors.As(err, &f) && f.status == http.StatusNotFound
}
