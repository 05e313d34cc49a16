package strictjson_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/strictjson"
)

type inner struct {
	Role string `json:"role"`
}

type Embedded struct {
	Level int `json:"level"`
	Name  string
}

type target struct {
	Embedded
	*Other
	Tenant  string            `json:"tenant"`
	Plain   string            // its name is Plain
	Nested  inner             `json:"nested"`
	Pointer *inner            `json:"pointer,omitempty"`
	List    []inner           `json:"list"`
	Pair    [2]inner          `json:"pair"`
	Map     map[string]inner  `json:"map"`
	Any     any               `json:"any"`
	Raw     json.RawMessage   `json:"raw"`
	At      time.Time         `json:"at"`
	Number  json.Number       `json:"number"`
	Hidden  string            `json:"-"`
	Dash    string            `json:"-,"` //nolint:staticcheck // a name that needs the comma
	Quoted  int               `json:"quoted,string"`
	Odd     string            `json:"odd 😀"`
	Bytes   []byte            `json:"bytes"`
	Texts   map[string]string `json:"texts"`
	secret  string
}

type Other struct {
	Far string `json:"far"`
	*Other
}

// Exact names decode as encoding/json decodes them.
func TestDecodeExactNames(t *testing.T) {
	for _, text := range []string{
		`{"tenant":"a","Plain":"b","level":3,"Name":"n","far":"f","nested":{"role":"r"},"pointer":{"role":"p"}}`,
		`{"list":[{"role":"1"},{"role":"2"},null],"pair":[{"role":"x"}],"map":{"Role":{"role":"m"},"role":null}}`,
		`{"any":{"Role":[1,{"ROLE":2}]},"raw": {"A" : 1},"at":"2026-01-01T00:00:00Z","number":12345678901234567890}`,
		`{"-":"dash","quoted":"7","bytes":"YQ==","texts":{"A":"1","a":"2"},"nested":null,"unknown":{"x":[]},"t\u0065nant":"esc\"aped"}`,
		`{}`, `null`, ` { "tenant" : "x" } `,
	} {
		var got, want target
		if err := strictjson.Decode([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if err := json.Unmarshal([]byte(text), &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v (%v)", text, got, want, err)
		}
	}
	var list []inner
	if err := strictjson.Decode([]byte(`[{"role":"a"},{"ROLE":"b"}]`), &list); err != nil || len(list) != 2 || list[0].Role != "a" || list[1].Role != "" {
		t.Errorf("%+v %v", list, err)
	}
}

// A name of another case is a name of nothing, wherever it stands.
func TestDecodeOtherCases(t *testing.T) {
	got := target{Tenant: "before", secret: "before"}
	text := `{"Tenant":"x","TENANT":"x","plain":"x","Level":9,"name":"x","FAR":"x","Nested":{"role":"x"},"nested":{"Role":"x","ROLE":"x"},` +
		`"pointer":{"Role":"x"},"list":[{"Role":"x"}],"pair":[{"rolE":"x"}],"map":{"k":{"Role":"x"}},"Hidden":"x","hidden":"x","-":"d","Secret":"x","secret":"x","ſecret":"x"}`
	if err := strictjson.Decode([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := target{Tenant: "before", secret: "before", Pointer: &inner{}, List: []inner{{}}, Map: map[string]inner{"k": {}}, Dash: "d"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

func TestDecodeErrors(t *testing.T) {
	var wrong struct{ A int }
	for _, test := range []struct {
		text string
		dst  any
	}{
		{`{"A":"x"}`, &wrong}, {`{}`, nil}, {`{}`, wrong}, {`{}`, (*inner)(nil)}, {`{"A":1,"A":1}`, &wrong}, {`{`, &wrong},
	} {
		if err := strictjson.Decode([]byte(test.text), test.dst); err == nil {
			t.Errorf("%s into %T: no error", test.text, test.dst)
		}
	}
}

// Whatever the text, a struct and a map see the same values.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"role":"a","Role":"b","nested":{"role":"c","ROLE":"d"}}`))
	f.Add([]byte(`{"list":[{"rol\u0065":"x"},{}],"role":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		type object struct {
			Role   any               `json:"role"`
			Nested map[string]any    `json:"nested"`
			List   []json.RawMessage `json:"list"`
		}
		var got object
		if strictjson.Valid(text) != nil || strictjson.Decode(text, &got) != nil {
			return
		}
		var want map[string]any
		if err := json.Unmarshal(text, &want); err != nil {
			return // another kind of value
		}
		if !reflect.DeepEqual(got.Role, want["role"]) {
			t.Fatalf("%q: %v, want %v", text, got.Role, want["role"])
		}
		if nested, ok := want["nested"].(map[string]any); ok && !reflect.DeepEqual(got.Nested, nested) {
			t.Fatalf("%q: %v, want %v", text, got.Nested, nested)
		}
	})
}
