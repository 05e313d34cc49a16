package emulator

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

type faultValue struct {
	Operation   string `json:"operation"` // empty for every operation
	Kind        string `json:"kind"`
	Status      int    `json:"status,omitempty"`
	ErrorType   string `json:"error_type,omitempty"`
	Latency     string `json:"latency,omitempty"`
	RetryAfter  string `json:"retry_after,omitempty"`
	AfterEffect bool   `json:"after_effect,omitempty"`
	After       int    `json:"after,omitempty"`
	Times       int    `json:"times,omitempty"`
	Each        int    `json:"each,omitempty"`
}

// MarshalJSON writes the fault as an object that [Fault.UnmarshalJSON] reads.
func (f Fault) MarshalJSON() ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	v := faultValue{
		Operation: f.operation, Kind: f.kindName(), Status: f.status, ErrorType: f.errorType, RetryAfter: f.retryAfter,
		After: f.skip, Times: f.count, Each: f.every,
	}
	allowed := faultKeys(v.Kind)
	v.AfterEffect = f.afterEffect && allowed[keyAfterEffect]
	if !allowed[keyStatus] {
		v.Status = 0
	}
	if f.delay > 0 || f.kind == faultDelay || f.kind == faultSlow {
		v.Latency = f.delay.String()
	}
	return json.Marshal(v)
}

// faultKeys is the set of keys that a kind may have.
func faultKeys(kind string) map[string]bool {
	keys := map[string]bool{keyOperation: true, keyKind: true, keyLatency: true, keyAfter: true, keyTimes: true, keyEach: true}
	for _, k := range faultKinds {
		if k.Name == kind {
			for _, key := range slices.Concat(k.Needs, k.Takes) {
				keys[key] = true
			}
		}
	}
	return keys
}

// UnmarshalJSON reads a fault such as
//
//	{"operation": "CreateM2MClient", "kind": "drop_response", "times": 1}
//
// The keys are operation (every one if it is left out), kind, status, error_type, latency such as
// "1.5s", retry_after, after_effect, after, times and each; [FaultKinds] lists which kind has
// which. It fails with an error matching [ErrInvalidArgument] that names the key and the rule.
func (f *Fault) UnmarshalJSON(data []byte) error {
	fields, ok := parseObject(data)
	if !ok {
		return invalidArgument("fault: the value %s", jsonFault(data))
	}
	var v faultValue
	known := faultKeys("")
	for key, target := range v.targets() {
		known[key] = true
		if raw, given := fields[key]; given && (isNull(raw) || json.Unmarshal(raw, target) != nil) {
			return invalidArgument("fault: %s: the value is %s: it must be %s", key, jsonKind(raw), faultRule(target))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if !known[key] {
			return invalidArgument("fault: the key %.64q is not known: use %s", key, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	parsed, err := v.fault(fields)
	if err != nil {
		return err
	}
	*f = parsed
	return nil
}

func (v *faultValue) targets() map[string]any {
	return map[string]any{
		keyOperation: &v.Operation, keyKind: &v.Kind, keyStatus: &v.Status, keyErrorType: &v.ErrorType, keyLatency: &v.Latency,
		keyRetryAfter: &v.RetryAfter, keyAfterEffect: &v.AfterEffect, keyAfter: &v.After, keyTimes: &v.Times, keyEach: &v.Each,
	}
}

func faultRule(target any) string {
	switch target.(type) {
	case *int:
		return "a whole number"
	case *bool:
		return "true or false"
	}
	return "a string"
}

func (v *faultValue) fault(given map[string]json.RawMessage) (Fault, error) {
	i := slices.IndexFunc(faultKinds, func(k faultMaker) bool { return k.Name == v.Kind })
	if i < 0 {
		return Fault{}, invalidArgument("fault: kind: %.64q is not known: use one of %s", v.Kind, faultKindNames())
	}
	kind := faultKinds[i]
	for _, key := range kind.Needs {
		if _, ok := given[key]; !ok {
			return Fault{}, invalidArgument("fault: %s: the kind %s needs it", key, v.Kind)
		}
	}
	allowed := faultKeys(v.Kind)
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if !allowed[key] {
			return Fault{}, invalidArgument("fault: %s: the kind %s does not have it: leave it out", key, v.Kind)
		}
	}
	f := kind.make
	f.operation, f.errorType, f.retryAfter = v.Operation, v.ErrorType, v.RetryAfter
	f.skip, f.count, f.every = v.After, v.Times, v.Each
	f.afterEffect = f.afterEffect || v.AfterEffect
	if _, ok := given[keyStatus]; ok {
		f.status = v.Status
	}
	if _, ok := given[keyErrorType]; ok {
		if v.ErrorType == "" {
			return Fault{}, invalidArgument("fault: error_type: it must not be empty")
		}
		f.status = failures[v.ErrorType].status
	}
	if _, ok := given[keyLatency]; ok {
		var err error
		if f.delay, err = time.ParseDuration(v.Latency); err != nil {
			return Fault{}, invalidArgument(`fault: latency: %.64q is not a duration such as "200ms" or "1.5s"`, v.Latency)
		}
	}
	return f, f.check()
}
