package jwks

import (
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"strings"

	"github.com/stytchkit/m2m/internal/strictjson"
)

const (
	minBits = 2048 // RFC 7518, section 3.3
	maxBits = 8192 // the time of a verification grows with the square
)

// A Key verifies RS256 signatures. It hides how, so that a prepared form of the modulus can replace
// rsa.PublicKey here alone.
type Key struct{ public *rsa.PublicKey }

// Verify checks a signature over a SHA-256 digest.
func (k *Key) Verify(digest, signature []byte) error {
	return rsa.VerifyPKCS1v15(k.public, crypto.SHA256, digest, signature)
}

func (k *Key) equal(other *Key) bool { return k.public.Equal(other.public) }

// jwk is the members of a JSON Web Key (RFC 7517) that matter here.
type jwk struct {
	kid, n, e []byte
	rsa       bool
	unusable  bool // for another purpose, another algorithm, or not public
}

// readKey returns a key and its id, or nil if the key cannot or must not be used for RS256.
func readKey(element strictjson.Value) (kid string, key *Key) {
	var buf [12]strictjson.Member
	members, err := strictjson.Members(element.Raw, buf[:0])
	if err != nil {
		return "", nil
	}
	var k jwk
	for _, m := range members {
		k.set(m)
	}
	if !k.rsa || k.unusable || len(k.kid) == 0 {
		return "", nil
	}
	return string(k.kid), k.key()
}

func (k *jwk) set(m strictjson.Member) {
	switch string(m.Name) {
	case "kty":
		k.rsa = m.Is("RSA")
	case "kid":
		k.kid, _ = m.Text()
		k.unusable = k.unusable || m.Kind != strictjson.String
	case "n":
		k.n = decode(m.Value)
	case "e":
		k.e = decode(m.Value)
	case "use":
		k.unusable = k.unusable || !m.Is("sig")
	case "alg":
		k.unusable = k.unusable || !m.Is("RS256")
	case "key_ops":
		k.unusable = k.unusable || !canVerify(m.Value)
	case "d", "p", "q", "dp", "dq", "qi", "oth", "k": // a private key: everyone who reads the set can sign with it
		k.unusable = true
	}
}

func canVerify(operations strictjson.Value) bool {
	all, err := strictjson.Elements(operations.Raw, nil)
	if operations.Kind != strictjson.Array || err != nil {
		return false
	}
	found := false
	for _, operation := range all {
		if operation.Kind != strictjson.String {
			return false
		}
		found = found || operation.Is("verify")
	}
	return found
}

// decode returns nil for what is not a base64url number.
func decode(v strictjson.Value) []byte {
	text, ok := v.Text()
	if !ok || strings.ContainsAny(string(text), "\r\n") { // the decoder skips them, even when strict
		return nil
	}
	out, err := base64.RawURLEncoding.Strict().AppendDecode(nil, text)
	if err != nil {
		return nil
	}
	return out
}

func (k *jwk) key() *Key {
	if len(k.n) < minBits/8 || len(k.n) > maxBits/8+1 || len(k.e) == 0 || len(k.e) > 4 {
		return nil
	}
	n, e := new(big.Int).SetBytes(k.n), new(big.Int).SetBytes(k.e).Int64()
	if n.BitLen() < minBits || n.BitLen() > maxBits || n.Bit(0) == 0 || e < 3 || e > 1<<31-1 || e%2 == 0 {
		return nil
	}
	return &Key{&rsa.PublicKey{N: n, E: int(e)}}
}
