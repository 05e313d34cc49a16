package awssecrets

import (
	"encoding/json"
	"maps"
	"reflect"
	"testing"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// FuzzParse holds that what can be read can be written and read again, and that the keys of others
// survive that.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"client_id":"a","client_secret":"b","next_client_secret":"c"}`, `{"client_id":null,"x":[1,{"y":1e400}]}`, `[]`, ``,
		`{"client_secret":"b"}`, `{"client_id":"a","client_id":"b"}`, "{\"a\":\"\xff\"}", `{} {}`, `{"<":"\u003c","\u003e":"&"}`, `{"a":"\ud800"}`,
	} {
		f.Add(seed)
	}
	some := rotate.Delivery{ClientID: "client", Secret: secret.New("the secret"), Previous: secret.New("the former")}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parse(text)
		if err != nil {
			return
		}
		kept, before := others(t, text), maps.Clone(v.fields)
		for _, d := range []rotate.Delivery{some, {ClientID: some.ClientID, Secret: some.Previous}} {
			out, err := v.with(d)
			if err != nil {
				t.Fatalf("what was read cannot be written: %v", err)
			}
			again, err := parse(out)
			if err != nil || !again.holds(d) {
				t.Fatalf("what was written cannot be read: %v", err)
			}
			if !reflect.DeepEqual(kept, others(t, out)) {
				t.Error("a key of somebody else changed")
			}
			if twice, err := again.with(d); err != nil || twice != out {
				t.Error("the same delivery is another text")
			}
		}
		if !reflect.DeepEqual(before, v.fields) {
			t.Error("what was read was changed")
		}
	})
}

// others is what encoding/json sees of the other keys.
func others(t *testing.T, text string) map[string]any {
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal("encoding/json does not read it")
	}
	kept := map[string]any{}
	for key, raw := range all {
		if key == keyID || key == keySecret || key == keyPrevious {
			continue
		}
		var v any
		if json.Unmarshal(raw, &v) != nil { // a number beyond float64
			v = string(raw)
		}
		kept[key] = v
	}
	return kept
}
