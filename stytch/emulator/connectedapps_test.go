package emulator_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"regexp"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
)

const apps = "/v1/connected_apps/clients"

func TestConnectedAppResponsesByteForByte(t *testing.T) {
	w := start(t, emulator.WithConnectedApp(emulator.ConnectedAppSeed{
		ClientID: "app", Secret: "Correct-Horse-9", ClientType: "third_party", Name: "Add-on", RedirectURLs: []string{"https://x.example/cb"},
	}))
	const (
		head = `"access_token_custom_audience":null,"access_token_expiry_minutes":60,"access_token_template_content":"",` +
			`"bypass_consent_for_offline_access":false,"client_description":"","client_id":"app","client_id_metadata_url":null,` +
			`"client_name":"Add-on","client_secret_last_four":"se-9","client_type":"third_party",`
		tail = `"full_access_allowed":false,"id_token_template_content":"","logo_url":null,` +
			`"next_client_secret_last_four":null,"post_logout_redirect_urls":[],"redirect_urls":["https://x.example/cb"],"status":"active"`
		app = head + `"creation_method":"MANUAL",` + tail
	)
	for _, tt := range []struct{ name, method, path, body, want string }{
		{"get", "GET", "/app", "", `{"connected_app":{` + app + `},"request_id":"R","status_code":200}`},
		{"update", "PUT", "/app", "{}", `{"connected_app":{` + app + `},"request_id":"R","status_code":200}`},
		{"search", "POST", "/search", "{}", `{"connected_apps":[{` + app + `}],"request_id":"R","results_metadata":{"next_cursor":null,"total":1},"status_code":200}`},
		{"delete", "DELETE", "/app", "", `{"client_id":"app","request_id":"R","status_code":200}`},
		{"search without results", "POST", "/search", "{}", `{"connected_apps":[],"request_id":"R","results_metadata":{"next_cursor":null,"total":0},"status_code":200}`},
	} {
		if got := anonymous(w.call(tt.method, apps+tt.path, tt.body).body); got != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
	created := w.call("POST", apps, `{"client_type":"first_party_public"}`).body
	want := `{"connected_app":{"access_token_custom_audience":null,"access_token_expiry_minutes":60,"access_token_template_content":"",` +
		`"bypass_consent_for_offline_access":false,"client_description":"","client_id":"I","client_id_metadata_url":null,"client_name":"",` +
		`"client_secret_last_four":null,"client_type":"first_party_public","full_access_allowed":false,"id_token_template_content":"",` +
		`"logo_url":null,"next_client_secret_last_four":null,"post_logout_redirect_urls":[],"redirect_urls":[],"status":"active"},` +
		`"request_id":"R","status_code":200}`
	id := regexp.MustCompile(`connected-app-test-[0-9a-f-]{36}`)
	if got := id.ReplaceAllString(anonymous(created), "I"); got != want {
		t.Errorf("create\ngot  %s\nwant %s", got, want)
	}
}

// Every field is set on creation and by update, and emptied with an empty value and with null.
func TestConnectedAppFields(t *testing.T) {
	const confidential = `{"client_type":"first_party"`
	for _, tt := range []struct{ field, value, empty, zero, cleared string }{
		{"client_name", `"n"`, `""`, `""`, `""`},
		{"client_description", `"d"`, `""`, `""`, `""`},
		{"redirect_urls", `["https://b.example","https://a.example"]`, `[]`, `[]`, `[]`},
		{"post_logout_redirect_urls", `["http://localhost:3000/out"]`, `[]`, `[]`, `[]`},
		{"full_access_allowed", `true`, `false`, `false`, `false`},
		{"bypass_consent_for_offline_access", `true`, `false`, `false`, `false`},
		{"access_token_expiry_minutes", `5`, `1`, `1`, `60`},
		{"access_token_custom_audience", `"https://aud.example"`, `""`, `""`, `null`},
		{"access_token_template_content", `"{\"a\": {{ user.name }} }"`, `""`, `""`, `""`},
		{"id_token_template_content", `"{ {{ x }} }"`, `""`, `""`, `""`},
		{"logo_url", `"https://logo.example/<&>.png"`, `""`, `""`, `null`},
	} {
		t.Run(tt.field, func(t *testing.T) {
			w := start(t)
			created := at(w.ok("POST", apps, confidential+`,"`+tt.field+`":`+tt.value+`}`), "connected_app")
			path := apps + "/" + text(created, "client_id")
			check := func(step, want string) {
				t.Helper()
				var value any
				if err := json.Unmarshal([]byte(want), &value); err != nil {
					t.Fatal(err)
				}
				if got := at(w.ok("GET", path, ""), "connected_app", tt.field); !reflect.DeepEqual(got, value) {
					t.Errorf("%s: %v, want %v", step, got, value)
				}
			}
			check("created", tt.value)
			w.ok("PUT", path, `{"`+tt.field+`":`+tt.empty+`}`)
			check("emptied", tt.zero)
			w.ok("PUT", path, `{"`+tt.field+`":`+tt.value+`,"client_type":"third_party_public","status":"inactive"}`)
			check("set", tt.value)
			w.ok("PUT", path, `{}`)
			check("left alone", tt.value)
			w.ok("PUT", path, `{"`+tt.field+`":null}`)
			check("cleared", tt.cleared)
			if app := at(w.ok("GET", path, ""), "connected_app"); text(app, "client_type") != "first_party" || text(app, "status") != "active" {
				t.Error("client_type or status was changed")
			}
		})
	}
}

func TestConnectedAppRefuses(t *testing.T) {
	w := start(t, emulator.WithBehavior(emulator.Behavior{MaxExpiryMinutes: 90}))
	first := text(w.ok("POST", apps, `{"client_type":"first_party"}`), "connected_app", "client_id")
	third := text(w.ok("POST", apps, `{"client_type":"third_party"}`), "connected_app", "client_id")
	for _, tt := range []struct{ body, kind string }{
		{`{}`, "bad_request"},
		{`{"client_type":null}`, "bad_request"},
		{`{"client_type":1}`, "bad_request"},
		{`{"client_type":""}`, "invalid_connected_app_type"},
		{`{"client_type":"second_party"}`, "invalid_connected_app_type"},
	} {
		w.expect(400, tt.kind, "POST", apps, tt.body)
	}
	for _, tt := range []struct{ field, kind string }{
		{`"full_access_allowed":"true"`, "bad_request"},
		{`"redirect_urls":"https://a.example"`, "bad_request"},
		{`"redirect_urls":[null]`, "bad_request"},
		{`"access_token_expiry_minutes":1.5`, "bad_request"},
		{`"access_token_expiry_minutes":3000000000`, "bad_request"},
		{`"access_token_expiry_minutes":0`, "idp_invalid_access_token_expiry_minutes"},
		{`"access_token_expiry_minutes":-5`, "idp_invalid_access_token_expiry_minutes"},
		{`"access_token_expiry_minutes":91`, "idp_invalid_access_token_expiry_minutes"},
		{`"access_token_custom_audience":"a b"`, "idp_invalid_access_token_custom_audience"},
		{`"access_token_template_content":"[]"`, "idp_invalid_access_token_jwt_template"},
		{`"access_token_template_content":"{"`, "idp_invalid_access_token_jwt_template"},
		{`"id_token_template_content":"{{ x }} "`, ""},
		{`"id_token_template_content":"x"`, "idp_invalid_access_token_jwt_template"},
		{`"redirect_urls":["https://a.example","::"]`, "connected_app_invalid_redirect_url"},
		{`"redirect_urls":["https://"]`, "connected_app_invalid_redirect_url"},
		{`"redirect_urls":["https://u:p@a.example"]`, "connected_app_invalid_redirect_url"},
		{`"redirect_urls":["https://a.example/#x"]`, "connected_app_invalid_redirect_url"},
		{`"redirect_urls":[""]`, "connected_app_redirect_url_must_include_scheme"},
		{`"redirect_urls":["a.example/cb"]`, "connected_app_redirect_url_must_include_scheme"},
		{`"redirect_urls":["ftp://a.example"]`, "connected_app_redirect_url_must_use_http_or_https_scheme"},
		{`"redirect_urls":["http://a.example"]`, "connected_app_redirect_url_http_scheme_must_use_loopback"},
		{`"redirect_urls":["http://10.0.0.1"]`, "connected_app_redirect_url_http_scheme_must_use_loopback"},
		{`"redirect_urls":["http://127.0.0.1:3000","http://[::1]/","https://localhost"]`, ""},
		{`"post_logout_redirect_urls":["a"]`, "connected_app_redirect_url_must_include_scheme"},
	} {
		status := 400
		if tt.kind == "" {
			status = 200
		}
		w.expect(status, tt.kind, "POST", apps, `{"client_type":"first_party",`+tt.field+`}`)
		w.expect(status, tt.kind, "PUT", apps+"/"+first, `{`+tt.field+`}`)
	}
	for field, kind := range map[string]string{
		`"full_access_allowed":true`:               "third_party_clients_cannot_use_full_access",
		`"bypass_consent_for_offline_access":true`: "third_party_clients_require_consent_for_offline_access",
	} {
		w.expect(400, kind, "POST", apps, `{"client_type":"third_party_public",`+field+`}`)
		w.expect(400, kind, "PUT", apps+"/"+third, `{`+field+`}`)
	}
	w.expect(404, "connected_app_not_found", "PUT", apps+"/unknown", "{}")
	w.expect(404, "connected_app_not_found", "DELETE", apps+"/unknown", "")
}

func TestRedirectURLsOfLiveProjects(t *testing.T) {
	w := start(t, emulator.WithProject("project-live-1", "secret-live-1"))
	for address, kind := range map[string]string{
		"https://localhost":     "connected_app_redirect_url_cannot_use_localhost",
		"http://localhost":      "connected_app_redirect_url_cannot_use_localhost",
		"http://a.example":      "connected_app_redirect_url_must_use_https_scheme",
		"http://127.0.0.1:3000": "connected_app_redirect_url_must_use_https_scheme",
	} {
		w.expect(400, kind, "POST", apps, `{"client_type":"first_party","redirect_urls":["`+address+`"]}`)
	}
	w.ok("POST", apps, `{"client_type":"first_party","redirect_urls":["https://a.example"]}`)
}

func TestConnectedAppSearchPages(t *testing.T) {
	w := start(t)
	for range 5 {
		w.ok("POST", apps, `{"client_type":"first_party_public"}`)
	}
	seen, cursor := map[string]bool{}, ""
	for _, want := range []int{2, 2, 1} {
		page := w.ok("POST", apps+"/search", `{"limit":2,"cursor":"`+cursor+`"}`)
		found, _ := page["connected_apps"].([]any)
		for _, app := range found {
			seen[text(app, "client_id")] = true
		}
		if len(found) != want || at(page, "results_metadata", "total") != 5.0 {
			t.Errorf("a page of %d, want %d", len(found), want)
		}
		cursor = text(page, "results_metadata", "next_cursor")
	}
	if len(seen) != 5 || cursor != "" {
		t.Errorf("%d apps seen", len(seen))
	}
}

func TestAppOfAMetadataDocument(t *testing.T) {
	const id = "https://app.example/oauth/client.json"
	w := start(t, emulator.WithConnectedApp(emulator.ConnectedAppSeed{ClientID: id, ClientType: "third_party_public"}))
	for _, app := range []any{
		at(w.ok("GET", apps+"/"+url.PathEscape(id), ""), "connected_app"),
		at(w.ok("POST", apps+"/search", `{}`), "connected_apps").([]any)[0],
	} {
		if text(app, "client_id") != id || text(app, "client_id_metadata_url") != id {
			t.Errorf("%v", app)
		}
	}
	created := at(w.ok("POST", apps, `{"client_type":"first_party"}`), "connected_app")
	if at(created, "client_id_metadata_url") != nil {
		t.Error("an app that was created has the address of a document")
	}
}
