package deliver

import (
	"encoding/base64"
	"testing"

	"github.com/stytchkit/m2m/internal/credentials"
	"github.com/stytchkit/m2m/stytch/secret"
)

const fuzzClient = "m2m-client-test-1"

// refill checks that an object from a server can be changed, or is refused.
func refill(t *testing.T, o credentials.Object) {
	if _, err := o.For(fuzzClient); err != nil {
		return
	}
	want := credentials.Credentials{ClientID: fuzzClient, Secret: secret.New("NEXTNEXTNEXTNEXT"), Previous: secret.New("PREVIOUSPREVIOUS")}
	next, err := o.With(want)
	if err != nil {
		t.Fatal(err)
	}
	again, err := credentials.Parse(next.Bytes())
	if err != nil {
		t.Fatalf("what was written cannot be read: %v", err)
	}
	if held, err := again.For(fuzzClient); err != nil || !held.Equal(want) {
		t.Fatal("what was written is something else")
	}
}

func FuzzVault(f *testing.F) {
	for _, seed := range []string{
		`{"data":{"data":{"client_id":"m2m-client-test-1","client_secret":"s"},"metadata":{"version":3}}}`, `{"errors":[]}`, `{"errors":["x"]}`,
		`{"data":{"data":null,"metadata":{"version":2,"destroyed":true}}}`, `{"data":{"client_id":"v1"}}`, `{"errors":null}`, `<html>`, ``, `{"data":{"metadata":{"version":-1}}}`,
	} {
		f.Add(200, []byte(seed))
		f.Add(404, []byte(seed))
		f.Add(503, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		stored, _, err := parseVaultVersion(status, body)
		_ = vaultErrors(body)
		switch {
		case err != nil && (stored.number != 0 || len(stored.object.Bytes()) > 2):
			t.Error("a secret beside the error")
		case err == nil && status != 200 && status != 404:
			t.Errorf("status %d is no error", status)
		case err == nil && (stored.number < 0 || len(stored.object.Bytes()) > 2 && (stored.number == 0 || status != 200)):
			t.Error("data of no version")
		}
		refill(t, stored.object)
	})
}

func FuzzKubernetes(f *testing.F) {
	form := base64.StdEncoding.EncodeToString([]byte(`{"client_id":"m2m-client-test-1","client_secret":"s"}`))
	for _, seed := range []string{
		`{"kind":"Secret","metadata":{"name":"s","resourceVersion":"7"},"data":{"credentials.json":"` + form + `"}}`, `{"kind":"Secret"}`, ``, `<html>`,
		`{"kind":"Secret","metadata":{"name":"s","resourceVersion":"7"},"immutable":true,"data":null}`, `{"kind":"Status","reason":"NotFound","message":"m"}`,
		`{"kind":"Secret","metadata":{"name":"s","resourceVersion":"7"},"data":{"credentials.json":"*"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_ = parseStatus(body)
		stored, err := parseSecret(body, location{name: "s", key: defaultKey})
		if err != nil {
			if stored.version != "" || len(stored.object.Bytes()) > 2 || len(err.Error()) > 150 {
				t.Error("a Secret beside the error, or an error that is not fixed")
			}
			return
		}
		refill(t, stored.object)
	})
}
