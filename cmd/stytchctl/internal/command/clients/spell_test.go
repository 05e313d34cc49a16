package clients

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
	"github.com/stytchkit/m2m/stytch"
)

func spelled(t *testing.T, client stytch.M2MClient) string {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(client); err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// TestAppendClient: a client is spelled as encoding/json does, also if the model has new fields.
func TestAppendClient(t *testing.T) {
	four := "MmlU"
	full := stytch.M2MClient{
		ClientID: "a", ClientName: "n", ClientDescription: "d", ClientSecretLastFour: "abcd", NextClientSecretLastFour: &four,
		Scopes: []string{"a", "b"}, Status: stytch.Active, TrustedMetadata: stytch.Metadata(`{ "a" : [1, "x y"] }`),
	}
	value := reflect.ValueOf(full)
	for i := range value.NumField() {
		if value.Field(i).IsZero() {
			t.Errorf("the field %s is new: add it here and to appendClient", value.Type().Field(i).Name)
		}
	}
	hostile := full
	hostile.ClientName = "<script>&\u2028\u202e\x00\x1f\x7f\"\\\xff ü\n"
	hostile.Scopes = []string{"", "ü\t"}
	hostile.TrustedMetadata = stytch.Metadata("{\"<\": \"\u2028 &\"}")
	for _, client := range []stytch.M2MClient{{}, {Scopes: []string{}}, full, hostile} {
		got, err := appendClient(nil, &client)
		if want := spelled(t, client); err != nil || string(got) != want {
			t.Errorf("got  %s %v\nwant %s", got, err, want)
		}
	}
}

func FuzzAppendText(f *testing.F) {
	for _, text := range []string{"", "plain", "<&>", "\u2028", "\xff", "\"\\\n\x7f", "ü"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want := spelled(t, stytch.M2MClient{ClientID: text})
		got, err := appendClient(nil, &stytch.M2MClient{ClientID: text})
		if err != nil || string(got) != want {
			t.Fatalf("got  %s %v\nwant %s", got, err, want)
		}
	})
}

// TestFlagsCoverFields: each field that can be set has a flag, and no flag is for another.
func TestFlagsCoverFields(t *testing.T) {
	for kind, fields := range map[*inventory.Kind][]field{inventory.Clients: clientFields, inventory.Apps: appFields} {
		var flags []string
		for _, f := range fields {
			flags = append(flags, f.name)
		}
		slices.Sort(flags)
		if !slices.Equal(flags, kind.Fields()) {
			t.Errorf("%s: the flags set %v, the fields are %v", kind.Name, flags, kind.Fields())
		}
	}
}
