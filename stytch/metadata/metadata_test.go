package metadata_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/metadata"
)

func TestFrom(t *testing.T) {
	type plan struct {
		Plan string `json:"plan"`
	}
	for _, tt := range []struct {
		name    string
		value   any
		want    string
		wantErr string
	}{
		{"struct", plan{"pro"}, `{"plan":"pro"}`, ""},
		{"pointer", &plan{"pro"}, `{"plan":"pro"}`, ""},
		{"map", map[string]string{"b": "2", "a": "1"}, `{"a":"1","b":"2"}`, ""},
		{"merge and removal", map[string]any{"plan": "pro", "old": nil}, `{"old":null,"plan":"pro"}`, ""},
		{"raw", json.RawMessage(" {\"a\" : 1}\n"), `{"a":1}`, ""},
		{"object", metadata.Object(`{"a":1}`), `{"a":1}`, ""},
		{"object with spaces", metadata.Object("\n{ }\t"), `{}`, ""},
		{"empty", map[string]any{}, `{}`, ""},
		{"HTML", map[string]string{"a": "<b>&"}, `{"a":"<b>&"}`, ""},
		{"large integer", map[string]any{"n": int64(9007199254740993)}, `{"n":9007199254740993}`, ""},
		{"number as written", map[string]any{"a": json.Number("1e400"), "b": json.Number("1.0")}, `{"a":1e400,"b":1.0}`, ""},

		{"nil", nil, "", "got null"},
		{"nil map", map[string]any(nil), "", "got null"},
		{"nil pointer", (*plan)(nil), "", "got null"},
		{"absent", metadata.Object(nil), "", "got null"},
		{"array", []int{1}, "", "metadata: must be a JSON object, got an array"},
		{"bytes", []byte(`{}`), "", "got a string"},
		{"text", "x", "", "got a string"},
		{"number", -1, "", "got a number"},
		{"boolean", true, "", "got a boolean"},
		{"raw array", json.RawMessage(` [1]`), "", "got an array"},
		{"raw, cut off", json.RawMessage(`{"a":`), "", "unexpected end"},
		{"raw, two", json.RawMessage(`{}{}`), "", "after top-level value"},
		{"object of another kind", metadata.Object(`[1]`), "", "got an array"},
		{"not for JSON", map[string]any{"f": func() {}}, "", "unsupported type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := metadata.From(tt.value)
			if tt.wantErr != "" {
				if got != nil || err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("got %s, %v; want an error with %q", got, err, tt.wantErr)
				}
				return
			}
			if err != nil || got.String() != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	type target struct {
		Plan  string `json:"plan"`
		Seats int64  `json:"seats"`
		Extra any    `json:"extra"`
	}
	untouched := target{Plan: "before"}
	for _, tt := range []struct {
		name, object string
		want         target
		wantErr      string
	}{
		{"typed", `{"plan":"pro","seats":9007199254740993}`, target{"pro", 9007199254740993, nil}, ""},
		{"number in any", `{"extra":[1.0,1e400]}`, target{"before", 0, []any{json.Number("1.0"), json.Number("1e400")}}, ""},
		{"spaces", " {\"plan\":\"pro\"}\n ", target{"pro", 0, nil}, ""},
		{"empty", `{}`, untouched, ""},
		{"absent", ``, untouched, ""},
		{"wrong type", `{"seats":"many"}`, untouched, "seats"},
		{"trailing object", `{} {}`, untouched, "more data"},
		{"trailing brace", `{}}`, untouched, "more data"},
		{"cut off", `{"plan":"pro"`, untouched, "unexpected EOF"},
		{"array", `[]`, untouched, "must be a JSON object, got an array"},
		{"null", `null`, untouched, "got null"},
		{"no JSON", `<html>`, untouched, "got no JSON"},
		{"spaces alone", ` `, untouched, "got nothing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := untouched
			err := metadata.Object(tt.object).Decode(&got)
			if (err == nil) != (tt.wantErr == "") || (err != nil && !strings.Contains(err.Error(), tt.wantErr)) {
				t.Fatalf("err = %v, want %q", err, tt.wantErr)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	if err := metadata.Object(`{}`).Decode(nil); !errors.As(err, new(*json.InvalidUnmarshalError)) {
		t.Errorf("Decode(nil): %v", err)
	}
}

func TestMap(t *testing.T) {
	m, err := metadata.Object(`{"n":9007199254740993,"o":{"f":1.0},"z":null}`).Map()
	want := map[string]any{"n": json.Number("9007199254740993"), "o": map[string]any{"f": json.Number("1.0")}, "z": nil}
	if err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("got %v, %v", m, err)
	}
	if m, err := metadata.Object(nil).Map(); m != nil || err != nil {
		t.Errorf("absent: got %v, %v", m, err)
	}
	if m, err := metadata.Object(`{}`).Map(); m == nil || err != nil {
		t.Errorf("empty: got %v, %v", m, err)
	}
	if m, err := metadata.Object(`{"a":1,"b"}`).Map(); m != nil || err == nil {
		t.Errorf("cut off: got %v, %v", m, err)
	}
}

// TestNumbersSurvive sends numbers that float64 cannot hold through a map and back: what Stytch
// stored is what an unrelated change sends again.
func TestNumbersSurvive(t *testing.T) {
	const text = `{"big":9007199254740993,"huge":1e400,"neg":-0.0,"one":1.0}`
	m, err := metadata.Object(text).Map()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := metadata.From(m); err != nil || got.String() != text {
		t.Errorf("got %s, %v; want %s", got, err, text)
	}
}

func TestJSON(t *testing.T) {
	type client struct {
		M metadata.Object `json:"m"`
		Z metadata.Object `json:"z,omitzero"`
	}
	for _, tt := range []struct{ name, in, want, wantErr string }{
		{"object", `{"m": {"a": 1, "b": {"c":[1.0]}}}`, `{"m":{"a":1,"b":{"c":[1.0]}}}`, ""},
		{"empty", `{"m":{}}`, `{"m":{}}`, ""},
		{"null", `{"m":null}`, `{"m":null}`, ""},
		{"absent", `{}`, `{"m":null}`, ""},
		{"omitzero keeps empty", `{"m":null,"z":{}}`, `{"m":null,"z":{}}`, ""},
		{"array", `{"m":["73311447"]}`, ``, "metadata: must be a JSON object, got an array"},
		{"string", `{"m":"73311447"}`, ``, "got a string"},
		{"number", `{"m":73311447}`, ``, "got a number"},
		{"boolean", `{"m":false}`, ``, "got a boolean"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c client
			err := json.Unmarshal([]byte(tt.in), &c)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) || strings.Contains(err.Error(), "73311447") {
					t.Errorf("err = %v, want %q and no data", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := json.Marshal(c); err != nil || string(got) != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
		})
	}
	for _, bad := range []string{`[1]`, `null`, `{"a":`, `{}{}`} {
		if out, err := json.Marshal(metadata.Object(bad)); err == nil {
			t.Errorf("Object(%q) was sent as %s", bad, out)
		}
	}
}

// The bytes encoding/json hands over belong to its caller, who may reuse them.
func TestUnmarshalCopies(t *testing.T) {
	data := []byte(`{"a":1}`)
	var o metadata.Object
	if err := o.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	copy(data, "XXXXXXX")
	if o.String() != `{"a":1}` {
		t.Errorf("the object changed with its input: %s", o)
	}
	if err := o.UnmarshalJSON([]byte("null")); err != nil || !o.IsZero() {
		t.Errorf("null left %s, %v", o, err)
	}
}

func TestEqual(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{``, ``, true},
		{`{}`, `{ }`, true},
		{`{"a":1,"b":[1,{"c":null}]}`, "{\n\"b\": [1, {\"c\": null}], \"a\": 1}", true},
		{`{"a":"\u003c"}`, `{"a":"<"}`, true},
		{``, `{}`, false},
		{`{"a":1}`, `{"a":1.0}`, false},
		{`{"a":1}`, `{"a":"1"}`, false},
		{`{"a":9007199254740993}`, `{"a":9007199254740992}`, false},
		{`{"a":[1,2]}`, `{"a":[2,1]}`, false},
		{`{"a":null}`, `{}`, false},
		{`{"a":`, `{"a":`, true},
		{`{"a":`, `{"b":`, false},
	} {
		a, b := metadata.Object(tt.a), metadata.Object(tt.b)
		if a.Equal(b) != tt.want || b.Equal(a) != tt.want {
			t.Errorf("%s equal to %s: want %t", a, b, tt.want)
		}
	}
}

func FuzzObject(f *testing.F) {
	for _, seed := range []string{
		`{"M":{"a":1e400,"b":[1.0,null,"<"]}}`, `{"M":{}}`, `{"M":null}`, `{"M":[1]}`, `{"M":{"a":1,"a":2}}`,
		`{"M":{"\ud800":"\u2028"}}`, "{\"M\":{\"\xff\":\"\xe2\x80\xa8\"}}", `{"m" : { } }`, `{}`, `[`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var in, again struct{ M metadata.Object }
		if json.Unmarshal(data, &in) != nil {
			return
		}
		if !in.M.IsZero() && !json.Valid(in.M) {
			t.Fatalf("not valid JSON: %q", in.M)
		}
		if m, err := in.M.Map(); err != nil || (m == nil) != in.M.IsZero() {
			t.Fatalf("Map of %q: %v", in.M, err)
		}
		out, err := json.Marshal(in)
		if err != nil {
			t.Fatalf("marshal of %q: %v", in.M, err)
		}
		if err := json.Unmarshal(out, &again); err != nil || !again.M.Equal(in.M) {
			t.Errorf("%q came back as %q, %v", in.M, again.M, err)
		}
	})
}

// BenchmarkDecodePage decodes a page of 1,000 clients, as a search does.
func BenchmarkDecodePage(b *testing.B) {
	page := pageOf(1000)
	b.Run("Object", func(b *testing.B) { decodePage[metadata.Object](b, page) })
	b.Run("map", func(b *testing.B) { decodePage[map[string]any](b, page) })
}

func decodePage[M any](b *testing.B, page []byte) {
	type client struct {
		ClientID string   `json:"client_id"`
		Name     string   `json:"client_name"`
		Scopes   []string `json:"scopes"`
		Status   string   `json:"status"`
		Metadata M        `json:"trusted_metadata"`
	}
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		var got struct {
			Clients []client `json:"m2m_clients"`
		}
		if err := json.Unmarshal(page, &got); err != nil || len(got.Clients) != 1000 {
			b.Fatal(len(got.Clients), err)
		}
	}
}

// pageOf has about 250 bytes of metadata for each client: flat settings, one nested object and one
// list.
func pageOf(n int) []byte {
	var b strings.Builder
	b.WriteString(`{"m2m_clients":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"client_id":"m2m-client-test-%08d","client_name":"service %d","scopes":["read:users","write:users"],"status":"active",`, i, i)
		fmt.Fprintf(&b, `"trusted_metadata":{"tenant":"tenant-%d","plan":"pro","seats":%d,"ratio":0.75,"beta":true,"owner":null,`, i%97, i)
		b.WriteString(`"region":"eu-central-1","limits":{"rps":100,"burst":250,"daily":1000000},"tags":["billing","internal","tier-1"],"contact":"team@example.com"}}`)
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}
