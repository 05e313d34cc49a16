package emulator_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/api"
	"github.com/stytchkit/m2m/internal/contract"
	"github.com/stytchkit/m2m/stytch/emulator"
)

func TestRoutes(t *testing.T) {
	w := start(t)
	tests := []struct {
		method, path string
		status       int
		kind         string
	}{
		{"GET", "/", 404, "route_not_found"},
		{"GET", "/v1", 404, "route_not_found"},
		{"POST", "/v1/m2m/token", 404, "route_not_found"},
		{"GET", "/v1/m2m/clients/", 404, "route_not_found"},
		{"POST", "/v1/m2m/clients/", 404, "route_not_found"},
		{"GET", "//v1/m2m/clients/x", 404, "route_not_found"},
		{"GET", "/v1/m2m//clients/x", 404, "route_not_found"},
		{"GET", "/v1/m2m/clients/x/", 404, "route_not_found"},
		{"GET", "/v1/m2m/clients/../clients/x", 404, "route_not_found"},
		{"GET", "/V1/m2m/clients/x", 404, "route_not_found"},
		{"DELETE", "/v1/m2m/clients/..", 404, "m2m_client_not_found"},
		{"DELETE", "/v1/m2m/clients/.", 404, "m2m_client_not_found"},
		{"GET", "/v1/m2m/clients/%2e%2e", 404, "m2m_client_not_found"},
		{"GET", "/v1/m2m/clients/a%2Fb", 404, "m2m_client_not_found"},
		{"GET", "/v1/m2m/clients/search", 404, "m2m_client_not_found"},
		{"GET", "/v1/m2m/clients/x?client_id=x&y=%zz", 404, "m2m_client_not_found"},
		{"GET", "/v1/connected_apps/clients/x", 404, "connected_app_not_found"},
		{"GET", "/v1/sessions/jwks/x", 400, "invalid_project_id"},
		{"GET", "/v1/b2b/sessions/jwks/project-test-0", 404, "project_not_found"},
		{"POST", "/v1/public/project-test-0/oauth2/token", 400, "invalid_request"},
		{"GET", "/v1/public/project-test-0/oauth2/token", 405, "invalid_request"},
		{"GET", "/v1/m2m/clients", 405, "method_not_allowed"},
		{"PATCH", "/v1/m2m/clients/x", 405, "method_not_allowed"},
		{"HEAD", "/v1/m2m/clients/x", 405, ""},
		{"GET", "/v1/m2m/clients/x/secrets/rotate", 405, "method_not_allowed"},
		{"POST", "/health", 405, "method_not_allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			w := &harness{w.Server, t}
			if tt.method == "HEAD" {
				resp, err := w.Client().Do(w.request(tt.method, tt.path, ""))
				if err != nil || resp.StatusCode != tt.status {
					t.Fatalf("%v %v", resp, err)
				}
				resp.Body.Close()
				return
			}
			w.expect(tt.status, tt.kind, tt.method, tt.path, "")
		})
	}
	if got := w.call("PATCH", clients+"/x", "").header.Get("Allow"); got != "DELETE, GET, PUT" {
		t.Errorf("Allow: %s", got)
	}
}

func TestUnknownRouteByteForByte(t *testing.T) {
	want := `{"status_code":404,"request_id":"R","error_type":"route_not_found",` +
		`"error_message":"The route provided is not supported.","error_url":"https://stytch.com/docs/api/errors/404#route_not_found"}`
	if got := anonymous(start(t).call("GET", "/v1/nothing", "").body); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestServesContractAndHealth(t *testing.T) {
	w := start(t)
	resp, err := w.Client().Do(w.request("GET", "/openapi.yaml", "", noAuth))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || !bytes.Equal(body, api.OpenAPI) || resp.Header.Get("Content-Type") != "application/yaml" {
		t.Errorf("%d %s, %d bytes, %v", resp.StatusCode, resp.Header, len(body), err)
	}
	if got := w.call("GET", "/health", "", noAuth); got.status != 200 || got.body != `{"status":"ok"}` {
		t.Errorf("health: %d %s", got.status, got.body)
	}
}

// Quirks of the official libraries, which the emulator has to accept.
func TestToleratedQuirks(t *testing.T) {
	w := start(t)
	id, _ := w.create(`{"scopes":["a"],"color":"red"}`)
	path := clients + "/" + id
	w.ok("GET", path+"?client_id="+id, "", header("Content-Type", "application/json"))
	w.ok("PUT", path, `{"client_id":"`+id+`","unknown":[1]}`, header("Content-Type", "application/json; charset=utf-8"))
	w.ok("PUT", path, `{}`, header("Content-Type", "text/plain"))
	w.ok("POST", path+"/secrets/rotate/start", "")
	w.ok("POST", path+"/secrets/rotate", `{}`)
	w.ok("POST", path+"/secrets/rotate/start", `{"client_id":"`+id+`"}`)
	w.ok("POST", path+"/secrets/rotate/cancel", " {\n} ")
	w.ok("POST", clients+"/search", `{"cursor":"","limit":10}`)
	w.ok("DELETE", path, `{}`)
}

func TestStrictRefusesWhatTheContractDoesNotKnow(t *testing.T) {
	w := start(t, emulator.WithStrict(), emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "x"}))
	for _, tt := range []struct{ method, path, body string }{
		{"POST", clients, `{"scopes":["a"],"color":"red"}`},
		{"POST", clients, `{"scopes":["a"],"Client_Name":"n"}`},
		{"PUT", clients + "/x", `{"client_secret":"Correct-Horse-9"}`},
		{"POST", clients + "/x/secrets/rotate/start", `{"force":true}`},
		{"POST", clients + "/search", `{"page":1}`},
		{"POST", clients + "/search", `{"query":{"operator":"AND","sort":"asc"}}`},
		{"POST", clients + "/search", `{"query":{"operator":"AND","operands":[{"filter_name":"scopes","filter_value":[],"not":true}]}}`},
		{"POST", "/v1/connected_apps/clients", `{"client_type":"first_party","color":"red"}`},
	} {
		w.expect(400, "bad_request", tt.method, tt.path, tt.body)
	}
	w.expect(400, "bad_request", "PUT", clients+"/x", `{}`, header("Content-Type", "text/plain"))
	w.ok("PUT", clients+"/x", `{"client_id":"x","trusted_metadata":{"any":"thing"}}`)
	w.ok("POST", clients+"/x/secrets/rotate/start", "")
	w.ok("POST", clients+"/search", `{"query":{"operator":"AND","operands":[{"filter_name":"scopes","filter_value":[]}]}}`)
	w.ok("DELETE", clients+"/x", `{"color":"red"}`)
}

// A new field of the contract that the emulator does not read would be accepted and ignored: strict
// mode refuses only fields that the contract does not have. So a wrong type must be refused for
// each.
func TestEveryFieldOfTheContractIsRead(t *testing.T) {
	doc, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	w := start(t, emulator.WithStrict(), emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "x"}),
		emulator.WithConnectedApp(emulator.ConnectedAppSeed{ClientID: "x"}))
	for _, tt := range []struct{ schema, method, path, rest string }{
		{"CreateM2MClientRequest", "POST", clients, `"scopes":[]`},
		{"UpdateM2MClientRequest", "PUT", clients + "/x", ``},
		{"SearchM2MClientsRequest", "POST", clients + "/search", ``},
		{"CreateConnectedAppRequest", "POST", "/v1/connected_apps/clients", `"client_type":"first_party"`},
		{"UpdateConnectedAppRequest", "PUT", "/v1/connected_apps/clients/x", ``},
		{"SearchConnectedAppsRequest", "POST", "/v1/connected_apps/clients/search", ``},
	} {
		for field := range doc.Components.Schemas[tt.schema].Value.Properties {
			wrong := `{` + tt.rest + `,"` + field + `":[{}]}` // a list of objects is the wrong type for all of them
			if tt.rest == "" {
				wrong = `{"` + field + `":[{}]}`
			}
			if got := w.call(tt.method, tt.path, wrong); got.status != http.StatusBadRequest {
				t.Errorf("%s: the field %s is not read", tt.schema, field)
			}
		}
	}
}

func TestBodyIsCapped(t *testing.T) {
	w := start(t)
	body := `{"scopes":["a"],"client_name":"` + strings.Repeat("a", 1<<20) + `"}`
	w.expect(413, "bad_request", "POST", clients, body)
	w.expect(413, "invalid_request", "POST", "/v1/public/"+w.ProjectID+"/oauth2/token", body)
	w.create(body[:1<<20-20] + `"}`)
}
