package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"sync"
	"time"
)

const (
	project  = "project-test-00000000-0000-4000-8000-000000000000"
	client   = "m2m-client-test-63532f0c-b600-425b-a5b5-3a42ead94a8e"
	issuer   = "stytch.com/" + project
	keyID    = "jwk-test-22222222-2222-4222-8222-222222222222"
	tenant   = "https://example.com/tenant" // a custom claim
	exponent = 65537
)

// signer signs tokens as Stytch does. Its key has eight primes instead of two, because 100,000
// tokens have to be signed and that makes it several times faster; a verifier cannot see it.
type signer struct {
	public rsa.PublicKey
	primes []prime
}

type prime struct{ p, exponent, recombine *big.Int }

var newSigner = sync.OnceValue(func() *signer {
	s := &signer{public: rsa.PublicKey{N: big.NewInt(1), E: exponent}}
	for s.public.N.BitLen() != 2048 {
		s.primes, s.public.N = nil, big.NewInt(1)
		for range 8 {
			p, err := rand.Prime(rand.Reader, 256)
			if err != nil {
				panic(err)
			}
			s.primes = append(s.primes, prime{p: p})
			s.public.N.Mul(s.public.N, p)
		}
	}
	one := big.NewInt(1)
	for i := range s.primes {
		p := s.primes[i].p
		rest := new(big.Int).Div(s.public.N, p)
		s.primes[i].exponent = new(big.Int).ModInverse(big.NewInt(exponent), new(big.Int).Sub(p, one))
		s.primes[i].recombine = rest.Mul(rest, new(big.Int).ModInverse(rest, p))
		if s.primes[i].exponent == nil {
			panic("one key in 10,000 is of no use: start again")
		}
	}
	return s
})

// digestInfo is what stands before a SHA-256 digest in PKCS #1 v1.5.
var digestInfo = []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}

func (s *signer) signature(signed string) []byte {
	digest := sha256.Sum256([]byte(signed))
	padded := make([]byte, s.public.Size())
	tail := len(padded) - len(digestInfo) - len(digest)
	for i := 2; i < tail-1; i++ {
		padded[i] = 0xff
	}
	padded[1] = 1
	copy(padded[tail:], digestInfo)
	copy(padded[tail+len(digestInfo):], digest[:])

	m, sum := new(big.Int).SetBytes(padded), new(big.Int)
	for _, p := range s.primes {
		part := new(big.Int).Exp(new(big.Int).Mod(m, p.p), p.exponent, p.p)
		sum.Add(sum, part.Mul(part, p.recombine))
	}
	return sum.Mod(sum, s.public.N).FillBytes(padded)
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// signText makes a token of any header and payload.
func (s *signer) signText(header, payload string) string {
	signed := encode([]byte(header)) + "." + encode([]byte(payload))
	return signed + "." + encode(s.signature(signed))
}

const goodHeader = `{"alg":"RS256","kid":"` + keyID + `","typ":"JWT"}`

// sign makes a token of about 900 characters. n makes it distinct.
func (s *signer) sign(iss string, issued time.Time, n int) string {
	payload, err := json.Marshal(map[string]any{
		"iss": iss, "aud": []string{project}, "sub": client, "scope": "read:users write:users read:reports",
		"iat": issued.Unix(), "nbf": issued.Unix(), "exp": issued.Unix() + 3600, tenant: fmt.Sprintf("tenant-%06d", n),
	})
	if err != nil {
		panic(err)
	}
	return s.signText(goodHeader, string(payload))
}

// signMany signs n distinct tokens on all cores.
func (s *signer) signMany(n int) []string {
	const batch = 500
	tokens, now := make([]string, n), time.Now()
	var wg sync.WaitGroup
	gate := make(chan struct{}, 4)
	for from := 0; from < n; from += batch {
		gate <- struct{}{}
		wg.Go(func() {
			for i := from; i < min(from+batch, n); i++ {
				tokens[i] = s.sign(issuer, now, i)
			}
			<-gate
		})
	}
	wg.Wait()
	return tokens
}

// jwks is the key set: the signer's key and another one.
func (s *signer) jwks() []byte {
	other := new(big.Int).Add(s.public.N, big.NewInt(2))
	key := func(kid string, n *big.Int) map[string]any {
		return map[string]any{
			"kty": "RSA", "use": "sig", "key_ops": []string{"verify"}, "alg": "RS256", "kid": kid,
			"n": encode(n.Bytes()), "e": encode(big.NewInt(exponent).Bytes()),
		}
	}
	document, err := json.Marshal(map[string]any{"keys": []any{key(keyID, s.public.N), key("jwk-test-previous", other)}})
	if err != nil {
		panic(err)
	}
	return document
}
