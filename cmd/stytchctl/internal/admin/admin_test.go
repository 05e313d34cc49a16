package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/instance"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/seed"
	"github.com/stytchkit/m2m/stytch/secret"
)

const seedText = `
m2m_clients:
  - {client_id: worker, client_secret: Correct-Horse-9, scopes: ["read:users", "write:invoices"]}
connected_apps:
  - {client_id: portal, client_secret: Correct-Horse-8}
faults:
  - {operation: GetConnectedApp, kind: status, status: 503, times: 2}
`

// A world is an emulator with its admin API.
type world struct {
	*testing.T
	instance *instance.Instance
	handler  http.Handler
	ending   chan struct{}
}

func start(t *testing.T) *world {
	t.Helper()
	from, err := seed.Parse("seed.yaml", []byte(seedText))
	if err != nil {
		t.Fatal(err)
	}
	i, err := instance.Open(instance.Config{
		ProjectID: seed.DefaultProjectID, Secret: secret.New(seed.DefaultSecret), Seed: from,
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, instance: i, ending: make(chan struct{})}
	w.handler = admin.New(i, w.ending)
	return w
}

// do sends a request to the admin API.
func (w *world) do(method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, admin.Base+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	return recorder
}

// call wants a status and reads the response strictly into a type of the contract.
func call[T any](w *world, method, path, body string, status int) (value T) {
	w.Helper()
	recorder := w.do(method, path, body)
	if recorder.Code != status {
		w.Fatalf("%s %s: status %d, want %d: %s", method, path, recorder.Code, status, recorder.Body)
	}
	decoder := json.NewDecoder(recorder.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil && !errors.Is(err, io.EOF) {
		w.Fatalf("%s %s: %v", method, path, err)
	}
	return value
}

// stytch sends a request to the API of Stytch and returns its status and body.
func (w *world) stytch(method, path, body string) (int, map[string]any) {
	w.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(seed.DefaultProjectID, seed.DefaultSecret)
	recorder := httptest.NewRecorder()
	w.instance.ServeHTTP(recorder, r)
	value := map[string]any{}
	if err := json.Unmarshal(recorder.Body.Bytes(), &value); err != nil {
		w.Fatalf("%s %s: %v: %s", method, path, err, recorder.Body)
	}
	return recorder.Code, value
}

func (w *world) token() (int, map[string]any) {
	w.Helper()
	return w.stytch("POST", "/v1/public/"+seed.DefaultProjectID+"/oauth2/token",
		`{"grant_type":"client_credentials","client_id":"worker","client_secret":"Correct-Horse-9"}`)
}

// Every operation of the contract is served, with a body of the declared shape.
func TestEveryOperation(t *testing.T) {
	w := start(t)
	w.token()
	served := map[string]func(){
		"ExportState": func() { call[admin.State](w, "GET", "/state", "", 200) },
		"ImportState": func() {
			state := w.do("GET", "/state", "").Body.String()
			call[admin.Summary](w, "PUT", "/state", state, 200)
		},
		"Reset":      func() { call[admin.Summary](w, "POST", "/reset", `{"to":"seed"}`, 200) },
		"ListFaults": func() { call[admin.Faults](w, "GET", "/faults", "", 200) },
		"AddFault": func() {
			call[admin.ActiveFault](w, "POST", "/faults", `{"kind":"reset","operation":"DeleteConnectedApp"}`, 200)
		},
		"RemoveFaults":   func() { call[struct{}](w, "DELETE", "/faults", "", 204) },
		"ListRequests":   func() { call[admin.Requests](w, "GET", "/requests", "", 200) },
		"ClearRequests":  func() { call[struct{}](w, "DELETE", "/requests", "", 204) },
		"CountRequests":  func() { call[admin.Count](w, "POST", "/requests/count", `{}`, 200) },
		"GetBill":        func() { call[admin.Bill](w, "GET", "/bill", "", 200) },
		"GetClock":       func() { call[admin.Clock](w, "GET", "/clock", "", 200) },
		"SetClock":       func() { call[admin.Clock](w, "PUT", "/clock", `{"advance":"1s"}`, 200) },
		"ListKeys":       func() { call[admin.Keys](w, "GET", "/keys", "", 200) },
		"MintToken":      func() { call[admin.MintedToken](w, "POST", "/tokens", `{"client_id":"worker"}`, 200) },
		"GetBehavior":    func() { call[admin.BehaviorList](w, "GET", "/behavior", "", 200) },
		"SetBehavior":    func() { call[admin.BehaviorList](w, "PATCH", "/behavior", `{}`, 200) },
		"ListOperations": func() { call[admin.Operations](w, "GET", "/operations", "", 200) },
		"GetHealth":      func() { call[admin.Health](w, "GET", "/health", "", 200) },
		"GetReady":       func() { call[admin.Health](w, "GET", "/ready", "", 200) },
		"RemoveFault": func() {
			f := call[admin.ActiveFault](w, "POST", "/faults", `{"kind":"reset","operation":"DeleteConnectedApp"}`, 200)
			call[struct{}](w, "DELETE", "/faults/"+f.ID, "", 204)
		},
		"GetRequest": func() {
			w.stytch("GET", "/v1/m2m/clients/worker", "")
			last := call[admin.Requests](w, "GET", "/requests", "", 200).Last
			call[admin.LoggedRequest](w, "GET", "/requests/"+itoa(last), "", 200)
		},
		"RotateKey": func() {
			keys := call[admin.Keys](w, "POST", "/keys/rotate", "", 200).Keys
			if n := len(keys); n < 2 || !keys[n-1].Current || keys[0].Current {
				t.Errorf("keys after a rotation: %+v", keys)
			}
		},
		"RemoveKey": func() {
			keys := call[admin.Keys](w, "POST", "/keys/rotate", "", 200).Keys
			call[struct{}](w, "DELETE", "/keys/"+keys[0].ID, "", 204)
		},
		"GetContract": func() {
			if body := w.do("GET", "/openapi.yaml", "").Body.Bytes(); !bytes.Equal(body, admin.Contract) {
				t.Error("the contract that is served is another one")
			}
		},
		"StreamRequests": func() {
			close(w.ending) // the stream ends at once, after its first events
			if text := w.do("GET", "/requests/stream", "").Body.String(); !strings.HasPrefix(text, ": ") {
				t.Errorf("the stream begins with %q", text)
			}
		},
	}
	for _, id := range operationIDs(t) {
		t.Run(id, func(t *testing.T) {
			test, ok := served[id]
			if !ok {
				t.Fatal("no test calls the operation")
			}
			w.T = t
			test()
		})
	}
}

func operationIDs(t *testing.T) (ids []string) {
	t.Helper()
	var contract struct {
		Paths map[string]map[string]struct {
			OperationID string `yaml:"operationId"`
		} `yaml:"paths"`
	}
	if err := yaml.Unmarshal(admin.Contract, &contract); err != nil {
		t.Fatal(err)
	}
	for _, methods := range contract.Paths {
		for _, op := range methods {
			ids = append(ids, op.OperationID)
		}
	}
	slices.Sort(ids)
	if len(ids) < 20 {
		t.Fatalf("only %d operations", len(ids))
	}
	// StreamRequests ends the world.
	i := slices.Index(ids, "StreamRequests")
	return append(slices.Delete(ids, i, i+1), "StreamRequests")
}

func TestRefusals(t *testing.T) {
	w := start(t)
	long := strings.Repeat("x", 2<<20)
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		kind, message      string
	}{
		"unknown route":     {"GET", "/nothing", "", 404, "not_found", "There is no such route"},
		"unknown field":     {"POST", "/reset", `{"to":"seed","kep":[]}`, 400, "invalid_request", `unknown field "kep": did you mean "keep"?`},
		"no body":           {"POST", "/reset", "", 400, "invalid_request", "it is empty"},
		"half a body":       {"POST", "/reset", `{"to":`, 400, "invalid_request", "the JSON ends too early"},
		"no JSON":           {"POST", "/reset", `to=seed`, 400, "invalid_request", "this is not JSON"},
		"two values":        {"POST", "/reset", `{"to":"seed"}{}`, 400, "invalid_request", "more follows"},
		"a list":            {"POST", "/reset", `[]`, 400, "invalid_request", "it must be a JSON object"},
		"wrong type":        {"POST", "/reset", `{"to":1}`, 400, "invalid_request", "to must not be of the type number"},
		"large":             {"POST", "/reset", `{"to":"` + long + `"}`, 413, "too_large", "more than 1048576 bytes"},
		"where to":          {"POST", "/reset", `{"to":"start"}`, 400, "invalid_request", "to must be seed or empty"},
		"what to keep":      {"POST", "/reset", `{"to":"seed","keep":["clients"]}`, 400, "invalid_request", "keep must hold nothing but keys and faults"},
		"fault":             {"POST", "/faults", `{"kind":"nothing"}`, 400, "invalid_request", "kind"},
		"fault operation":   {"POST", "/faults", `{"kind":"reset","operation":"CreateClient"}`, 400, "invalid_request", "CreateClient"},
		"no such fault":     {"DELETE", "/faults/fault-99", "", 404, "not_found", "There is no fault"},
		"limit":             {"GET", "/requests?limit=-1", "", 400, "invalid_request", "limit must be 1 to 10000"},
		"limit text":        {"GET", "/requests?limit=all", "", 400, "invalid_request", "limit: the value is not what the contract says"},
		"large limit":       {"GET", "/requests?limit=10001", "", 400, "invalid_request", "limit must be 1 to 10000"},
		"after":             {"GET", "/requests?after=-1", "", 400, "invalid_request", "after must not be negative"},
		"no such request":   {"GET", "/requests/99", "", 404, "not_found", "The log has no request with this id"},
		"count after":       {"POST", "/requests/count", `{"after":-1}`, 400, "invalid_request", "after must not be negative"},
		"no time":           {"PUT", "/clock", `{}`, 400, "invalid_request", "Give one of now, advance and real"},
		"two times":         {"PUT", "/clock", `{"real":true,"advance":"1h"}`, 400, "invalid_request", "Give one of now, advance and real"},
		"duration":          {"PUT", "/clock", `{"advance":"1 hour"}`, 400, "invalid_request", "advance must be a duration"},
		"far future":        {"PUT", "/clock", `{"now":"2200-01-02T00:00:00Z"}`, 400, "invalid_request", "the clock shows times from 1970"},
		"far past":          {"PUT", "/clock", `{"now":"1969-12-31T00:00:00Z"}`, 400, "invalid_request", "the clock shows times from 1970"},
		"no such key":       {"DELETE", "/keys/jwk-none", "", 404, "not_found", "the key set has no key with this id"},
		"nothing to mint":   {"POST", "/tokens", `{}`, 400, "invalid_request", "give claims or a client_id"},
		"two ways to mint":  {"POST", "/tokens", `{"claims":{},"client_id":"worker"}`, 400, "invalid_request", "leave out client_id"},
		"unknown preset":    {"POST", "/tokens", `{"client_id":"worker","preset":"old"}`, 400, "invalid_request", "preset must be one of expired"},
		"unknown client":    {"POST", "/tokens", `{"client_id":"nobody"}`, 400, "invalid_request", "no M2M client or Connected App has the ID"},
		"unknown switch":    {"PATCH", "/behavior", `{"start_while_rotatin":"refuse"}`, 400, "invalid_request", `did you mean "start_while_rotating"?`},
		"switch value":      {"PATCH", "/behavior", `{"start_while_rotating":"clear"}`, 400, "invalid_request", `start_while_rotating does not accept "clear"`},
		"state format":      {"PUT", "/state", `{"format":"other","version":1,"records":[]}`, 400, "invalid_request", "the format is not stytch-emulator-state"},
		"state version":     {"PUT", "/state", `{"format":"stytch-emulator-state","version":2,"records":[]}`, 400, "invalid_request", "version 2"},
		"state empty":       {"PUT", "/state", `{"format":"stytch-emulator-state","version":1,"records":[]}`, 400, "invalid_request", "no record of the kind version"},
		"state with secret": {"PUT", "/state", `{"format":"stytch-emulator-state","version":1,"records":[{"kind":"project_secret","id":"x","value":{}}]}`, 400, "invalid_request", "not part of an export"},
		"state with newer record": {"PUT", "/state",
			`{"format":"stytch-emulator-state","version":1,"records":[{"kind":"version","id":"format","value":{"format":99}}]}`, 400, "invalid_request", "99"},
	} {
		t.Run(name, func(t *testing.T) {
			w.T = t
			refused := call[admin.Error](w, c.method, c.path, c.body, c.status)
			if refused.ErrorType != c.kind || refused.StatusCode != c.status || !strings.Contains(refused.ErrorMessage, c.message) {
				t.Errorf("got %+v, want %s and %q", refused, c.kind, c.message)
			}
			if c.method != "GET" && !strings.Contains(refused.ErrorMessage, "Nothing was ") {
				t.Errorf("%q does not say that nothing was done", refused.ErrorMessage)
			}
		})
	}
}

// A page of another origin can change nothing: it cannot send JSON without being asked, and the
// browser says where it comes from.
func TestOtherOrigins(t *testing.T) {
	w := start(t)
	for name, c := range map[string]struct {
		method, path, header, value string
		status                      int
	}{
		"form":           {"POST", "/reset", "Content-Type", "application/x-www-form-urlencoded", 415},
		"text":           {"POST", "/keys/rotate", "Content-Type", "text/plain", 415},
		"nothing":        {"PUT", "/clock", "Content-Type", "", 415},
		"cross-site":     {"DELETE", "/requests", "Sec-Fetch-Site", "cross-site", 403},
		"other origin":   {"POST", "/reset", "Origin", "https://attacker.example", 403},
		"same origin":    {"DELETE", "/requests", "Sec-Fetch-Site", "same-origin", 204},
		"stream, site":   {"GET", "/requests/stream", "Sec-Fetch-Site", "cross-site", 403}, // it would hold one of a few
		"stream, port":   {"GET", "/requests/stream", "Sec-Fetch-Site", "same-site", 403},
		"stream, origin": {"GET", "/requests/stream", "Origin", "https://attacker.example", 403},
		"reads are fine": {"GET", "/bill", "Sec-Fetch-Site", "cross-site", 200}, // and the page cannot see the response
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second) // a stream that is not refused has no end
			defer cancel()
			r := httptest.NewRequestWithContext(ctx, c.method, admin.Base+c.path, strings.NewReader(`{"to":"seed"}`))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set(c.header, c.value)
			recorder := httptest.NewRecorder()
			w.handler.ServeHTTP(recorder, r)
			if recorder.Code != c.status {
				t.Errorf("status %d, want %d: %s", recorder.Code, c.status, recorder.Body)
			}
			for name := range recorder.Header() {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("the response has the header %s", name)
				}
			}
		})
	}
}

// null returns a switch to its default, and no other one.
func TestSwitchDefaults(t *testing.T) {
	w := start(t)
	call[admin.BehaviorList](w, "PATCH", "/behavior", `{"token_id":true,"max_scopes":7,"unheld_scope":"drop"}`, 200)
	b := call[admin.BehaviorList](w, "PATCH", "/behavior", `{"token_id":null,"max_scopes":null}`, 200)
	for name, want := range map[string]any{"token_id": false, "max_scopes": 100.0, "unheld_scope": "drop"} {
		if got := value(b, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}
