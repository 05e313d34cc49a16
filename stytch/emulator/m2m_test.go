package emulator_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
)

const clients = "/v1/m2m/clients"

// create creates a client and returns its id and its secret.
func (w *harness) create(body string) (id, secret string) {
	w.t.Helper()
	client := at(w.ok("POST", clients, body), "m2m_client")
	return text(client, "client_id"), text(client, "client_secret")
}

func pinned(t *testing.T, opts ...emulator.Option) *harness {
	seed := emulator.M2MClientSeed{
		ClientID: "worker", Secret: "Vq3bYxW8kTt0mZr4HnJ6", Name: "Billing <worker> & co",
		Description: "Charges cards at night", Scopes: []string{"write:x", "read:x"}, Metadata: map[string]any{"tier": 2, "team": "b"},
	}
	return start(t, append(opts, emulator.WithProject("project-test-1", "secret-test-1"), emulator.WithM2MClient(seed))...)
}

func TestM2MResponsesByteForByte(t *testing.T) {
	w := pinned(t)
	const client = `"client_description":"Charges cards at night","client_id":"worker","client_name":"Billing <worker> & co",` +
		`"client_secret_last_four":"HnJ6","next_client_secret_last_four":null,"scopes":["write:x","read:x"],"status":"active",` +
		`"trusted_metadata":{"team":"b","tier":2}`
	tests := []struct {
		name, method, path, body, want string
	}{
		{"get", "GET", "/worker", "", `{"m2m_client":{` + client + `},"request_id":"R","status_code":200}`},
		{"update with nothing", "PUT", "/worker", "{}", `{"m2m_client":{` + client + `},"request_id":"R","status_code":200}`},
		{"search", "POST", "/search", "{}", `{"m2m_clients":[{` + client + `}],"request_id":"R","results_metadata":{"next_cursor":null,"total":1},"status_code":200}`},
		{"search without results", "POST", "/search", `{"query":{"operator":"AND","operands":[{"filter_name":"client_id","filter_value":["x"]}]}}`,
			`{"m2m_clients":[],"request_id":"R","results_metadata":{"next_cursor":null,"total":0},"status_code":200}`},
		{"unknown id", "GET", "/unknown", "", `{"status_code":404,"request_id":"R","error_type":"m2m_client_not_found",` +
			`"error_message":"The m2m client requested could not be found.","error_url":"https://stytch.com/docs/api/errors/404#m2m_client_not_found"}`},
		{"minimal create", "POST", "", `{"scopes":[],"client_id":"plain","client_secret":"Correct-Horse-9"}`,
			`{"m2m_client":{"client_description":"","client_id":"plain","client_name":"","client_secret":"Correct-Horse-9",` +
				`"client_secret_last_four":"se-9","next_client_secret_last_four":null,"scopes":[],"status":"active","trusted_metadata":{}},` +
				`"request_id":"R","status_code":200}`},
		{"delete", "DELETE", "/worker", "", `{"client_id":"worker","request_id":"R","status_code":200}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := (&harness{w.Server, t}).call(tt.method, clients+tt.path, tt.body)
			if body := anonymous(got.body); body != tt.want {
				t.Errorf("got  %s\nwant %s", body, tt.want)
			}
		})
	}
}

var requestIDs = regexp.MustCompile(`request-id-[a-z]+-[0-9a-f-]+`)

func anonymous(body string) string { return requestIDs.ReplaceAllString(body, "R") }

func TestM2MCreateChoosesIDAndSecret(t *testing.T) {
	w := start(t)
	id, secret := w.create(`{"scopes":["a"]}`)
	if !regexp.MustCompile(`^m2m-client-test-[0-9a-f-]{36}$`).MatchString(id) {
		t.Errorf("id %q", id)
	}
	if !regexp.MustCompile(`^[0-9A-Za-z_-]{48}$`).MatchString(secret) {
		t.Errorf("a secret of %d characters", len(secret))
	}
	other, otherSecret := w.create(`{"scopes":["a"],"client_id":null,"client_secret":null,"client_name":null,"trusted_metadata":null}`)
	if other == id || otherSecret == secret {
		t.Error("the same id or secret twice")
	}
	got := w.call("GET", clients+"/"+id, "")
	if strings.Contains(got.body, secret) || text(got.object(t), "m2m_client", "client_secret_last_four") != secret[44:] {
		t.Error("the secret is not kept as its last four characters")
	}
}

func TestM2MCreateRefuses(t *testing.T) {
	w := start(t, emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "taken"}),
		emulator.WithBehavior(emulator.Behavior{MaxScopes: 3}))
	body := func(field string) string { return `{"scopes":["a"],` + field + `}` }
	tests := []struct{ name, body, kind string }{
		{"empty body", ``, "bad_request"},
		{"null", `null`, "bad_request"},
		{"array", `[]`, "bad_request"},
		{"string", `"x"`, "bad_request"},
		{"trailing text", `{"scopes":["a"]} x`, "bad_request"},
		{"second object", `{"scopes":["a"]}{}`, "bad_request"},
		{"open object", `{"scopes":["a"]`, "bad_request"},
		{"byte order mark", "\ufeff" + `{"scopes":["a"]}`, "bad_request"},
		{"invalid UTF-8", "{\"scopes\":[\"a\"],\"client_name\":\"\xff\"}", "bad_request"},
		{"half a surrogate pair", body(`"client_name":"\ud800"`), "bad_request"},
		{"half a surrogate pair, low", body(`"client_name":"\udc00\ud800"`), "bad_request"},
		{"half a surrogate pair in metadata", body(`"trusted_metadata":{"a":"\ud83dx"}`), "bad_request"},
		{"deep nesting", body(`"trusted_metadata":` + strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000)), "bad_request"},
		{"no scopes", `{}`, "bad_request"},
		{"null scopes", `{"scopes":null}`, "bad_request"},
		{"scopes as text", `{"scopes":"a"}`, "bad_request"},
		{"number among scopes", `{"scopes":["a",1]}`, "bad_request"},
		{"null among scopes", `{"scopes":["a",null]}`, "bad_request"},
		{"name as number", body(`"client_name":1`), "bad_request"},
		{"description as list", body(`"client_description":[]`), "bad_request"},
		{"id as number", body(`"client_id":7`), "bad_request"},
		{"secret as bool", body(`"client_secret":true`), "bad_request"},
		{"another case is another field", `{"SCOPES":["a"]}`, "bad_request"},
		{"last of a repeated key", `{"scopes":["a"],"scopes":1}`, "bad_request"},
		{"empty scope", `{"scopes":[""]}`, "invalid_m2m_client_scope"},
		{"scope with a space", `{"scopes":["a b"]}`, "invalid_m2m_client_scope"},
		{"scope with a quote", `{"scopes":["a\"b"]}`, "invalid_m2m_client_scope"},
		{"scope with a letter that is not ASCII", `{"scopes":["é"]}`, "invalid_m2m_client_scope"},
		{"too many scopes", `{"scopes":["a","b","c","d"]}`, "too_many_m2m_client_scopes"},
		{"taken id", body(`"client_id":"taken"`), "duplicate_m2m_client_id"},
		{"short secret", body(`"client_secret":"1234567"`), "m2m_client_invalid_client_secret"},
		{"empty secret", body(`"client_secret":""`), "m2m_client_invalid_client_secret"},
		{"short secret of long characters", body(`"client_secret":"äöüßéèê"`), "m2m_client_invalid_client_secret"},
		{"dull secret", body(`"client_secret":"abcdabcdabcdabcd"`), "insecure_m2m_client_secret"},
		{"masked secret", body(`"client_secret":"[REDACTED]"`), "insecure_m2m_client_secret"},
		{"long secret", body(`"client_secret":"` + strings.Repeat("abcdefgh", 16) + `i"`), "client_secret_too_long"},
		{"metadata as list", body(`"trusted_metadata":[]`), "metadata_invalid_format"},
		{"metadata as text", body(`"trusted_metadata":"{}"`), "metadata_invalid_format"},
	}
	for _, id := range []string{"", ".", "..", "search", "a/b", `a\\b`, "a%2f", "a?b", "a#b", " a", "a ", `a\u0000b`, `a\nb`, `a\u007f`, `\u00a0a`, strings.Repeat("a", 257)} {
		tests = append(tests, struct{ name, body, kind string }{"id " + id[:min(len(id), 9)], body(`"client_id":"` + id + `"`), "m2m_client_invalid_client_id"})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			(&harness{w.Server, t}).expect(400, tt.kind, "POST", clients, tt.body)
		})
	}
	if total := at(w.ok("POST", clients+"/search", "{}"), "results_metadata", "total"); total != 1.0 {
		t.Errorf("a refused request created a client: %v", total)
	}
}

func TestM2MCreateTakesTheLastOfARepeatedKey(t *testing.T) {
	w := start(t)
	client := at(w.ok("POST", clients, `{"scopes":["a"],"client_name":"first","client_name":"last"}`), "m2m_client")
	if text(client, "client_name") != "last" {
		t.Errorf("name %q", text(client, "client_name"))
	}
}

func TestM2MTakesOddIDs(t *testing.T) {
	w := start(t)
	for _, id := range []string{"a", "legacy_client.01", "a b", "...", "ünïcode", "日本", "a;b=c,d", "a+b&c", "👩‍👩‍👧", "a:b@c", strings.Repeat("a", 256)} {
		w.create(fmt.Sprintf(`{"scopes":["a"],"client_id":%q}`, id))
		path := clients + "/" + url.PathEscape(id)
		for _, step := range []struct{ method, suffix string }{
			{"GET", ""}, {"PUT", ""}, {"POST", "/secrets/rotate/start"}, {"POST", "/secrets/rotate"},
			{"POST", "/secrets/rotate/start"}, {"POST", "/secrets/rotate/cancel"},
		} {
			if got := text(w.ok(step.method, path+step.suffix, "{}"), "m2m_client", "client_id"); got != id {
				t.Errorf("%s%s of %q returns %q", step.method, step.suffix, id, got)
			}
		}
		if got := text(w.ok("DELETE", path, ""), "client_id"); got != id {
			t.Errorf("DELETE of %q returns %q", id, got)
		}
		w.expect(404, "m2m_client_not_found", "GET", path, "")
	}
}

func TestM2MUpdateChangesWhatIsPresent(t *testing.T) {
	tests := []struct{ name, body, field, want string }{
		{"name", `{"client_name":"n"}`, "client_name", `"n"`},
		{"empty name", `{"client_name":""}`, "client_name", `""`},
		{"null name", `{"client_name":null}`, "client_name", `""`},
		{"description", `{"client_description":"d"}`, "client_description", `"d"`},
		{"null description", `{"client_description":null}`, "client_description", `""`},
		{"status", `{"status":"inactive"}`, "status", `"inactive"`},
		{"null status", `{"status":null}`, "status", `"active"`},
		{"scopes", `{"scopes":["z","a"]}`, "scopes", `["z","a"]`},
		{"empty scopes", `{"scopes":[]}`, "scopes", `[]`},
		{"null scopes", `{"scopes":null}`, "scopes", `[]`},
		{"metadata", `{"trusted_metadata":{"a":1,"team":null}}`, "trusted_metadata", `{"a":1,"tier":2}`},
		{"null metadata", `{"trusted_metadata":null}`, "trusted_metadata", `{}`},
		{"secret is not a field", `{"client_secret":"Correct-Horse-9"}`, "client_secret_last_four", `"HnJ6"`},
		{"id is repeated", `{"client_id":"other"}`, "client_id", `"worker"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := pinned(t)
			before := w.call("GET", clients+"/worker", "").body
			after := w.call("PUT", clients+"/worker", tt.body).body
			field := regexp.MustCompile(`"` + tt.field + `":("[^"]*"|\[[^]]*\]|\{[^}]*\})`)
			if got := field.FindStringSubmatch(after); got == nil || got[1] != tt.want {
				t.Errorf("%s is %v, want %s", tt.field, got, tt.want)
			}
			if rest := func(s string) string { return anonymous(field.ReplaceAllString(s, "")) }; rest(before) != rest(after) {
				t.Errorf("another field changed:\n%s\n%s", before, after)
			}
			if again := w.call("GET", clients+"/worker", "").body; anonymous(again) != anonymous(after) {
				t.Error("the response differs from what is stored")
			}
		})
	}
}

func TestM2MUpdateRefuses(t *testing.T) {
	w := pinned(t, emulator.WithBehavior(emulator.Behavior{MaxScopes: 3}))
	before := w.call("GET", clients+"/worker", "").body
	for body, kind := range map[string]string{
		``:                                          "bad_request",
		`{"client_name":5}`:                         "bad_request",
		`{"status":5}`:                              "bad_request",
		`{"client_name":"n","scopes":{}}`:           "bad_request",
		`{"client_name":"n","status":"gone"}`:       "invalid_m2m_client_status",
		`{"client_name":"n","scopes":["a b"]}`:      "invalid_m2m_client_scope",
		`{"scopes":["a","b","c","d"]}`:              "too_many_m2m_client_scopes",
		`{"status":"","client_name":"n"}`:           "invalid_m2m_client_status",
		`{"client_name":"n","trusted_metadata":[]}`: "metadata_invalid_format",
	} {
		w.expect(400, kind, "PUT", clients+"/worker", body)
	}
	if after := w.call("GET", clients+"/worker", "").body; anonymous(before) != anonymous(after) {
		t.Error("a refused update changed the client")
	}
	w.expect(404, "m2m_client_not_found", "PUT", clients+"/unknown", "{}")
}

func TestM2MDeleteIsForGood(t *testing.T) {
	w := start(t)
	id, secret := w.create(`{"scopes":["a"]}`)
	w.ok("DELETE", clients+"/"+id, `{}`)
	w.expect(404, "m2m_client_not_found", "DELETE", clients+"/"+id, "")
	w.expect(404, "m2m_client_not_found", "GET", clients+"/"+id, "")
	if w.works(id, secret) {
		t.Error("a removed client gets a token")
	}
	w.create(fmt.Sprintf(`{"scopes":["a"],"client_id":%q}`, id))
}
