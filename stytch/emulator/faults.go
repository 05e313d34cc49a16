package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/stytchkit/m2m/gen/server"
)

// A FaultKind is what happens to an answer.
type FaultKind int

// The kinds of faults.
const (
	FaultDelay   FaultKind = iota // nothing but Latency
	FaultStatus                   // an error of Stytch with the Status
	FaultHTML                     // a page of HTML with the Status, as a proxy in between answers
	FaultEmpty                    // the Status and nothing else
	FaultGarbage                  // the Status, the label application/json, and half an object
	FaultCut                      // half of the real answer, then the connection ends
	FaultReset                    // no answer: the connection ends
	FaultSlow                     // half of the real answer, then the other half after Latency
)

// A Fault goes wrong on purpose. Make one with a constructor such as [DropResponse] and say when it strikes with
// [Fault.After], [Fault.Times] and [Fault.Each]; or fill in the fields.
//
// A request of the operation is counted by every fault it could meet, and met by the first, in the order in which they
// were added, whose turn it is. Faults strike before credentials and body are looked at, unless AfterEffect.
type Fault struct {
	Operation   string // operationId of the contract; empty for all
	Kind        FaultKind
	Status      int           // of FaultStatus (400 to 599), FaultHTML, FaultEmpty and FaultGarbage (200 to 599)
	ErrorType   string        // of FaultStatus, if not the usual one for the Status
	RetryAfter  string        // the header Retry-After, as it is
	Latency     time.Duration // to wait before anything else, unless FaultSlow; ends with the request's context
	AfterEffect bool          // do the work first, then spoil the answer
	Skip        int           // spare so many requests
	Count       int           // then strike so many times; 0 for always
	Every       int           // and of the requests not spared strike only each Every-th; 0 for each
}

// Status answers an error of Stytch with a status of 400 to 599; nothing is done.
func Status(operation string, status int) Fault {
	return Fault{Operation: operation, Kind: FaultStatus, Status: status}
}

// RateLimited answers 429 too_many_requests, with the header Retry-After unless it is empty.
func RateLimited(operation, retryAfter string) Fault {
	return Fault{Operation: operation, Kind: FaultStatus, Status: http.StatusTooManyRequests, RetryAfter: retryAfter}
}

// HTML answers a page of HTML, as a proxy does with 502, and a captive portal with 200.
func HTML(operation string, status int) Fault {
	return Fault{Operation: operation, Kind: FaultHTML, Status: status}
}

// EmptyBody answers a status and nothing else.
func EmptyBody(operation string, status int) Fault {
	return Fault{Operation: operation, Kind: FaultEmpty, Status: status}
}

// Garbage answers something that is labelled as JSON and is none.
func Garbage(operation string, status int) Fault {
	return Fault{Operation: operation, Kind: FaultGarbage, Status: status}
}

// CutBody does the work and sends half of the answer.
func CutBody(operation string) Fault { return Fault{Operation: operation, Kind: FaultCut} }

// Reset ends the connection; nothing is done.
func Reset(operation string) Fault { return Fault{Operation: operation, Kind: FaultReset} }

// DropResponse does the work and ends the connection without an answer: the client cannot know whether it was done.
func DropResponse(operation string) Fault {
	return Fault{Operation: operation, Kind: FaultReset, AfterEffect: true}
}

// Latency waits before it lets the request through.
func Latency(operation string, d time.Duration) Fault {
	return Fault{Operation: operation, Kind: FaultDelay, Latency: d}
}

// SlowBody does the work and waits in the middle of the answer.
func SlowBody(operation string, d time.Duration) Fault {
	return Fault{Operation: operation, Kind: FaultSlow, Latency: d}
}

// After returns the fault with n requests spared first.
func (f Fault) After(n int) Fault { f.Skip = n; return f }

// Times returns the fault limited to n strikes.
func (f Fault) Times(n int) Fault { f.Count = n; return f }

// Each returns the fault for each n-th request only.
func (f Fault) Each(n int) Fault { f.Every = n; return f }

// works reports whether the operation is done in spite of the fault.
func (f Fault) works() bool {
	return f.AfterEffect || f.Kind == FaultDelay || f.Kind == FaultCut || f.Kind == FaultSlow
}

func (f Fault) check() error {
	if f.Operation != "" && !slices.Contains(operations(), f.Operation) {
		return fmt.Errorf("emulator: a fault of an operation that the contract does not have: %q", f.Operation)
	}
	if f.Kind < FaultDelay || f.Kind > FaultSlow {
		return errors.New("emulator: a fault of an unknown kind")
	}
	if f.Skip < 0 || f.Count < 0 || f.Every < 0 || f.Latency < 0 {
		return errors.New("emulator: a fault with a negative number")
	}
	lowest := 200
	switch f.Kind {
	case FaultStatus:
		lowest = 400
	case FaultHTML, FaultEmpty, FaultGarbage:
	default:
		return nil
	}
	if f.Status < lowest || f.Status > 599 {
		return fmt.Errorf("emulator: a fault with a status outside %d to 599", lowest)
	}
	return nil
}

// operations lists the operationIds of the contract: the methods of the generated interface.
var operations = sync.OnceValue(func() (ids []string) {
	t := reflect.TypeFor[server.StrictServerInterface]()
	for i := range t.NumMethod() {
		ids = append(ids, t.Method(i).Name)
	}
	return ids
})

// A faultPlan decides which fault a request meets.
type faultPlan struct {
	mu    sync.Mutex
	armed []*armedFault
}

type armedFault struct {
	Fault
	seen, struck int
}

func (p *faultPlan) add(f Fault) (remove func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	armed := &armedFault{Fault: f}
	p.armed = append(p.armed, armed)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.armed = slices.DeleteFunc(p.armed, func(a *armedFault) bool { return a == armed })
	}
}

func (p *faultPlan) next(operation string) (Fault, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var met *armedFault
	for _, a := range p.armed {
		if a.Operation != "" && a.Operation != operation {
			continue
		}
		a.seen++
		if met == nil && a.due() {
			met = a
		}
	}
	if met == nil {
		return Fault{}, false
	}
	met.struck++
	return met.Fault, true
}

func (a *armedFault) due() bool {
	turn := a.seen - a.Skip
	return turn > 0 && (a.Count == 0 || a.struck < a.Count) && (a.Every < 2 || turn%a.Every == 0)
}
