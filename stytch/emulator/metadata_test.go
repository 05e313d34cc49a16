package emulator_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// metadata returns the trusted_metadata of a client exactly as sent.
func (w *harness) metadata(id string) string {
	w.t.Helper()
	var resp struct {
		Client struct {
			Metadata json.RawMessage `json:"trusted_metadata"`
		} `json:"m2m_client"`
	}
	if err := json.Unmarshal([]byte(w.expect(200, "", "GET", clients+"/"+id, "").body), &resp); err != nil {
		w.t.Fatal(err)
	}
	return string(resp.Client.Metadata)
}

func TestMetadataMerges(t *testing.T) {
	for _, tt := range []struct{ name, stored, change, want string }{
		{"nothing", `{"a":1}`, `{}`, `{"a":1}`},
		{"another key", `{"a":1}`, `{"b":2}`, `{"a":1,"b":2}`},
		{"the same key", `{"a":1}`, `{"a":"x"}`, `{"a":"x"}`},
		{"null removes", `{"a":1,"b":2}`, `{"a":null,"c":null}`, `{"b":2}`},
		{"nested objects are replaced", `{"a":{"x":1,"y":2}}`, `{"a":{"z":null}}`, `{"a":{"z":null}}`},
		{"the last of a repeated key", `{}`, `{"a":1,"a":null,"a":3}`, `{"a":3}`},
		{"keys are sorted at every depth", `{}`, `{"b":{"d":1,"c":[{"f":1,"e":2}]},"a":0}`, `{"a":0,"b":{"c":[{"e":2,"f":1}],"d":1}}`},
		{"null on creation", `{"a":null,"b":{"c":null}}`, `{}`, `{"b":{"c":null}}`},
		{"numbers keep every digit", `{"a":9007199254740993,"b":1e400,"c":1.0,"d":-0,"e":[1E+2,0.10]}`, `{"f":123456789012345678901234567890}`,
			`{"a":9007199254740993,"b":1e400,"c":1.0,"d":-0,"e":[1E+2,0.10],"f":123456789012345678901234567890}`},
		{"spaces go", `{}`, "{ \"a\" : [ 1 ,\n2 ] }", `{"a":[1,2]}`},
		{"texts stay", `{"":"","<&>":"</script>\u00e9\ud83d\ude00"}`, `{}`, `{"":"","<&>":"</script>é😀"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := start(t)
			w.expect(200, "", "POST", clients, `{"client_id":"x","scopes":[],"trusted_metadata":`+tt.stored+`}`)
			w.expect(200, "", "PUT", clients+"/x", `{"trusted_metadata":`+tt.change+`}`)
			if got := w.metadata("x"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestMetadataLimitsCountAfterTheMerge(t *testing.T) {
	w := start(t)
	pairs := func(from, n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"k%02d":%d`, from+i, i))
		}
		return strings.Join(all, ",")
	}
	id, _ := w.create(`{"scopes":[],"trusted_metadata":{` + pairs(0, 20) + `}}`)
	update := func(metadata string) string { return `{"trusted_metadata":{` + metadata + `}}` }
	w.expect(400, "metadata_too_many_keys", "PUT", clients+"/"+id, update(`"one":1`))
	w.expect(400, "metadata_too_many_keys", "POST", clients, `{"scopes":[],"trusted_metadata":{`+pairs(0, 21)+`}}`)
	w.ok("PUT", clients+"/"+id, update(`"k00":null,"one":1`))
	w.ok("PUT", clients+"/"+id, update(pairs(1, 19)))

	full := strings.Repeat("a", 4096-len(`{"a":""}`))
	id, _ = w.create(`{"scopes":[],"trusted_metadata":{"a":"` + full + `"}}`)
	w.expect(400, "metadata_too_large", "PUT", clients+"/"+id, update(`"b":1`))
	w.expect(400, "metadata_too_large", "POST", clients, `{"scopes":[],"trusted_metadata":{"a":"`+full+`a"}}`)
	w.ok("PUT", clients+"/"+id, update(`"a":null,"b":1`))
	if got := w.metadata(id); got != `{"b":1}` {
		t.Errorf("metadata %s", got)
	}
}

func TestSeedMetadataIsLossless(t *testing.T) {
	w := start(t, emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "x", Metadata: map[string]any{
		"number": json.Number("1.10"), "raw": json.RawMessage(`[9007199254740993]`), "<": "&", "gone": nil,
	}}))
	if got := w.metadata("x"); got != `{"<":"&","number":1.10,"raw":[9007199254740993]}` {
		t.Errorf("metadata %s", got)
	}
}
