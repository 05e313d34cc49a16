package deliver

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

var forFuzz = rotate.Delivery{ClientID: "m2m-client-test-1", Secret: secret.New("NEXTNEXTNEXTNEXT"), Previous: secret.New("FORMERFORMER")}

// refill checks what is made of an object that was read: it holds the delivery, and all else is as it was.
func refill(t *testing.T, o object) {
	held, err := heldFor(forFuzz.ClientID, o)
	if err != nil {
		return
	}
	if held.ClientID != "" && held.ClientID != forFuzz.ClientID {
		t.Fatal("the secret of another client")
	}
	for _, d := range []rotate.Delivery{forFuzz, {ClientID: forFuzz.ClientID, Secret: forFuzz.Secret}} {
		next, err := filled(o, d)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseObject(next.bytes())
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if held, err := heldFor(d.ClientID, again); err != nil || !same(held, d) {
			t.Fatal("what was written is something else")
		}
		for _, m := range o {
			if m.name == idName || m.name == secretName || m.name == previousName {
				continue
			}
			i := again.index(m.name)
			if i < 0 || string(again[i].value) != string(m.value) || string(again[i].source) != string(m.source) {
				t.Fatal("a member of others was changed")
			}
		}
		o = again
	}
}

func FuzzForm(f *testing.F) {
	for _, seed := range []string{
		`{"client_id":"m2m-client-test-1","client_secret":"s","next_client_secret":"t"}`, `{}`, ``, ` `, `{"a":1,"a":2}`, `{"\u0061":1,"a":2}`,
		`{"client_id":"other"}`, `{"client_secret":null,"x":[{"y":1e400}] , "\ud800":"\ud800"}`, `{"client_id":{}}`, `[]`, `{`, `{}{}`, "{\"\xff\":1}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := parseForm(data)
		if err != nil {
			if len(err.Error()) > 100 {
				t.Error("an error that is not fixed")
			}
			return
		}
		if len(strings.TrimSpace(string(data))) > 0 && !json.Valid(data) {
			t.Error("read what is not JSON")
		}
		refill(t, o)
	})
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
		stored, _, err := parseVault(status, body)
		_ = vaultErrors(body)
		switch {
		case err != nil && (stored.version != 0 || stored.data != nil):
			t.Error("a secret beside the error")
		case err == nil && status != 200 && status != 404:
			t.Errorf("status %d is no error", status)
		case err == nil && (stored.version < 0 || stored.data != nil && (stored.version == 0 || status != 200)):
			t.Error("data of no version")
		}
		refill(t, stored.data)
	})
}

func FuzzKubernetes(f *testing.F) {
	form := base64.StdEncoding.EncodeToString([]byte(`{"client_id":"m2m-client-test-1","client_secret":"s"}`))
	for _, seed := range []string{
		`{"kind":"Secret","metadata":{"resourceVersion":"7"},"data":{"credentials.json":"` + form + `"}}`, `{"kind":"Secret"}`, ``, `<html>`,
		`{"kind":"Secret","metadata":{"resourceVersion":"7"},"immutable":true,"data":null}`, `{"kind":"Status","reason":"NotFound","message":"m"}`,
		`{"kind":"Secret","metadata":{"resourceVersion":"7"},"data":{"credentials.json":"*"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_ = parseStatus(body)
		stored, err := parseKubernetes(body, DefaultKey)
		if err != nil {
			if stored.version != "" || stored.form != nil || len(err.Error()) > 150 {
				t.Error("a Secret beside the error, or an error that is not fixed")
			}
			return
		}
		if stored.version == "" {
			t.Error("a Secret without a version")
		}
		refill(t, stored.form)
	})
}

// FuzzClean: eight characters in a row of a secret are never left, and what holds nothing of it is left alone.
func FuzzClean(f *testing.F) {
	f.Add("user alice: s3cr3ts3cr3t refused", "s3cr3ts3cr3t", 0)
	f.Add("c2VjcmV0", "secret", 3)
	f.Add("\xff\xfe [REDACTED]", "[REDACTED] ", 2)
	f.Fuzz(func(t *testing.T, text, s string, from int) {
		if from < 0 || from > len(text) || len(s) > 200 || len(text) > 2000 || strings.Contains(s, secret.Placeholder[:3]) {
			return
		}
		got := confidential{s}.clean(text, from, len(text))
		for _, left := range strings.Split(got, secret.Placeholder) {
			if s != "" && len(s) < window && !strings.Contains(s, "?") && strings.Contains(left, s) { // ? stands for what is not UTF-8
				t.Error("a short secret is left")
			}
			for i := 0; i+window <= len(s); i++ {
				if part := s[i : i+window]; !strings.Contains(part, "?") && strings.Contains(left, part) {
					t.Error("a part of the secret is left")
				}
			}
		}
		if s == "" && from == 0 && got != strings.ToValidUTF8(text, "?") {
			t.Error("a text without secrets was changed")
		}
	})
}
