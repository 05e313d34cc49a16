package inventory

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

func TestReadFile(t *testing.T) {
	for text, want := range map[string]int{
		"":                                 0,
		" ":                                0,
		`{"client_id":"a","scopes":["x"]}`: 1,
		"\xef\xbb\xbf" + `{"client_id":"a","scopes":["x"],"client_name":null,"status":"active"} {"client_name":"b","scopes":["x"]}`: 2,
		`[{"client_id":"a","scopes":["x"]},` + "\n" + `{"client_id":"b","scopes":["x"]}]`:                                           2,
		`[{"client_id":"a","app_type":"non_interactive","grant_types":["client_credentials"],"scopes":["x"]}]`:                      1,
	} {
		file, err := ReadFile("f", []byte(text), Clients)
		if err != nil || len(file.Entries) != want {
			t.Errorf("%q: %v, %v", text, file, err)
		}
	}
}

func TestReadFileRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{"client_id":"a","scopes":["x"]}` + "\n\n{": "f:3: this is not a JSON object",
		"{}":                                     "f:1: it has neither a client_id nor a client_name",
		"null":                                   "f:1: this is null instead of an object",
		`"text"`:                                 "f:1: this is not a JSON object: it is of type string",
		`[{"client_name":"a","scopes":["x"]}`:    "f: the array does not end",
		`[{"client_name":"a","scopes":["x"]}] x`: "f: something follows the array",
		`{"client_id":1,"scopes":["x"]}`:         "f:1: client_id: it must be a text",
		`{"client_id":"a/b","scopes":["x"]}`:     "f:1: client_id: it must not contain any of",
		`{"client_id":"a"}`:                      "f:1: it has no scopes",
		`{"client_id":"a","scopes":"x"}`:         "f:1: scopes: it must be a list of texts",
		`{"client_id":"a","scopes":[1]}`:         "f:1: scopes: it must be a list of texts",
		`{"client_id":"a","scopes":["x"],"client_name":1}`:                                                                          "f:1: client_name: it must be a text",
		`{"client_id":"a","scopes":["x"],"trusted_metadata":1}`:                                                                     "f:1: trusted_metadata: it must be a JSON object",
		`{"client_id":"a","scopes":["x"],"client_secret":"Canary-77-Canary"}`:                                                       "client_secret: a file of stytchctl holds no secret: remove it",
		`{"client_id":"a","scopes":["x"],"kind":"user"}`:                                                                            `kind "user" is not m2m_client`,
		`[{"client_id":"a","app_type":"non_interactive","grant_types":"x","client_secret":"Canary-77-Canary"}]`:                     "this client is not one of Auth0",
		`[{"client_id":"a","app_type":"non_interactive","grant_types":["client_credentials"],"client_secret":" Canary-77-Canary"}]`: "client_secret: it must not begin or end with a space",
		`[{"client_id":"a","audience":"b","scope":"c"}]`:                                                                            "this client grant is not one of Auth0",
	} {
		_, err := ReadFile("f", []byte(text), Clients)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Canary") ||
			cli.Classify(err) != cli.Usage || !strings.HasSuffix(err.Error(), "Nothing was created.") {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		`{"client_name":"a","client_type":"third_party","access_token_expiry_minutes":"1"}`: "access_token_expiry_minutes: it must be a whole number",
		`{"client_name":"a","client_type":"third_party","full_access_allowed":1}`:           "full_access_allowed: it must be true or false",
		`{"client_name":"a","client_type":1}`:                                               "client_type: it must be a text",
	} {
		if _, err := ReadFile("f", []byte(text), Apps); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
}

// FuzzReadFile: whatever is accepted can be asked for its key and label, has unique keys, and is
// read again as the same from its own export.
func FuzzReadFile(f *testing.F) {
	f.Add([]byte(`{"client_id":"a","scopes":["x"],"trusted_metadata":{"a":1}}`))
	f.Add([]byte(`[{"client_id":"a","app_type":"non_interactive","grant_types":["client_credentials"],"client_secret":"0123456789"},{"client_id":"a","audience":"b","scope":["c"]}]`))
	f.Add([]byte("[{\"client_name\":\"a\",\"scopes\":[\"x\"]},\n{\"client_name\":\"b\",\"scopes\":[\"x\"]}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := ReadFile("f", text, Clients)
		if err != nil {
			if cli.Classify(err) != cli.Usage {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		keys := map[string]bool{}
		for _, e := range file.Entries {
			if keys[e.Key()] || e.Key() == "" || e.Label() == "" {
				t.Fatalf("%q: %q is there twice", text, e.Key())
			}
			keys[e.Key()] = true
			if len(e.Fields.Texts(fieldScopes)) == 0 || e.ID == "" {
				continue
			}
			existing := Object{}
			for name, value := range e.Fields {
				existing[name] = value
			}
			existing.Set(fieldID, e.ID)
			line, err := Clients.Export(existing)
			if err != nil {
				t.Fatal(err)
			}
			again, err := ReadFile("f", line, Clients)
			if err != nil || len(again.Entries) != 1 || len(e.Compare(existing)) > 0 || len(again.Entries[0].Compare(existing)) > 0 {
				t.Fatalf("%q becomes %s: %v", text, line, err)
			}
		}
	})
}

func TestCompare(t *testing.T) {
	for pair, equal := range map[[2]string]bool{
		{`"a"`, `"a"`}: true, {`"a"`, `"b"`}: false, {`""`, `null`}: true, {`[]`, `null`}: true, {`false`, ``}: true, {`0`, ``}: true,
		{`["a","b"]`, `["b","a"]`}: true, {`["a","a"]`, `["a"]`}: true, {`["a"]`, `["a","b"]`}: false, {`5`, `5.0`}: true, {`5`, `6`}: false,
		{`{"a":1}`, `{"a":1.0}`}: true, {`{"a":1}`, `{"a":1,"b":2}`}: false, {`{"a":1,"b":null}`, `{"a":1}`}: true, {`{}`, ``}: true,
		{`{"a":{"b":[1,2]}}`, `{"a":{"b":[2,1]}}`}: false, {`{"a":12345678901234567890}`, `{"a":12345678901234567891}`}: false,
	} {
		e := Entry{Kind: Clients, Fields: Object{"x": json.RawMessage(pair[0])}}
		existing := Object{}
		if pair[1] != "" {
			existing["x"] = json.RawMessage(pair[1])
		}
		if got := len(e.Compare(existing)) == 0; got != equal {
			t.Errorf("%s and %s: equal is %v", pair[0], pair[1], got)
		}
	}
}

func TestMergeInto(t *testing.T) {
	merge := mergeInto(json.RawMessage(`{"keep":1,"go":2,"change":3,"none":4}`), json.RawMessage(`{"keep":1.0,"change":[3],"new":{},"none":null}`))
	text, err := json.Marshal(merge)
	if want := `{"change":[3],"go":null,"new":{},"none":null}`; err != nil || string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
}

// TestFields: the fields come from the models, and the two kinds differ as Stytch documents it.
func TestFields(t *testing.T) {
	if want := []string{"client_description", "client_name", "scopes", "status", "trusted_metadata"}; !slices.Equal(Clients.Fields(), want) {
		t.Errorf("clients have %v", Clients.Fields())
	}
	if !slices.Equal(Clients.late, []string{"status"}) || !slices.Equal(Apps.only, []string{"client_type"}) || len(Clients.only)+len(Apps.late) > 0 {
		t.Errorf("late %v %v, only %v %v", Clients.late, Apps.late, Clients.only, Apps.only)
	}
	if want := []string{"client_description", "client_name", "scopes", "trusted_metadata"}; !slices.Equal(Clients.Emptyable(), want) {
		t.Errorf("these can be emptied: %v", Clients.Emptyable())
	}
}
