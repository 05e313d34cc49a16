package verify_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/verify"
)

// benchClaims make a token of about 900 characters.
func benchClaims(now time.Time) map[string]any {
	return map[string]any{
		"iss": "stytch.com/" + project, "aud": []string{project}, "sub": "m2m-client-test-63532f0c-b600-425b-a5b5-3a42ead94a8e",
		"scope": "read:users write:users read:reports", "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Unix() + 3600,
		"https://example.com/tenant": "tenant-0001",
	}
}

func BenchmarkVerify(b *testing.B) {
	k := newSigner(b)
	token := k.sign(b, benchClaims(time.Now()))
	bad := map[string]string{
		"no dots":       strings.ReplaceAll(token, ".", "x"),
		"1 MiB":         strings.Repeat("a", 1<<20),
		"1 MiB dots":    strings.Repeat(".", 1<<20),
		"garbage":       "YWFh.YWFh.YWFh",
		"alg none":      part(`{"alg":"none","kid":"`+k.kid+`","typ":"JWT"}`) + token[strings.Index(token, "."):],
		"unknown kid":   part(`{"alg":"RS256","kid":"jwk-test-0","typ":"JWT"}`) + token[strings.Index(token, "."):],
		"bad signature": token[:len(token)-9] + "AAAAAAAAA",
		"expired":       k.sign(b, benchClaims(time.Now().Add(-2*time.Hour))),
	}
	offline := []verify.Option{verify.WithKeys(k.jwks()), verify.WithOffline()}
	run := func(name, token string, good bool, options ...verify.Option) {
		v := newVerifier(b, append(options, offline...)...)
		check := verify.AllScopes("read:users")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := v.Verify(context.Background(), token, check); (err == nil) != good {
						b.Fatal(err)
					}
				}
			})
		})
	}
	b.Run("floor", func(b *testing.B) {
		b.ReportAllocs()
		dot := strings.LastIndexByte(token, '.')
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				signature, _ := base64.RawURLEncoding.DecodeString(token[dot+1:])
				_, _ = base64.RawURLEncoding.DecodeString(token[strings.IndexByte(token, '.')+1 : dot])
				digest := sha256.Sum256([]byte(token[:dot]))
				if rsa.VerifyPKCS1v15(&k.private.PublicKey, crypto.SHA256, digest[:], signature) != nil {
					b.Fatal("floor")
				}
			}
		})
	})
	run("fresh", token, true, verify.WithCache(0))
	run("cached", token, true)
	for name, token := range bad {
		run(name, token, false)
	}
}
