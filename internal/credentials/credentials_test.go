package credentials

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/secret"
)

const client = "m2m-client-test-1"

var (
	both  = Credentials{client, secret.New("the-next-secret"), secret.New("the-previous-secret")}
	alone = Credentials{ClientID: client, Secret: secret.New("the-next-secret")}
)

func TestFor(t *testing.T) {
	for text, want := range map[string]Credentials{
		`{}`:                             {},
		`{"client_id":"` + client + `"}`: {},
		`{"client_id":null,"client_secret":null,"previous_client_secret":null,"next_client_secret":null}`:                      {},
		`{"client_id":"` + client + `","client_secret":"the-next-secret"}`:                                                     alone,
		`{"client_id":"` + client + `","client_secret":"the-next-secret","previous_client_secret":""}`:                         alone,
		"\ufeff" + `{"client_id":"\ufeff` + client + `","client_secret":"the-next-secret"}`:                                    alone,
		`{"previous_client_secret":"the-previous-secret","client_secret":"the-next-secret","client_\u0069d":"` + client + `"}`: both,
		`{"client_id":"` + client + `","client_secret":"the-next-secret","next_client_secret":"the-previous-secret"}`:          both, // written by an earlier version
		`{"client_id":"` + client + `","client_secret":"the-next-secret","next_client_secret":"the-previous-secret",
			"previous_client_secret":"the-previous-secret"}`: both,
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
		`{"client_id":7}`:                                                            "client_id: ",
		`{"client_id":"other"}`:                                                      `client_id is "other", not "m2m-client-test-1"`,
		`{"client_id":"other","client_secret":"canary"}`:                             `client_id is "other"`,
		`{"client_secret":"canary"}`:                                                 "no client_id",
		`{"previous_client_secret":"canary"}`:                                        "previous_client_secret without client_secret",
		`{"client_id":"m2m-client-test-1","client_secret":[]}`:                       "client_secret: ",
		`{"client_id":"m2m-client-test-1","client_secret":"[REDACTED] canary"}`:      "client_secret: ",
		`{"client_id":"m2m-client-test-1","client_secret":"canary\ud800"}`:           "client_secret: ",
		`{"client_id":"m2m-client-test-1","client_secret":"\"canary\""}`:             "client_secret is enclosed in quotation marks",
		`{"client_id":"m2m-client-test-1\u200b","client_secret":"canary"}`:           "client_id contains a zero-width character (U+200B)",
		`{"client_id":"m2m-client-test-1","previous_client_secret":"canary"}`:        "previous_client_secret without client_secret",
		`{"client_id":"m2m-client-test-1","next_client_secret":"canary"}`:            "previous_client_secret without client_secret",
		`{"client_id":"m2m-client-test-1","previous_client_secret":{"canary":true}}`: "previous_client_secret: ",
		`{"client_id":"m2m-client-test-1","next_client_secret":{"canary":true}}`:     "next_client_secret: ",
		`{"client_id":"m2m-client-test-1","client_secret":"canary","previous_client_secret":"canary1","next_client_secret":"canary2"}`: "two names of one value",
	} {
		o, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		c, err := o.For(client)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") || !c.Equal(Credentials{}) {
			t.Errorf("%s: error %v", text, err)
		}
		other := strings.Contains(text, `"other"`) || text == `{"client_secret":"canary"}`
		if errors.Is(err, ErrOtherClient) != other {
			t.Errorf("%s: ErrOtherClient %t, want %t", text, !other, other)
		}
	}
}

// TestHolds: what is spelled as earlier versions did is written once more.
func TestHolds(t *testing.T) {
	for text, want := range map[string]bool{
		`{"client_id":"` + client + `","client_secret":"the-next-secret","previous_client_secret":"the-previous-secret"}`: true,
		`{"client_id":"` + client + `","client_secret":"the-next-secret","next_client_secret":"the-previous-secret"}`:     false,
		`{"client_id":"` + client + `","client_secret":"the-next-secret"}`:                                                false,
		`{"client_id":"other","client_secret":"the-next-secret"}`:                                                         false,
		`{}`: false,
	} {
		o, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if o.Holds(both) != want {
			t.Errorf("%s: %t, want %t", text, !want, want)
		}
		if o, err = o.With(both); err != nil || !o.Holds(both) || strings.Contains(string(o.Bytes()), nextName) {
			t.Errorf("%s: rewritten it does not hold the credentials under the names of today, error %v", text, err)
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
	o, err := Parse([]byte(`{ "<\u003e" : 1.10 , "client_secret":"x", "b":{"c": [ null ]},"previous_client_secret":"y" }`))
	if err != nil {
		t.Fatal(err)
	}
	before := string(o.Bytes())
	for c, want := range map[*Credentials]string{
		&both:  `{"<\u003e":1.10,"client_secret":"the-next-secret","b":{"c": [ null ]},"previous_client_secret":"the-previous-secret","client_id":"m2m-client-test-1"}`,
		&alone: `{"<\u003e":1.10,"client_secret":"the-next-secret","b":{"c": [ null ]},"client_id":"m2m-client-test-1"}`,
	} {
		if got, err := o.With(*c); err != nil || string(got.Bytes()) != want {
			t.Errorf("got %s, error %v", got.Bytes(), err)
		}
	}
	if string(o.Bytes()) != before {
		t.Error("With changed the object that it was called on")
	}
	for _, c := range []Credentials{
		{client, secret.New("\xff"), secret.String{}}, {client, alone.Secret, secret.New("\xff")}, {client, alone.Secret, secret.New("a b")},
		{client, secret.New("a" + secret.Placeholder), secret.String{}},
	} {
		if _, err := o.With(c); err == nil || !strings.Contains(err.Error(), "client_secret") {
			t.Errorf("a secret that no reader takes: error %v", err)
		}
	}
}

func TestEqual(t *testing.T) {
	for _, other := range []Credentials{
		{}, alone, {"other", both.Secret, both.Previous}, {client, both.Previous, both.Previous}, {client, both.Secret, both.Secret},
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
		`{"client_id":"m2m-client-test-1","client_secret":"s","next_client_secret":"t"}`, `{}`, "\ufeff{}", ``, `{"a":1,"a":2}`, `{"\u0061":1,"a":2}`,
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
		if !json.Valid(bytes.TrimPrefix(text, []byte(bom))) {
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
		return slices.Contains(names[:], m.name)
	})
}
