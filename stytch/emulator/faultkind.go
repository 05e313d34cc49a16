package emulator

import (
	"slices"
	"strings"
)

// A FaultKind describes a kind of [Fault] for forms and documentation. Besides the keys listed
// here, every kind takes operation, kind, latency, after, times and each.
type FaultKind struct {
	Name        string   `json:"name"` // value of the key kind
	Description string   `json:"description"`
	Needs       []string `json:"needs"` // keys that a fault of this kind must have
	Takes       []string `json:"takes"` // further keys that it may have
}

// The keys of a fault as JSON.
const (
	keyOperation   = "operation"
	keyKind        = "kind"
	keyStatus      = "status"
	keyErrorType   = "error_type"
	keyLatency     = "latency"
	keyRetryAfter  = "retry_after"
	keyAfterEffect = "after_effect"
	keyAfter       = "after"
	keyTimes       = "times"
	keyEach        = "each"
)

// A faultMaker is a kind with the fault that it starts from.
type faultMaker struct {
	FaultKind
	make Fault
}

var faultKinds = []faultMaker{
	{FaultKind{"drop_response", "Carries out the operation and ends the connection without a response.", nil, nil}, Fault{kind: faultReset, afterEffect: true}},
	{FaultKind{"reset", "Ends the connection without carrying out the operation.", nil, nil}, Fault{kind: faultReset}},
	{FaultKind{"latency", "Waits, then responds as usual.", []string{keyLatency}, nil}, Fault{kind: faultDelay}},
	{FaultKind{"slow_body", "Carries out the operation and waits in the middle of the body.", []string{keyLatency}, nil}, Fault{kind: faultSlow}},
	{FaultKind{"cut_body", "Carries out the operation, sends half of the response and ends the connection.", nil, nil}, Fault{kind: faultCut}},
	{FaultKind{"status", "Responds with an error in Stytch's format.", []string{keyStatus}, []string{keyAfterEffect}}, Fault{kind: faultStatus}},
	{FaultKind{"error_type", "Responds with an error of the contract by its name.", []string{keyErrorType}, []string{keyAfterEffect}}, Fault{kind: faultStatus}},
	{FaultKind{"rate_limited", "Responds with 429 too_many_requests.", nil, []string{keyRetryAfter, keyAfterEffect}}, Fault{kind: faultStatus, status: 429}},
	{FaultKind{"html", "Responds with an HTML page, as a proxy does.", []string{keyStatus}, []string{keyAfterEffect}}, Fault{kind: faultHTML}},
	{FaultKind{"garbage", "Responds with a body that is labeled as JSON and does not parse.", []string{keyStatus}, []string{keyAfterEffect}}, Fault{kind: faultGarbage}},
	{FaultKind{"empty_body", "Responds with a status and no body.", []string{keyStatus}, []string{keyAfterEffect}}, Fault{kind: faultEmpty}},
}

// FaultKinds lists the kinds of faults.
func FaultKinds() []FaultKind {
	kinds := make([]FaultKind, len(faultKinds))
	for i, k := range faultKinds {
		kinds[i] = k.FaultKind
		kinds[i].Needs, kinds[i].Takes = append([]string{}, k.Needs...), append([]string{}, k.Takes...)
	}
	return kinds
}

func faultKindNames() string {
	names := make([]string, len(faultKinds))
	for i, k := range faultKinds {
		names[i] = k.Name
	}
	return strings.Join(names, ", ")
}

// kindName is the name of the fault's kind; empty for the zero Fault.
func (f Fault) kindName() string {
	for _, k := range faultKinds {
		if k.make.kind != f.kind {
			continue
		}
		switch {
		case f.kind == faultReset && k.make.afterEffect != f.afterEffect:
		case f.kind == faultStatus && slices.Contains(k.Needs, keyErrorType) != (f.errorType != ""):
		case f.kind == faultStatus && f.errorType == "" && (k.make.status == 429) != (f.status == 429):
		default:
			return k.Name
		}
	}
	return ""
}
