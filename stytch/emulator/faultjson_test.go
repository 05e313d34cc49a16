package emulator_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
)

const statusOp = "CreateM2MClient"

// Every constructor and modifier has a form as JSON that gives the same fault.
func TestFaultsAsData(t *testing.T) {
	for _, tt := range []struct {
		fault emulator.Fault
		text  string
	}{
		{emulator.DropResponse(statusOp), `{"operation":"CreateM2MClient","kind":"drop_response"}`},
		{emulator.Reset("").Times(2), `{"operation":"","kind":"reset","times":2}`},
		{emulator.Latency(statusOp, 1500*time.Millisecond).After(3), `{"operation":"CreateM2MClient","kind":"latency","latency":"1.5s","after":3}`},
		{emulator.SlowBody("", time.Second), `{"operation":"","kind":"slow_body","latency":"1s"}`},
		{emulator.HTML("", 502).Delay(time.Second), `{"operation":"","kind":"html","status":502,"latency":"1s"}`},
		{emulator.Garbage("", 200).AfterEffect(), `{"operation":"","kind":"garbage","status":200,"after_effect":true}`},
		{emulator.EmptyBody("", 500), `{"operation":"","kind":"empty_body","status":500}`},
		{emulator.CutBody("").Each(2), `{"operation":"","kind":"cut_body","each":2}`},
		{emulator.RateLimited("", "30"), `{"operation":"","kind":"rate_limited","retry_after":"30"}`},
		{emulator.RateLimited("", ""), `{"operation":"","kind":"rate_limited"}`},
		{emulator.Status("", 503), `{"operation":"","kind":"status","status":503}`},
		{emulator.ErrorType("", "search_timeout"), `{"operation":"","kind":"error_type","error_type":"search_timeout"}`},
	} {
		data, err := json.Marshal(tt.fault)
		if err != nil || string(data) != tt.text {
			t.Errorf("%s, %v; want %s", data, err, tt.text)
		}
		var got emulator.Fault
		if err := json.Unmarshal([]byte(tt.text), &got); err != nil || got != tt.fault {
			t.Errorf("%s: %v", tt.text, err)
		}
	}
	for _, text := range []string{`{"kind":"status","status":429}`, `{"kind":"reset","operation":""}`} {
		var got emulator.Fault
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := json.Marshal(emulator.Fault{}); !errors.Is(err, emulator.ErrInvalidArgument) {
		t.Errorf("the zero fault: %v", err)
	}
}

func TestFaultsThatCannotBeRead(t *testing.T) {
	for text, says := range map[string]string{
		`null`:                                            "fault: the value must be a JSON object, and it is null",
		`[]`:                                              "it is a list",
		`{}`:                                              `fault: kind: "" is not known: use one of drop_response, reset,`,
		`{"kind":"drop"}`:                                 `fault: kind: "drop" is not known`,
		`{"kind":"reset","colour":1}`:                     `fault: the key "colour" is not known: use after, after_effect, each, error_type, kind, latency, operation,`,
		`{"kind":"reset","status":500}`:                   "fault: status: the kind reset does not have it: leave it out",
		`{"kind":"status"}`:                               "fault: status: the kind status needs it",
		`{"kind":"status","status":"500"}`:                "fault: status: the value is a string: it must be a whole number",
		`{"kind":"status","status":500.5}`:                "fault: status: the value is a number: it must be a whole number",
		`{"kind":"status","status":200}`:                  "fault: status: 200 is outside 400 to 599",
		`{"kind":"html","status":600}`:                    "fault: status: 600 is outside 200 to 599",
		`{"kind":"reset","times":-1}`:                     "fault: times: it must not be negative",
		`{"kind":"reset","after":-1}`:                     "fault: after: it must not be negative",
		`{"kind":"reset","each":null}`:                    "fault: each: the value is null: it must be a whole number",
		`{"kind":"latency"}`:                              "fault: latency: the kind latency needs it",
		`{"kind":"latency","latency":"1"}`:                `fault: latency: "1" is not a duration such as "200ms" or "1.5s"`,
		`{"kind":"latency","latency":1}`:                  "fault: latency: the value is a number: it must be a string",
		`{"kind":"latency","latency":"-1s"}`:              "fault: latency: it must not be negative",
		`{"kind":"error_type","error_type":"x"}`:          `fault: error_type: "x" is not in the x-error-catalog`,
		`{"kind":"error_type","error_type":""}`:           "fault: error_type: it must not be empty",
		`{"kind":"reset","operation":"GetM2MClients"}`:    `fault: operation: "GetM2MClients" is not in api/openapi.yaml: use one of `,
		`{"kind":"html","status":502,"after_effect":"y"}`: "fault: after_effect: the value is a string: it must be true or false",
	} {
		var f emulator.Fault
		err := json.Unmarshal([]byte(text), &f)
		if !errors.Is(err, emulator.ErrInvalidArgument) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
		if f != (emulator.Fault{}) {
			t.Errorf("%s: half a fault", text)
		}
	}
}

// Each kind takes exactly the keys that FaultKinds lists.
func TestFaultKinds(t *testing.T) {
	values := map[string]any{
		"operation": "GetM2MClient", "latency": "1s", "after": 1, "times": 1, "each": 1,
		"status": 500, "error_type": "search_timeout", "retry_after": "1", "after_effect": true,
	}
	always := []string{"operation", "latency", "after", "times", "each"}
	for _, kind := range emulator.FaultKinds() {
		good := map[string]any{"kind": kind.Name}
		for _, key := range append(append(always, kind.Needs...), kind.Takes...) {
			good[key] = values[key]
		}
		data, _ := json.Marshal(good)
		var f emulator.Fault
		if err := json.Unmarshal(data, &f); err != nil || kind.Description == "" {
			t.Errorf("%s: %v", data, err)
		}
		again, err := json.Marshal(f)
		var got map[string]any
		if err != nil || json.Unmarshal(again, &got) != nil || len(got) != len(good) || got["kind"] != kind.Name {
			t.Errorf("%s became %s, %v", data, again, err)
		}
		for _, key := range kind.Needs {
			less := map[string]any{}
			for name, value := range good {
				if name != key {
					less[name] = value
				}
			}
			data, _ := json.Marshal(less)
			if json.Unmarshal(data, &f) == nil {
				t.Errorf("%s is accepted", data)
			}
		}
		for key, value := range values {
			if _, known := good[key]; !known {
				data, _ := json.Marshal(map[string]any{"kind": kind.Name, key: value})
				if json.Unmarshal(data, &f) == nil {
					t.Errorf("%s is accepted", data)
				}
			}
		}
	}
}

func TestActiveFaults(t *testing.T) {
	w := start(t, emulator.WithFaults(emulator.Status("GetM2MClient", 500).Times(2)))
	id, err := w.AddFault(emulator.Status("", 503).After(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range []int{500, 500, 503} {
		if got := w.call("GET", clients+"/x", ""); got.status != status {
			t.Errorf("%d, want %d", got.status, status)
		}
	}
	want := []emulator.ActiveFault{
		{ID: "fault-1", Fault: emulator.Status("GetM2MClient", 500).Times(2), Seen: 3, Struck: 2, Left: 0},
		{ID: id, Fault: emulator.Status("", 503).After(1), Seen: 3, Struck: 1, Left: -1},
	}
	if got := w.Faults(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	data, err := json.Marshal(w.Faults()[0])
	if want := `{"id":"fault-1","fault":{"operation":"GetM2MClient","kind":"status","status":500,"times":2},"seen":3,"struck":2,"left":0}`; err != nil || string(data) != want {
		t.Errorf("%s, %v; want %s", data, err, want)
	}
	if !w.RemoveFault(id) || w.RemoveFault(id) || w.RemoveFault("") || len(w.Faults()) != 1 {
		t.Error("RemoveFault removes something else")
	}
	w.expect(404, "m2m_client_not_found", "GET", clients+"/x", "")
	if _, err := w.AddFault(emulator.Fault{}); !errors.Is(err, emulator.ErrInvalidArgument) || len(w.Faults()) != 1 {
		t.Errorf("an impossible fault: %v", err)
	}
}

// What is read is valid, and what is written from it is read again as the same fault.
func FuzzFault(f *testing.F) {
	for _, text := range []string{
		`{"operation":"CreateM2MClient","kind":"drop_response","times":1}`, `{"kind":"latency","latency":"1h","each":2,"after":1}`,
		`{"kind":"html","status":502,"after_effect":true}`, `{"kind":"rate_limited","retry_after":"Wed, 21 Oct 2015 07:28:00 GMT"}`,
		`{"kind":"error_type","error_type":"search_timeout"}`, `{"kind":"status","status":429}`, `{"kind":"reset","kind":"cut_body"}`, `null`, `{`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var fault emulator.Fault
		if err := fault.UnmarshalJSON(data); err != nil {
			if !errors.Is(err, emulator.ErrInvalidArgument) || fault != (emulator.Fault{}) {
				t.Fatal(err)
			}
			return
		}
		if _, err := emulator.New(emulator.WithFaults(fault)); err != nil {
			t.Fatalf("%s is read and refused: %v", data, err)
		}
		text, err := json.Marshal(fault)
		if err != nil {
			t.Fatal(err)
		}
		var again emulator.Fault
		if err := json.Unmarshal(text, &again); err != nil || again != fault {
			t.Fatalf("%s became %s: %v", data, text, err)
		}
	})
}

// Faults move to another emulator with their ids and counts, and are counted apart from then on.
func TestTakeFaults(t *testing.T) {
	before := start(t, emulator.WithFaults(emulator.Status("SearchM2MClients", 503).Times(2), emulator.Reset(statusOp)))
	before.call("POST", "/v1/m2m/clients/search", `{}`)
	after := start(t, emulator.WithFaults(emulator.HTML("", 502)))
	want := before.Faults()
	after.TakeFaults(before.Emulator)
	if got := after.Faults(); !reflect.DeepEqual(got, want) || got[0].Struck != 1 || got[0].Left != 1 {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	after.call("POST", "/v1/m2m/clients/search", `{}`)
	if got := before.Faults(); !reflect.DeepEqual(got, want) {
		t.Errorf("the first emulator: %+v, want %+v", got, want)
	}
	id, err := after.AddFault(emulator.Reset(statusOp))
	if err != nil || slices.ContainsFunc(want, func(f emulator.ActiveFault) bool { return f.ID == id }) {
		t.Errorf("the id %s of a new fault is taken, or %v", id, err)
	}
}
