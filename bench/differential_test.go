package main

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/stytchkit/m2m/internal/vectors"
	"github.com/stytchkit/m2m/stytch/verify"
)

// now is the time of the shared vectors, whose tokens are of the same project.
var now = time.Unix(1767225600, 0)

// judges says what three implementations make of a token, as far as algorithm, key and signature
// go.
type judges struct {
	verifier   *verify.Verifier
	keys       jose.JSONWebKeySet
	algorithms []jose.SignatureAlgorithm
	parser     *jwt.Parser
}

func newJudges(tb testing.TB, documents ...[]byte) *judges {
	tb.Helper()
	j := &judges{
		algorithms: []jose.SignatureAlgorithm{jose.RS256},
		parser:     jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation()),
	}
	type keySet struct {
		Keys []json.RawMessage `json:"keys"`
	}
	var all keySet
	for _, document := range documents {
		var set keySet
		if err := json.Unmarshal(document, &set); err != nil {
			tb.Fatal(err)
		}
		all.Keys = append(all.Keys, set.Keys...)
	}
	for _, raw := range all.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) == nil { // what go-jose does not know has no part
			j.keys.Keys = append(j.keys.Keys, key)
		}
	}
	document, _ := json.Marshal(all)
	v, err := verify.New(project, verify.WithKeys(document), verify.WithOffline(), verify.WithClock(func() time.Time { return now }),
		verify.WithCache(16))
	if err != nil {
		tb.Fatal(err)
	}
	j.verifier = v
	return j
}

func (j *judges) key(kid string) any {
	if found := j.keys.Key(kid); len(found) == 1 {
		return found[0].Key
	}
	return nil
}

// goJose returns the payload of a token that go-jose accepts.
func (j *judges) goJose(raw string) ([]byte, error) {
	t, err := jose.ParseSignedCompact(raw, j.algorithms)
	if err != nil {
		return nil, err
	}
	key := j.key(t.Signatures[0].Header.KeyID)
	if key == nil {
		return nil, errKey
	}
	return t.Verify(key)
}

// golangJWT returns the claims of a token that golang-jwt accepts.
func (j *judges) golangJWT(raw string) (jwt.MapClaims, error) {
	claims := jwt.MapClaims{}
	_, err := j.parser.ParseWithClaims(raw, claims, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		if key := j.key(kid); key != nil {
			return key, nil
		}
		return nil, errKey
	})
	return claims, err
}

// agree checks that what stytch/verify accepts the two others accept, and that all read the same.
func (j *judges) agree(t *testing.T, raw string) (accepted bool) {
	t.Helper()
	claims, err := j.verifier.Verify(context.Background(), raw)
	if err != nil {
		return false
	}
	payload, err := j.goJose(raw)
	if err != nil {
		t.Fatalf("accepted, but go-jose says: %v", err)
	}
	theirs, err := j.golangJWT(raw)
	if err != nil {
		t.Fatalf("accepted, but golang-jwt says: %v", err)
	}
	var second map[string]any
	if err := json.Unmarshal(payload, &second); err != nil {
		t.Fatalf("accepted, but encoding/json says: %v", err)
	}
	if theirs["sub"] != claims.Subject || second["sub"] != claims.Subject || theirs["iss"] != claims.Issuer || second["iss"] != claims.Issuer {
		t.Fatal("accepted, but the others read another subject or issuer")
	}
	return true
}

type tokenVectors struct {
	JWKS  json.RawMessage `json:"jwks"`
	Cases []struct {
		ID, Expect, Token string
	} `json:"cases"`
}

// readVectors are the tokens of the test vectors.
func readVectors(tb testing.TB) (v tokenVectors) {
	tb.Helper()
	vectors.Read(tb, "tokens.json", &v)
	return v
}

func (v tokenVectors) judges(tb testing.TB, s *signer) *judges {
	if v.JWKS == nil {
		return newJudges(tb, s.jwks())
	}
	return newJudges(tb, s.jwks(), v.JWKS)
}

func TestDifferential(t *testing.T) {
	s, v := newSigner(), readVectors(t)
	j := v.judges(t, s)
	if !j.agree(t, s.sign(issuer, now, 1)) {
		t.Error("a good token was refused")
	}
	if len(v.Cases) == 0 {
		t.Fatal("no test vectors")
	}
	accepted := 0
	for _, c := range v.Cases {
		t.Run(c.ID, func(t *testing.T) {
			if j.agree(t, c.Token) {
				accepted++
			} else if c.Expect == "accept" {
				t.Error("refused, but must be accepted")
			}
		})
	}
	if accepted == 0 {
		t.Error("none was accepted: nothing was compared")
	}
}

// FuzzDifferential gives the three a token as it is, and one that it signs with any header and
// payload, so that the fuzzer gets past the signature; flip changes one bit of the latter.
func FuzzDifferential(f *testing.F) {
	s, v := newSigner(), readVectors(f)
	j := v.judges(f, s)
	payload := `{"iss":"` + issuer + `","aud":["` + project + `"],"sub":"` + client + `","scope":"read:users","iat":1767225600,"nbf":1767225600,"exp":1767229200}`
	f.Add("", goodHeader, payload, uint16(0))
	f.Add("", goodHeader, payload, uint16(8*200))
	f.Add("", `{"alg":"RS256","kid":"`+keyID+`"}`, payload, uint16(0))
	f.Add("", `{"kid":"`+keyID+`","alg":"RS\u0032\u0035\u0036","jku":"https://example.com"}`, payload, uint16(0))
	f.Add("", `{"alg":"RS256","alg":"none","kid":"`+keyID+`"}`, payload, uint16(0))
	f.Add("", `{"alg":"HS256","kid":"`+keyID+`"}`, payload, uint16(0))
	f.Add("", `{"alg":"RS256","kid":"`+keyID+`","crit":["b64"],"b64":false}`, payload, uint16(0))
	for _, c := range v.Cases {
		f.Add(c.Token, goodHeader, payload, uint16(0))
	}
	f.Fuzz(func(t *testing.T, raw, header, payload string, flip uint16) {
		j.agree(t, raw)
		token := []byte(s.signText(header, payload))
		if n := int(flip) % (8 * len(token)); n > 0 {
			token[n/8] ^= 1 << (n % 8)
		}
		j.agree(t, string(token))
	})
}
