package jwks

import (
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"errors"
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

// Why a key cannot or must not be used for RS256.
var (
	errObject   = errors.New("it is not a strict JSON object")
	errType     = errors.New("kty is not RSA")
	errNoID     = errors.New("it has no kid")
	errIDText   = errors.New("kid is not a string")
	errIDLength = errors.New("kid is longer than 256 bytes")
	errSameID   = errors.New("another key has the same kid")
	errUse      = errors.New("use is not sig")
	errAlg      = errors.New("alg is not RS256")
	errOps      = errors.New("key_ops has no verify")
	errPrivate  = errors.New("it has members of a private key")
	errNumber   = errors.New("n and e are not both base64url")
	errModulus  = errors.New("n is not an odd number of 2048 to 8192 bits")
	errExponent = errors.New("e is not an odd number between 3 and 2^31-1")
)

// jwk is the members of a JSON Web Key (RFC 7517) that matter here.
type jwk struct {
	kid, n, e []byte
	rsa       bool
	why       error // the first reason not to use it, or nil
}

// readKey returns a key and its id, or why the key cannot or must not be used for RS256. The id is
// "" if there is none to read.
func readKey(element strictjson.Value) (kid string, key *Key, why error) {
	var buf [12]strictjson.Member
	members, err := strictjson.Members(element.Raw, buf[:0])
	if element.Kind != strictjson.Object || err != nil {
		return "", nil, errObject
	}
	var k jwk
	for _, m := range members {
		if !isAbsent(m.Value) {
			k.set(m)
		}
	}
	switch {
	case k.why != nil:
		return string(k.kid), nil, k.why
	case !k.rsa:
		return string(k.kid), nil, errType
	case len(k.kid) == 0:
		return "", nil, errNoID
	case len(k.kid) > maxKeyID: // such an id is never looked for
		return string(k.kid), nil, errIDLength
	}
	key, why = k.key()
	return string(k.kid), key, why
}

// isAbsent reports whether a member says no more than one that is not there: encoders of other
// languages write null, "" and [] for what was not set.
func isAbsent(v strictjson.Value) bool {
	switch v.Kind {
	case strictjson.Null:
		return true
	case strictjson.String:
		return len(v.Raw) == 0
	case strictjson.Array:
		elements, err := strictjson.Elements(v.Raw, nil)
		return err == nil && len(elements) == 0
	}
	return false
}

func (k *jwk) set(m strictjson.Member) {
	switch string(m.Name) {
	case "kty":
		k.rsa = m.Is("RSA")
	case "kid":
		k.kid, _ = m.Text()
		k.require(m.Kind == strictjson.String, errIDText)
	case "n":
		k.n = decode(m.Value)
	case "e":
		k.e = decode(m.Value)
	case "use":
		k.require(m.Is("sig"), errUse)
	case "alg":
		k.require(m.Is("RS256"), errAlg)
	case "key_ops":
		k.require(canVerify(m.Value), errOps)
	case "d", "p", "q", "dp", "dq", "qi", "oth", "k": // a private key: everyone who reads the set can sign with it
		k.require(false, errPrivate)
	}
}

func (k *jwk) require(ok bool, why error) {
	if !ok && k.why == nil {
		k.why = why
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

func (k *jwk) key() (*Key, error) {
	n, e := new(big.Int).SetBytes(k.n), new(big.Int).SetBytes(k.e)
	switch {
	case len(k.n) == 0 || len(k.e) == 0:
		return nil, errNumber
	case len(k.n) < minBits/8 || len(k.n) > maxBits/8+1 || n.BitLen() < minBits || n.BitLen() > maxBits || n.Bit(0) == 0:
		return nil, errModulus
	case len(k.e) > 4 || e.Int64() < 3 || e.Int64() > 1<<31-1 || e.Bit(0) == 0:
		return nil, errExponent
	}
	return &Key{&rsa.PublicKey{N: n, E: int(e.Int64())}}, nil
}
