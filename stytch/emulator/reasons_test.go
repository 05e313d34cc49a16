package emulator_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
)

func withTwoClients(opts ...emulator.Option) []emulator.Option {
	return append(opts, emulator.WithProject("project-test-1", "secret-test-Canary"),
		emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "worker", Secret: "Canary-Horse-9", Scopes: []string{"read:x", "write:x"}}),
		emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "idle", Secret: "Canary-Horse-9", Status: "inactive"}),
		emulator.WithConnectedApp(emulator.ConnectedAppSeed{ClientID: "portal"}))
}

func TestReasonsOfTokenRequests(t *testing.T) {
	w := start(t, withTwoClients()...)
	const secret = "Canary-Horse-9"
	form := func(pairs ...string) url.Values {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		return v
	}
	with := func(auth string) edit { return header("Authorization", auth) }
	asJSON := header("Content-Type", "application/json")
	for _, tt := range []struct {
		name   string
		form   url.Values
		edits  []edit
		client string
		says   string
	}{
		{"success", form("client_id", "worker", "client_secret", secret), nil, "worker", ""},
		{"wrong secret", form("client_id", "worker", "client_secret", "Canary-other-1"), nil, "worker",
			`the secret does not match the secret of the client "worker" (last four "se-9"; no rotation is in progress)`},
		{"trailing line break", form("client_id", "worker", "client_secret", secret+"\n"), nil, "worker", "without the space or line break around it, it does"},
		{"secret of the project", form("client_id", "worker", "client_secret", "secret-test-Canary"), nil, "worker", "it is the secret of the project"},
		{"the id as secret", form("client_id", "worker", "client_secret", "worker"), nil, "worker", "it is the client_id"},
		{"unknown client", form("client_id", "wrker", "client_secret", secret), nil, "", "no M2M client has the client_id that was sent, which has 5 characters"},
		{"generated id", form("client_id", "m2m-client-test-1", "client_secret", secret), nil, "", `no M2M client has the ID "m2m-client-test-1": it was deleted, or belongs to another project`},
		{"another environment", form("client_id", "m2m-client-live-1", "client_secret", secret), nil, "", "of another environment: this is the project project-test-1"},
		{"swapped", form("client_id", secret, "client_secret", "worker"), nil, "", "client_id and client_secret are swapped"},
		{"swapped with an unknown id", form("client_id", secret, "client_secret", "m2m-client-test-2"), nil, "", "are swapped"},
		{"secret as id", form("client_id", secret, "client_secret", secret), nil, "", "which has 14 characters"},
		{"padded id", form("client_id", " worker", "client_secret", secret), nil, "", `without it, it is that of the client "worker"`},
		{"empty id", form("client_secret", secret), nil, "", "the client_id is empty"},
		{"project id", form("client_id", "project-test-1", "client_secret", secret), nil, "", "is a project ID"},
		{"app", form("client_id", "portal", "client_secret", secret), nil, "", `the client "portal" is a Connected App`},
		{"inactive", form("client_id", "idle", "client_secret", secret), nil, "idle", `the client "idle" is inactive: set its status to active`},
		{"no credentials", form(), nil, "", "the request has no credentials"},
		{"no secret", form("client_id", "worker"), nil, "", "a client_id but no secret"},
		{"malformed header", form(), []edit{with("Basic ***Canary")}, "", "the Authorization header is not HTTP Basic"},
		{"two ids", form("client_id", "idle"), []edit{with(basicHeader("worker:" + secret))}, "", "the client_id of the body is not the user name of HTTP Basic"},
		{"wrong password", form(), []edit{with(basicHeader("worker:Canary"))}, "worker", "does not match"},
		{"swapped in Basic", form(), []edit{with(basicHeader(secret + ":worker"))}, "", "the user name and the password of HTTP Basic are swapped"},
		{"empty password", form(), []edit{with(basicHeader("worker:"))}, "worker", "it is empty"},
		{"scope", form("client_id", "worker", "client_secret", secret, "scope", "read:x admin"), nil, "worker",
			`the client does not hold the scope "admin": it holds read:x write:x`},
		{"grant", form("grant_type", "refresh_token"), nil, "", "the grant_type is refresh_token: M2M clients have client_credentials"},
		{"unknown grant", form("grant_type", secret), nil, "", "the grant_type is not known: send client_credentials"},
		{"no grant", form("grant_type", ""), nil, "", "the parameter grant_type is missing"},
		{"repeated", form("client_id", "a", "client_id", "b"), nil, "", "the parameter client_id is repeated"},
		{"repeated, invented", form(secret, "a", secret, "b"), nil, "", "the parameter that the contract does not have is repeated"},
		{"not JSON", form(), []edit{asJSON}, "", "the body is not valid JSON: byte 1 of 29 cannot stand there"},
		{"media type", form(), []edit{header("Content-Type", "text/plain")}, "", "the Content-Type is text/plain"},
		{"no media type", form(), []edit{header("Content-Type", "")}, "", "the Content-Type is missing or malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := (&harness{w.Server, t}).token(tt.form, tt.edits...)
			log := w.Requests()
			last := log[len(log)-1]
			if (got.status == http.StatusOK) != (tt.says == "") || !strings.Contains(last.Reason, tt.says) || tt.says == "" && last.Reason != "" {
				t.Errorf("reason %q, want %q", last.Reason, tt.says)
			}
			if last.ClientID != tt.client || last.ErrorType != got.kind() {
				t.Errorf("client %q, error %q, want %q, %q", last.ClientID, last.ErrorType, tt.client, got.kind())
			}
		})
	}
	next := w.startRotation("worker")
	w.token(form("client_id", "worker", "client_secret", "Canary-other-1"))
	log := w.Requests()
	want := `the secret matches neither the current nor the next secret of the client "worker" (last four "se-9" and "` + next[44:] + `")`
	if got := log[len(log)-1].Reason; got != want {
		t.Errorf("reason %q, want %q", got, want)
	}
	if text, err := json.Marshal(log); err != nil || strings.Contains(string(text), "Canary") || strings.Contains(string(text), next) {
		t.Errorf("the log holds a secret, or %v", err)
	}
}

func TestReasonsOfManagementRequests(t *testing.T) {
	w := start(t, withTwoClients(emulator.WithBehavior(emulator.Behavior{MaxScopes: 2}), emulator.WithStrict())...)
	for _, tt := range []struct {
		name, method, path, body string
		edits                    []edit
		client, says             string
	}{
		{"success", "GET", clients + "/worker", "", nil, "worker", ""},
		{"no credentials", "GET", clients + "/worker", "", []edit{noAuth}, "", "the Authorization header is missing"},
		{"not Basic", "GET", clients + "/worker", "", []edit{header("Authorization", "Bearer Canary")}, "", "is not HTTP Basic"},
		{"swapped", "GET", clients + "/worker", "", []edit{basic("secret-test-Canary", "project-test-1")}, "", "the two seem to be swapped"},
		{"client credentials", "GET", clients + "/worker", "", []edit{basic("m2m-client-test-1", "Canary")}, "", "that of an M2M client"},
		{"empty user", "GET", clients + "/worker", "", []edit{basic("", "Canary")}, "", "it is empty"},
		{"padded user", "GET", clients + "/worker", "", []edit{basic("project-test-1 ", "Canary")}, "", "remove the space or line break"},
		{"no project", "GET", clients + "/worker", "", []edit{basic("Canary", "Canary")}, "", "begins with project-test- or project-live-"},
		{"live", "GET", clients + "/worker", "", []edit{basic("project-live-1", "Canary")}, "", "the project ID is of the live environment"},
		{"other project", "GET", clients + "/worker", "", []edit{basic("project-test-2", "Canary")}, "", "not that of this emulator, project-test-1"},
		{"wrong secret", "GET", clients + "/worker", "", []edit{basic("project-test-1", "Canary")}, "", "the secret is not that of the project project-test-1"},
		{"padded secret", "GET", clients + "/worker", "", []edit{basic("project-test-1", "secret-test-Canary\n")}, "", "has a space or line break around it"},
		{"unknown id", "GET", clients + "/nobody", "", nil, "", `the ID "nobody" is not that of an M2M client`},
		{"unknown app", "GET", apps + "/worker", "", nil, "", `the ID "worker" is not that of a Connected App`},
		{"not rotating", "POST", clients + "/worker/secrets/rotate", "", nil, "worker", "No secret rotation is in progress"},
		{"duplicate", "POST", clients, `{"scopes":[],"client_id":"worker"}`, nil, "", `an M2M client with the ID "worker" exists already`},
		{"too many scopes", "PUT", clients + "/worker", `{"scopes":["a","b","c"]}`, nil, "worker", "3 scopes: at most 2 are allowed"},
		{"scope", "PUT", clients + "/worker", `{"scopes":["a","b c"]}`, nil, "worker", "scope 2 of 2 is empty or has a character"},
		{"wrong type", "PUT", clients + "/worker", `{"scopes":"a"}`, nil, "worker", "the field scopes must be a list of strings, and it is a string"},
		{"no object", "PUT", clients + "/worker", `["Canary"]`, nil, "", "the body must be a JSON object, and it is a list"},
		{"no JSON", "PUT", clients + "/worker", `{"client_name":Canary}`, nil, "", "byte 16 of 22 cannot stand there"},
		{"no body", "PUT", clients + "/worker", ``, []edit{header("Content-Type", "application/json")}, "", "the body is empty"},
		{"short secret", "POST", clients, `{"scopes":[],"client_secret":"Canary1"}`, nil, "", "the client_secret has 7 characters: at least 8"},
		{"weak secret", "POST", clients, `{"scopes":[],"client_secret":"aaaaaaaa"}`, nil, "", "fewer than 5 different characters"},
		{"key set", "GET", "/v1/sessions/jwks/project-test-2", "", []edit{noAuth}, "", "another project ID: this is the project project-test-1"},

		{"missing s", "GET", "/v1/m2m/client", "", nil, "", "no route GET /v1/m2m/client: did you mean GET /v1/m2m/clients/{client_id}?"},
		{"missing s with an id", "GET", "/v1/m2m/client/x", "", nil, "", "did you mean GET /v1/m2m/clients/{client_id}?"},
		{"double slash", "GET", "/v1//m2m/clients/x", "", nil, "", "did you mean GET /v1/m2m/clients/{client_id}?"},
		{"trailing slash", "POST", clients + "/", "", nil, "", "did you mean POST /v1/m2m/clients?"},
		{"no version", "POST", "/m2m/clients/search", "", nil, "", "did you mean POST /v1/m2m/clients/search?"},
		{"token", "POST", "/v1/public/project-test-1/oauth/token", "", nil, "", "did you mean POST /v1/public/{project_id}/oauth2/token?"},
		{"far away", "GET", "/wp-admin/setup.php", "", nil, "", "no route GET /wp-admin/setup.php: GET /openapi.yaml lists all of them"},
		{"long", "GET", "/" + strings.Repeat("a", 1000), "", nil, "", "aaa…: GET /openapi.yaml"},
		{"many segments", "GET", "/" + strings.Repeat("a/", 100), "", nil, "", "no route GET /a/a/"},
		{"method", "PATCH", clients + "/worker", "", nil, "", "no route PATCH /v1/m2m/clients/worker: the path takes DELETE, GET, PUT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := (&harness{w.Server, t}).call(tt.method, tt.path, tt.body, tt.edits...)
			log := w.Requests()
			last := log[len(log)-1]
			if (got.status == http.StatusOK) != (tt.says == "") || !strings.Contains(last.Reason, tt.says) || tt.says == "" && last.Reason != "" {
				t.Errorf("%d, reason %q, want %q", got.status, last.Reason, tt.says)
			}
			if last.ClientID != tt.client || last.ErrorType != got.kind() {
				t.Errorf("client %q, error %q, want %q, %q", last.ClientID, last.ErrorType, tt.client, got.kind())
			}
		})
	}
	if text, err := json.Marshal(w.Requests()); err != nil || strings.Contains(string(text), "Canary") {
		t.Errorf("the log holds a secret, or %v", err)
	}
}

func TestReasonsOfFaults(t *testing.T) {
	for _, tt := range []struct {
		fault           emulator.Fault
		path            string
		kind, says      string
		status          int
		refusedAsUnused bool
	}{
		{fault: emulator.DropResponse("CreateM2MClient"), says: "fault drop_response of CreateM2MClient struck after the operation took effect"},
		{fault: emulator.Reset("CreateM2MClient"), says: "fault reset of CreateM2MClient struck before the operation: it was not carried out"},
		{fault: emulator.Reset(""), says: "fault reset of every operation struck CreateM2MClient before the operation: it was not carried out"},
		{fault: emulator.Latency("CreateM2MClient", time.Millisecond), status: 200, says: "fault latency of CreateM2MClient struck: the response waited 1ms"},
		{fault: emulator.SlowBody("CreateM2MClient", time.Millisecond), status: 200, says: "fault slow_body of CreateM2MClient struck after the operation took effect; the response waited 1ms in its middle"},
		{fault: emulator.CutBody("CreateM2MClient"), status: 200, says: "struck after the operation took effect; half of the response was sent"},
		{fault: emulator.Status("CreateM2MClient", 503), status: 503, kind: "server_unavailable", says: "fault status of CreateM2MClient struck before the operation"},
		{fault: emulator.RateLimited("CreateM2MClient", ""), status: 429, kind: "too_many_requests", says: "fault rate_limited of"},
		{fault: emulator.HTML("CreateM2MClient", 502).AfterEffect().Delay(time.Millisecond), status: 502, says: "fault html of CreateM2MClient struck after the operation took effect; the response waited 1ms"},
	} {
		w := start(t, emulator.WithFaults(tt.fault))
		_, _, _, _ = w.createRaw()
		last := w.Requests()[0]
		if !strings.HasSuffix(last.Reason, tt.says) && !strings.HasPrefix(last.Reason, tt.says) || last.Status != tt.status || last.ErrorType != tt.kind {
			t.Errorf("%d %q %q, want %d %q %q", last.Status, last.ErrorType, last.Reason, tt.status, tt.kind, tt.says)
		}
	}
	w := start(t, emulator.WithFaults(emulator.DropResponse("GetM2MClient"), emulator.Latency("DeleteM2MClient", 1)))
	for _, method := range []string{"GET", "DELETE"} {
		if resp, err := w.Client().Do(w.request(method, clients+"/x", "")); err == nil {
			resp.Body.Close()
		}
	}
	log := w.Requests()
	if want := `fault drop_response of GetM2MClient struck after the operation was refused: the ID "x" is not that of an M2M client`; log[0].Reason != want || log[0].ErrorType != "" {
		t.Errorf("reason %q, want %q", log[0].Reason, want)
	}
	if want := `fault latency of DeleteM2MClient struck: the response waited 1ns, and the operation was refused: the ID "x" is not that of an M2M client`; log[1].Reason != want || log[1].ErrorType != "m2m_client_not_found" {
		t.Errorf("reason %q, want %q", log[1].Reason, want)
	}
}

// The observer sees each request once, and a panic of it changes nothing.
func TestObserver(t *testing.T) {
	var mu sync.Mutex
	var seen []emulator.Request
	w := start(t, emulator.WithFaults(emulator.Reset("DeleteM2MClient")), emulator.WithObserver(func(r emulator.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r)
		panic("Canary")
	}))
	w.call("GET", clients+"/x", "")
	w.call("GET", "/nothing", "")
	w.call("GET", "/health", "")
	w.call("GET", clients, "", header("Host", "x"))
	if resp, err := w.Client().Do(w.request("DELETE", clients+"/x", "")); err == nil {
		resp.Body.Close()
		t.Error("no reset")
	}
	mu.Lock()
	defer mu.Unlock()
	if log := w.Requests(); !slices.Equal(log, seen) || len(seen) != 5 {
		t.Errorf("seen %v, logged %v", seen, log)
	}
	if _, err := emulator.New(emulator.WithObserver(nil)); err == nil {
		t.Error("a nil observer is accepted")
	}
}
