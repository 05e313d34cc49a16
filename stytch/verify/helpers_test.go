package verify_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/verify"
)

const (
	project = "project-test-00000000-0000-4000-8000-000000000000"
	client  = "m2m-client-test-63532f0c-b600-425b-a5b5-3a42ead94a8e"
)

var makeKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// A signer signs what Stytch would, and what it never would.
type signer struct {
	kid     string
	private *rsa.PrivateKey
}

// newSigner always uses the same key: making one takes longer than a test.
func newSigner(t testing.TB) signer {
	t.Helper()
	private, err := makeKey()
	if err != nil {
		t.Fatal(err)
	}
	return signer{"jwk-test-1", private}
}

// jwks is a key set that lists the key under all the ids.
func (k signer) jwks(more ...string) []byte {
	var keys []map[string]any
	for _, kid := range append([]string{k.kid}, more...) {
		keys = append(keys, map[string]any{
			"kty": "RSA", "use": "sig", "key_ops": []string{"verify"}, "alg": "RS256", "kid": kid,
			"n": base64.RawURLEncoding.EncodeToString(k.private.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.private.E)).Bytes()),
		})
	}
	document, _ := json.Marshal(map[string]any{"keys": keys, "status_code": 200})
	return document
}

func digestOf(hexText string) []byte {
	digest := sha256.Sum256(bytesOf(hexText))
	return digest[:]
}

func part(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func (k signer) sign(t testing.TB, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return k.signText(t, `{"alg":"RS256","kid":"`+k.kid+`","typ":"JWT"}`, string(payload))
}

func (k signer) signText(t testing.TB, header, payload string) string {
	t.Helper()
	signed := part(header) + "." + part(payload)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, k.private, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// claimsAt are good claims; the pairs change some of them, and nil takes one out.
func claimsAt(now time.Time, pairs ...any) map[string]any {
	claims := map[string]any{
		"iss": "stytch.com/" + project, "aud": []string{project}, "sub": client, "scope": "read:users write:users",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Unix() + 3600,
	}
	for i := 0; i < len(pairs); i += 2 {
		if name := pairs[i].(string); pairs[i+1] == nil {
			delete(claims, name)
		} else {
			claims[name] = pairs[i+1]
		}
	}
	return claims
}

func newVerifier(t testing.TB, options ...verify.Option) *verify.Verifier {
	t.Helper()
	v, err := verify.New(project, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}
