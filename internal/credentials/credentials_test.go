package credentials

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/secret"
)

const client = "m2m-client-test-1"

var (
	both  = Credentials{client, secret.New("the next secret"), secret.New("the previous secret")}
	alone = Credentials{ClientID: client, Secret: secret.New("the next secret")}
)

func TestFor(t *testing.T) {
	for text, want := range map[string]Credentials{
		`{}`:                             {},
		`{"client_id":"` + client + `"}`: {},
		`{"client_id":null,"client_secret":null,"next_client_secret":null}`:                                                {},
		`{"client_id":"` + client + `","client_secret":"the next secret"}`:                                                 alone,
		`{"client_id":"` + client + `","client_secret":"the next secret","next_client_secret":""}`:                         alone,
		`{"next_client_secret":"the previous secret","client_secret":"the next secret","client_\u0069d":"` + client + `"}`: both,
	} {
		o, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := o.For(client); err != nil || !got.Equal(want) {
			t.Errorf("%s: other credentials, error %v", text, err)
		}
	}
}

func TestForRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{"client_id":7}`:                                                        "client_id is not a string",
		`{"client_id":"other"}`:                                                  `client_id is "other", not "m2m-client-test-1"`,
		`{"client_id":"other","client_secret":"canary"}`:                         `client_id is "other"`,
		`{"client_secret":"canary"}`:                                             "no client_id",
		`{"next_client_secret":"canary"}`:                                        "no client_id",
		`{"client_id":"m2m-client-test-1","client_secret":[]}`:                   "client_secret: ",
		`{"client_id":"m2m-client-test-1","client_secret":"[REDACTED] canary"}`:  "client_secret: ",
		`{"client_id":"m2m-client-test-1","client_secret":"canary\ud800"}`:       "client_secret: ",
		`{"client_id":"m2m-client-test-1","next_client_secret":"canary"}`:        "next_client_secret without client_secret",
		`{"client_id":"m2m-client-test-1","next_client_secret":{"canary":true}}`: "next_client_secret: ",
	} {
		o, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		c, err := o.For(client)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") || !c.Equal(Credentials{}) {
			t.Errorf("%s: error %v", text, err)
		}
		other := strings.Contains(text, `"other"`) || !strings.Contains(text, "client_id")
		if errors.Is(err, ErrOtherClient) != other {
			t.Errorf("%s: ErrOtherClient %t, want %t", text, !other, other)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		``, ` `, `[]`, `null`, `{`, `{"a":1`, `{"a"}`, `{"a":1}}`, `{}{}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, "{\"\xff\":1}", `{"a":}`, `{1:2}`,
	} {
		if o, err := Parse([]byte(text)); !errors.Is(err, errObject) || o.members != nil {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

// TestWith keeps members of others to the byte, and their order.
func TestWith(t *testing.T) {
	o, err := Parse([]byte(`{ "<\u003e" : 1.10 , "client_secret":"x", "b":{"c": [ null ]},"next_client_secret":"y" }`))
	if err != nil {
		t.Fatal(err)
	}
	before := string(o.Bytes())
	for c, want := range map[*Credentials]string{
		&both:  `{"<\u003e":1.10,"client_secret":"the next secret","b":{"c": [ null ]},"next_client_secret":"the previous secret","client_id":"m2m-client-test-1"}`,
		&alone: `{"<\u003e":1.10,"client_secret":"the next secret","b":{"c": [ null ]},"client_id":"m2m-client-test-1"}`,
	} {
		if got, err := o.With(*c); err != nil || string(got.Bytes()) != want {
			t.Errorf("got %s, error %v", got.Bytes(), err)
		}
	}
	if string(o.Bytes()) != before {
		t.Error("With changed the object that it was called on")
	}
	for _, c := range []Credentials{{client, secret.New("\xff"), secret.String{}}, {client, alone.Secret, secret.New("\xff")}} {
		if _, err := o.With(c); err == nil || !strings.Contains(err.Error(), "client_secret: ") {
			t.Errorf("a secret that is not UTF-8: error %v", err)
		}
	}
}

func TestEqual(t *testing.T) {
	for _, other := range []Credentials{
		{}, alone, {"other", both.Secret, both.Next}, {client, both.Next, both.Next}, {client, both.Secret, both.Secret},
	} {
		if both.Equal(other) || other.Equal(both) {
			t.Errorf("%v equals %v", both, other)
		}
	}
	if !both.Equal(both) {
		t.Error("not equal to itself")
	}
}

func TestValues(t *testing.T) {
	o, err := Parse([]byte(`{"client_id":"m2m-client-test-1","client_secret":"sécret","a":"abc","b":"abcd","c":12345,"d":["x"]}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := o.Values(); !slices.Equal(got, []string{"sécret", "abcd", "12345", `["x"]`}) {
		t.Errorf("got %q", got)
	}
}

// FuzzParse: what can be read can be changed and read again, and members of others survive that to
// the byte.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"client_id":"m2m-client-test-1","client_secret":"s","next_client_secret":"t"}`, `{}`, ``, `{"a":1,"a":2}`, `{"\u0061":1,"a":2}`,
		`{"client_id":"other"}`, `{"client_secret":null,"x":[{"y":1e400}] , "\ud800":"\ud800"}`, `[]`, `{}{}`, "{\"\xff\":1}",
		`{"<":"\u003c","\u003e":"&"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := Parse(text)
		if err != nil {
			return
		}
		if !json.Valid(text) {
			t.Error("read what is not JSON")
		}
		if _, err := o.For(client); err != nil && len(err.Error()) > 2000 {
			t.Error("the error has no limit")
		}
		for _, c := range []Credentials{both, alone, both} {
			changed, err := o.With(c)
			if err != nil {
				t.Fatal(err)
			}
			again, err := Parse(changed.Bytes())
			if err != nil {
				t.Fatalf("what was written cannot be read: %v", err)
			}
			if held, err := again.For(client); err != nil || !held.Equal(c) {
				t.Fatal("what was written is something else")
			}
			if !slices.EqualFunc(others(o), others(again), func(a, b member) bool {
				return string(a.raw) == string(b.raw) && string(a.value) == string(b.value)
			}) {
				t.Fatal("a member of others changed")
			}
			if twice, err := again.With(c); err != nil || string(twice.Bytes()) != string(changed.Bytes()) {
				t.Error("the same credentials gave another text")
			}
			o = again
		}
	})
}

func others(o Object) []member {
	return slices.DeleteFunc(slices.Clone(o.members), func(m member) bool {
		return m.name == idName || m.name == secretName || m.name == nextName
	})
}
