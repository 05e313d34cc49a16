package emulator

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stytchkit/m2m/gen/server"
)

// A Fault makes an operation fail on purpose. Make one with a constructor such as [DropResponse],
// and say which requests it hits with [Fault.After], [Fault.Times] and [Fault.Each]: without them,
// all.
//
// Every constructor takes the operationId of the contract (api/openapi.yaml), such as
// "CreateM2MClient"; the empty string stands for every operation. A fault is checked when it is
// added, by [WithFaults] or [Emulator.Inject].
//
// Each request counts for every fault of its operation. The first fault that is due, in the order
// in which they were added, applies. It applies before credentials and body are checked, unless the
// operation is carried out first.
type Fault struct {
	operation   string
	kind        faultKind
	status      int
	errorType   string // of faultStatus; empty for the usual one of the status
	retryAfter  string
	delay       time.Duration // before anything else; for faultSlow, in the middle of the body
	afterEffect bool

	skip, count, every int
}

type faultKind int

const (
	faultDelay   faultKind = iota + 1 // nothing but the delay
	faultStatus                       // an error in Stytch's format
	faultHTML                         // an HTML page
	faultEmpty                        // a status without a body
	faultGarbage                      // half of a JSON object, sent as JSON
	faultCut                          // half of the real response, then the connection ends
	faultReset                        // no response: the connection ends
	faultSlow                         // half of the real response, and after the delay the rest
)

// Status responds with an error in Stytch's format and a status of 400 to 599. The operation is not
// carried out.
func Status(operation string, status int) Fault {
	return Fault{operation: operation, kind: faultStatus, status: status}
}

// ErrorType responds with the error of a type of the contract's x-error-catalog, such as
// "search_timeout", with its usual status. It produces what the emulator never responds with by
// itself. The operation is not carried out.
func ErrorType(operation, errorType string) Fault {
	return Fault{operation: operation, kind: faultStatus, errorType: errorType, status: failures[errorType].status}
}

// RateLimited responds with 429 too_many_requests, and with the header Retry-After unless
// retryAfter is empty. The value is sent unchecked.
func RateLimited(operation, retryAfter string) Fault {
	return Fault{operation: operation, kind: faultStatus, status: http.StatusTooManyRequests, retryAfter: retryAfter}
}

// HTML responds with an HTML page and a status of 200 to 599: 502 from a proxy, 200 from a captive
// portal.
func HTML(operation string, status int) Fault {
	return Fault{operation: operation, kind: faultHTML, status: status}
}

// EmptyBody responds with a status of 200 to 599 and no body.
func EmptyBody(operation string, status int) Fault {
	return Fault{operation: operation, kind: faultEmpty, status: status}
}

// Garbage responds with a status of 200 to 599 and a body that is labeled as JSON but does not
// parse.
func Garbage(operation string, status int) Fault {
	return Fault{operation: operation, kind: faultGarbage, status: status}
}

// CutBody carries out the operation, sends half of the response and ends the connection.
func CutBody(operation string) Fault { return Fault{operation: operation, kind: faultCut} }

// Reset ends the connection without carrying out the operation. Over TCP the client sees a
// connection reset.
func Reset(operation string) Fault { return Fault{operation: operation, kind: faultReset} }

// DropResponse carries out the operation and ends the connection without a response: the client
// cannot know whether it took effect.
func DropResponse(operation string) Fault {
	return Fault{operation: operation, kind: faultReset, afterEffect: true}
}

// Latency waits for d, then responds as usual. The wait ends early if the client disconnects; then
// the operation is not carried out.
func Latency(operation string, d time.Duration) Fault {
	return Fault{operation: operation, kind: faultDelay, delay: d}
}

// SlowBody carries out the operation and waits for d in the middle of the body.
func SlowBody(operation string, d time.Duration) Fault {
	return Fault{operation: operation, kind: faultSlow, delay: d}
}

// AfterEffect returns a copy that carries out the operation first and only then fails.
func (f Fault) AfterEffect() Fault { f.afterEffect = true; return f }

// Delay returns a copy that waits for d first. For [SlowBody] it sets the wait in the middle of the
// body.
func (f Fault) Delay(d time.Duration) Fault { f.delay = d; return f }

// After returns a copy that skips the first n requests.
func (f Fault) After(n int) Fault { f.skip = n; return f }

// Times returns a copy that applies n times and then never again. 0 means no limit.
func (f Fault) Times(n int) Fault { f.count = n; return f }

// Each returns a copy that applies to every n-th request only, counted from the end of
// [Fault.After].
func (f Fault) Each(n int) Fault { f.every = n; return f }

// runsOperation reports whether the operation is carried out in spite of the fault.
func (f Fault) runsOperation() bool {
	return f.afterEffect || f.kind == faultDelay || f.kind == faultCut || f.kind == faultSlow
}

// check returns an error matching ErrInvalidArgument for a fault that could never apply, or not as
// described.
func (f Fault) check() error {
	if f.kind == 0 {
		return invalidArgument("a Fault without a kind: make it with a constructor such as emulator.Reset")
	}
	if f.operation != "" && !slices.Contains(operations(), f.operation) {
		return invalidArgument("fault: operation: %.64q is not in api/openapi.yaml: use one of %s", f.operation, strings.Join(operations(), ", "))
	}
	for _, number := range []struct {
		key   string
		value int64
	}{{keyAfter, int64(f.skip)}, {keyTimes, int64(f.count)}, {keyEach, int64(f.every)}, {keyLatency, int64(f.delay)}} {
		if number.value < 0 {
			return invalidArgument("fault: %s: it must not be negative", number.key)
		}
	}
	if _, known := failures[f.errorType]; f.errorType != "" && !known {
		return invalidArgument("fault: error_type: %.64q is not in the x-error-catalog of api/openapi.yaml", f.errorType)
	}
	lowest := 200
	switch f.kind {
	case faultStatus:
		lowest = 400
	case faultHTML, faultEmpty, faultGarbage:
	default:
		return nil
	}
	if f.status < lowest || f.status > 599 {
		return invalidArgument("fault: status: %d is outside %d to 599", f.status, lowest)
	}
	return nil
}

// operations lists the operationIds of the contract: the methods of the generated interface.
var operations = sync.OnceValue(func() (ids []string) {
	t := reflect.TypeFor[server.ServerInterface]()
	for i := range t.NumMethod() {
		ids = append(ids, t.Method(i).Name)
	}
	return ids
})
