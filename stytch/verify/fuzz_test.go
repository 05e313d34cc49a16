package verify_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/verify"
)

// FuzzVerify signs whatever header and payload it is given, so that the fuzzer gets past the
// signature. What is accepted must say the same to encoding/json, and changing anything of it must
// break it.
func FuzzVerify(f *testing.F) {
	k := newSigner(f)
	v := newVerifier(f, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart), verify.WithCache(4))
	good, _ := json.Marshal(claimsAt(start, "x", map[string]any{"y": []any{1.5, nil, "é"}}))
	header := `{"alg":"RS256","kid":"jwk-test-1","typ":"JWT"}`
	f.Add(header, string(good), "")
	f.Add(header, strings.Replace(string(good), `"iat"`, `"\u0069at"`, 1), "")
	f.Add(`{"alg":"none","kid":"jwk-test-1"}`, string(good), "")
	f.Add(header, `{"exp":1,"exp":2}`, "")
	f.Add(header, string(good), "a.b.c")
	for _, c := range fuzzSeeds(f) {
		f.Add("", "", c)
	}
	f.Fuzz(func(t *testing.T, header, payload, raw string) {
		if claims, err := v.Verify(context.Background(), raw); (claims.Subject == "") != (err != nil) || err == nil {
			t.Fatal("claims and error together, or a token without a signature of ours")
		}
		token := k.signText(t, header, payload)
		claims, err := v.Verify(context.Background(), token)
		if (claims.Subject == "") != (err != nil) {
			t.Fatal("claims and error together, or neither")
		}
		if err != nil {
			return
		}
		var second map[string]any
		if json.Unmarshal([]byte(payload), &second) != nil || second["sub"] != claims.Subject || second["iss"] != claims.Issuer ||
			second["scope"] != claims.Scope || second["exp"].(float64) < float64(start.Unix())-30 {
			t.Fatal("encoding/json reads something else")
		}
		var custom map[string]any
		if err := claims.Decode(&custom); err != nil {
			t.Fatal(err)
		}
		for name := range custom {
			if _, there := second[name]; !there || name == "sub" || strings.HasPrefix(name, "https://stytch.com/") {
				t.Fatal("a custom claim that is none")
			}
		}
		if _, err := v.Verify(context.Background(), token[:len(token)-1]); err == nil {
			t.Fatal("accepted with a letter missing")
		}
	})
}

// fuzzSeeds are the tokens of the test vectors.
func fuzzSeeds(f *testing.F) (seeds []string) {
	for _, c := range readTokens(f).Cases {
		seeds = append(seeds, c.Token)
	}
	return seeds
}
