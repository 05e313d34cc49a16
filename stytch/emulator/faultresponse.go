package emulator

import (
	"net/http"

	"github.com/stytchkit/m2m/internal/sleep"
)

// sendFault responds as the fault demands. real is the response of the operation, if it was carried
// out.
func (x *exchange) sendFault(f Fault, real response) {
	switch f.kind {
	case faultReset:
		x.hangUp()
	case faultCut:
		x.sendHalf(real)
		panic(http.ErrAbortHandler) // the way of net/http to break off a response
	case faultSlow:
		half := x.sendHalf(real)
		if sleep.For(x.r.Context(), f.delay) != nil {
			panic(http.ErrAbortHandler)
		}
		_, _ = x.w.Write(real.body[half:])
	case faultDelay:
		x.send(real)
	default:
		r := f.response(x)
		r.retryAfter = f.retryAfter
		x.send(r)
	}
}

func (f Fault) response(x *exchange) response {
	x.errorType = ""
	switch f.kind {
	case faultHTML:
		page := "<html><head><title>" + http.StatusText(f.status) + "</title></head><body><h1>" +
			http.StatusText(f.status) + "</h1></body></html>\n"
		return response{status: f.status, contentType: "text/html; charset=utf-8", body: []byte(page)}
	case faultEmpty:
		return response{status: f.status}
	case faultGarbage:
		return response{status: f.status, contentType: "application/json", body: []byte(`{"status_code":`)}
	}
	refused := f.failure(x.operation)
	x.errorType = refused.kind
	return failureResponse(refused, x.requestID)
}

// usualTypes are the error types that Stytch most likely sends with a status.
var usualTypes = map[int]string{
	400: "bad_request", 401: "unauthorized_credentials", 403: "organization_suspended", 404: "route_not_found",
	405: "method_not_allowed", 429: "too_many_requests", 503: "server_unavailable",
}

// failure returns the usual error of Stytch for the fault's status. The endpoints of OAuth 2.0
// report refused credentials in a format of their own, but not what happens in front of them, such
// as rate limits.
func (f Fault) failure(operation string) *failure {
	if f.errorType != "" {
		return fail(f.errorType)
	}
	if oauthOperations[operation] && (f.status == 400 || f.status == 401) {
		e := grantError("invalid_client", "The client credentials are not valid.")
		e.status = f.status
		return e
	}
	kind := usualTypes[f.status]
	switch {
	case kind != "":
	case f.status < 500:
		kind = "bad_request"
	default:
		kind = "internal_server_error"
	}
	e := fail(kind)
	e.status = f.status
	return e
}

// struck begins the reason for a request that the fault applied to.
func (f Fault) struck(operation string) string {
	if f.operation == "" {
		return "fault " + f.kindName() + " of every operation struck " + operation
	}
	return "fault " + f.kindName() + " of " + f.operation + " struck"
}

// reason says what the fault did. refused is why the operation refused the request; empty if it did
// not.
func (f Fault) reason(operation, refused string) string {
	reason := f.struck(operation)
	switch {
	case f.kind == faultDelay && refused == "":
		return reason + ": the response waited " + f.delay.String()
	case f.kind == faultDelay:
		return reason + ": the response waited " + f.delay.String() + ", and the operation was refused: " + refused
	case !f.runsOperation():
		reason += " before the operation: it was not carried out"
	case refused != "":
		reason += " after the operation was refused: " + refused
	default:
		reason += " after the operation took effect"
	}
	switch {
	case f.kind == faultCut:
		reason += "; half of the response was sent"
	case f.kind == faultSlow:
		reason += "; the response waited " + f.delay.String() + " in its middle"
	case f.delay > 0:
		reason += "; the response waited " + f.delay.String()
	}
	return reason
}
