package jwks_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/stytchkit/m2m/internal/jwks"
	"github.com/stytchkit/m2m/internal/vectors"
)

var keys = sync.OnceValue(func() (keys [2]*rsa.PrivateKey) {
	for i := range keys {
		keys[i], _ = rsa.GenerateKey(rand.Reader, 2048)
	}
	return keys
})

func number(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }

// entry is a good key with some members changed; nil takes one out.
func entry(i int, kid string, pairs ...any) map[string]any {
	key := map[string]any{"kty": "RSA", "use": "sig", "key_ops": []string{"verify"}, "alg": "RS256", "kid": kid,
		"n": number(keys()[i].N), "e": "AQAB", "x5c": []string{"not looked at"}, "x5t#S256": 5}
	for i := 0; i < len(pairs); i += 2 {
		if name := pairs[i].(string); pairs[i+1] == nil {
			delete(key, name)
		} else {
			key[name] = pairs[i+1]
		}
	}
	return key
}

func document(entries ...any) []byte {
	text, _ := json.Marshal(map[string]any{"keys": entries, "request_id": "request-id-test-1", "status_code": 200})
	return text
}

func TestParseVectors(t *testing.T) {
	var file struct {
		Cases []struct {
			ID, Name, Body string
			UsableKeys     int  `json:"usable_keys"`
			DocumentError  bool `json:"document_error"`
		}
	}
	vectors.Read(t, "jwks.json", &file)
	if len(file.Cases) != 32 {
		t.Fatal(len(file.Cases))
	}
	for _, c := range file.Cases {
		set, err := jwks.Parse([]byte(c.Body))
		if set.Len() != c.UsableKeys || (err != nil) != c.DocumentError {
			t.Errorf("%s (%s): %d keys and error %v, want %d and %v", c.ID, c.Name, set.Len(), err, c.UsableKeys, c.DocumentError)
		}
	}
}

func TestParse(t *testing.T) {
	good := entry(0, "a")
	long := new(big.Int).Lsh(big.NewInt(1), 8192)
	tests := []struct {
		name string
		body []byte
		want int // 0: an error
	}{
		{"good", document(good), 1},
		{"twice the same", document(good, good), 1},
		{"two keys", document(good, entry(1, "b")), 2},
		{"one id, two keys", document(good, entry(1, "a"), entry(1, "b")), 1},
		{"one id, two keys, the first again", document(good, entry(1, "a"), good), 0},
		{"empty kid", document(entry(0, "")), 0},
		{"no kid", document(entry(0, "", "kid", nil)), 0},
		{"only n, e, kid, kty", document(entry(0, "a", "use", nil, "key_ops", nil, "alg", nil)), 1},
		{"use enc", document(entry(0, "a", "use", "enc")), 0},
		{"use is a number", document(entry(0, "a", "use", 1)), 0},
		{"key_ops sign and verify", document(entry(0, "a", "key_ops", []string{"sign", "verify"})), 1},
		{"key_ops empty", document(entry(0, "a", "key_ops", []string{})), 1},
		{"null members", document(entry(0, "a", "use", json.RawMessage("null"), "alg", json.RawMessage("null"), "key_ops", json.RawMessage("null"))), 1},
		{"empty members", document(entry(0, "a", "use", "", "alg", "", "key_ops", []string{})), 1},
		{"private members that are null", document(entry(0, "a", "d", json.RawMessage("null"), "p", "", "oth", []any{})), 1},
		{"kid null", document(entry(0, "a", "kid", json.RawMessage("null"))), 0},
		{"kid too long", document(entry(0, strings.Repeat("k", 257))), 0},
		{"kid as long as may be", document(entry(0, strings.Repeat("k", 256))), 1},
		{"kty null", document(entry(0, "a", "kty", json.RawMessage("null"))), 0},
		{"n empty", document(entry(0, "a", "n", "")), 0},
		{"key_ops is a string", document(entry(0, "a", "key_ops", "verify")), 0},
		{"key_ops of numbers", document(entry(0, "a", "key_ops", []any{"verify", 1})), 0},
		{"private prime", document(entry(0, "a", "p", "AQAB")), 0},
		{"other primes", document(entry(0, "a", "oth", []any{1})), 0},
		{"private member of another name", document(entry(0, "a", "D", "AQAB")), 1},
		{"even modulus", document(entry(0, "a", "n", number(new(big.Int).Lsh(big.NewInt(1), 2047)))), 0},
		{"8193 bits", document(entry(0, "a", "n", number(long.Add(long, big.NewInt(1))))), 0},
		{"padded n", document(entry(0, "a", "n", number(keys()[0].N)+"==")), 0},
		{"line break in n", document(entry(0, "a", "n", number(keys()[0].N)[:4]+"\n"+number(keys()[0].N)[4:])), 0},
		{"e 1", document(entry(0, "a", "e", "AQ")), 0},
		{"e 3", document(entry(0, "a", "e", "Aw")), 1},
		{"e 2^31-1", document(entry(0, "a", "e", "f____w")), 1},
		{"e 2^31+1", document(entry(0, "a", "e", "gAAAAQ")), 0},
		{"e of five bytes", document(entry(0, "a", "e", "AQAAAAE")), 0},
		{"e of 2000 bytes", document(entry(0, "a", "e", strings.Repeat("f", 4000))), 0},
		{"a name twice in the key", []byte(strings.Replace(string(document(good)), `"kty"`, `"use":"sig","kty"`, 1)), 0},
		{"a name twice in the document", []byte(strings.Replace(string(document(good)), `"status_code"`, `"keys":[],"status_code"`, 1)), 0},
		{"64 keys", document(many(64)...), 64},
		{"65 keys", document(many(65)...), 0},
		{"256 KiB", document(entry(0, "a", "x", strings.Repeat("x", 256<<10))), 0},
		{"byte order mark", append([]byte("\ufeff"), document(good)...), 1},
		{"two byte order marks", append([]byte("\ufeff\ufeff"), document(good)...), 0},
		{"an array", []byte(`[]`), 0},
		{"html", []byte(`<html>`), 0},
		{"not UTF-8", []byte("{\"keys\":[\"\xff\"]}"), 0},
		{"trailing data", append(document(good), '{', '}'), 0},
		{"nested deeply", []byte(`{"keys":` + strings.Repeat("[", 10_000)), 0},
	}
	for _, test := range tests {
		set, err := jwks.Parse(test.body)
		if set.Len() != test.want || (err == nil) != (test.want > 0) {
			t.Errorf("%s: %d keys and error %v, want %d", test.name, set.Len(), err, test.want)
		}
	}
	set, _ := jwks.Parse(document(good, entry(1, "b")))
	if set.Key([]byte("a")) == nil || set.Key([]byte("A")) != nil || set.Key(nil) != nil || (*jwks.Set)(nil).Key([]byte("a")) != nil {
		t.Error("look-up by id")
	}
}

// A document without a usable key says which keys it has, and what is wrong with each.
func TestUnusableKeys(t *testing.T) {
	const canary = "c4n4ry"
	for why, key := range map[string]any{
		"it is not a strict JSON object":              canary,
		"kty is not RSA":                              entry(0, "a", "kty", canary),
		"it has no kid":                               entry(0, "", "x", canary),
		"kid is not a string":                         entry(0, "", "kid", 1),
		"kid is longer than 256 bytes":                entry(0, strings.Repeat("k", 257)),
		"use is not sig":                              entry(0, "a", "use", canary),
		"alg is not RS256":                            entry(0, "a", "alg", canary),
		"key_ops has no verify":                       entry(0, "a", "key_ops", []string{canary}),
		"it has members of a private key":             entry(0, "a", "d", canary),
		"n and e are not both base64url":              entry(0, "a", "n", "%"+canary),
		"n is not an odd number of 2048 to 8192 bits": entry(0, "a", "n", "AQAB"),
		"e is not an odd number between 3 and 2^31-1": entry(0, "a", "e", "Ag"),
	} {
		_, err := jwks.Parse(document(key))
		if err == nil || !strings.HasSuffix(err.Error(), ": "+why) || strings.Contains(err.Error(), canary) || len(err.Error()) > 200 {
			t.Errorf("%v, want %s", err, why)
		}
	}
	_, err := jwks.Parse(document(entry(0, "first", "alg", "PS256"), entry(0, "sec\nond", "use", "enc"), entry(0, "", "kid", nil)))
	want := `the key set has no usable key: key "first": alg is not RS256; key "sec ond": use is not sig; key number 3: it has no kid`
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	_, err = jwks.Parse(document(entry(0, "a"), entry(1, "a")))
	if err == nil || !strings.Contains(err.Error(), `key "a": another key has the same kid`) {
		t.Error(err)
	}
	var bad []any
	for i := range 64 {
		bad = append(bad, entry(0, fmt.Sprint("k", i), "use", "enc"))
	}
	if _, err = jwks.Parse(document(bad...)); err == nil || !strings.HasSuffix(err.Error(), "; and 59 more") || len(err.Error()) > 300 {
		t.Error(err)
	}
	set, err := jwks.Parse(document(entry(0, "a"), entry(1, "b", "use", "enc")))
	if err != nil || len(set.Dropped()) != 1 || set.Dropped()[0] != `key "b": use is not sig` {
		t.Error(set.Dropped(), err)
	}
}

func many(n int) (entries []any) {
	for i := range n {
		entries = append(entries, entry(0, fmt.Sprint("k", i)))
	}
	return entries
}

func FuzzKeySet(f *testing.F) {
	f.Add(document(entry(0, "a")))
	f.Add(document(entry(0, "a"), entry(1, "a"), entry(1, "b", "e", "Ag")))
	f.Add([]byte(`{"keys":[{"kty":"EC"},"x",null,7]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		set, err := jwks.Parse(body)
		if (err == nil) != (set.Len() > 0) {
			t.Fatal("a set without keys and without an error, or the other way round")
		}
		if err != nil {
			return
		}
		// Whatever is used was public and for RS256 by a second reading as well.
		var second struct {
			Keys []json.RawMessage `json:"keys"`
		}
		if json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), &second) != nil {
			t.Fatal("encoding/json cannot read it")
		}
		usable := 0
		for _, raw := range second.Keys {
			var key map[string]any
			if json.Unmarshal(raw, &key) != nil {
				continue
			}
			kid, _ := key["kid"].(string)
			if set.Key([]byte(kid)) == nil {
				continue
			}
			if _, private := key["d"]; !private && key["kty"] == "RSA" {
				usable++
			}
		}
		if usable < set.Len() {
			t.Fatalf("%d keys, of which only %d may be used", set.Len(), usable)
		}
	})
}

// A document may have exactly as many bytes as the limit says.
func TestParseLimit(t *testing.T) {
	const limit = 256 << 10
	base := string(document(entry(0, "a")))
	full := base + strings.Repeat(" ", limit-len(base))
	if _, err := jwks.Parse([]byte(full)); err != nil {
		t.Errorf("a document of %d bytes: %v", len(full), err)
	}
	if _, err := jwks.Parse([]byte(full + " ")); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("a document of %d bytes: %v, want that it is too large", len(full)+1, err)
	}
}

// What is not an object, and numbers that the decoder would read all the same, are named.
func TestParseMalformedKeys(t *testing.T) {
	whole := entry(0, "a")
	n := whole["n"].(string)
	for _, test := range []struct {
		key  any
		want string
	}{
		{"text", "not a strict JSON object"},
		{[]any{}, "not a strict JSON object"},
		{entry(0, "a", "n", n[:8]+"\n"+n[8:]), "not both base64url"},
		{entry(0, "a", "n", 17), "not both base64url"},
		{entry(0, "a", "n", n+"="), "not both base64url"},
	} {
		if _, err := jwks.Parse(document(test.key)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %q", test.key, err, test.want)
		}
	}
}
