package conformance

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"strings"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/stytch"
)

// keySets asks for the keys as a consumer project and as a B2B project does. A project of Stytch is
// one of the two, and what the address of the other kind returns is not documented.
func (s *suite) keySets(t reporter) {
	var sets [][]gen.JWK
	consumer, errConsumer := s.raw.GetJWKSWithResponse(t.Context(), s.api.ProjectID())
	if errConsumer == nil && consumer.JSON200 != nil {
		sets = append(sets, consumer.JSON200.Keys)
	}
	business, errBusiness := s.raw.GetB2BJWKSWithResponse(t.Context(), s.api.ProjectID())
	if errBusiness == nil && business.JSON200 != nil {
		sets = append(sets, business.JSON200.Keys)
	}
	s.assumed(t, "the keys are listed at the addresses of both kinds of projects", len(sets) == 2, errors.Join(errConsumer, errBusiness))
	if len(sets) == 0 || len(sets[0]) == 0 {
		t.Fatalf("the project lists no key: %v", errors.Join(errConsumer, errBusiness))
	}
	if s.keys = sets[0]; len(sets) == 2 && !reflect.DeepEqual(sets[0], sets[1]) {
		t.Error("the two key sets of the project differ")
	}
	for _, key := range s.keys {
		if _, err := publicKey(key); err != nil || key.Use != "sig" || key.Alg != "RS256" || key.Kid == "" {
			t.Errorf("key %q cannot verify a token: %v", key.Kid, err)
		}
	}
	_, err := s.raw.GetJWKSWithResponse(t.Context(), s.unknownID("project"))
	s.assumed(t, "the key set of a project that does not exist is not found", errors.Is(err, stytch.ErrNotFound), err)
}

// verify returns the claims of a token whose signature is good. Its errors do not quote the token.
func verify(token secretText, keys []gen.JWK) ([]byte, error) {
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 {
		return nil, errors.New("it does not have three parts")
	}
	head, errHead := decodeSegment(parts[0])
	payload, errPayload := decodeSegment(parts[1])
	signature, errSignature := decodeSegment(parts[2])
	var header struct{ Alg, Kid, Typ string }
	if errHead != nil || errPayload != nil || errSignature != nil || json.Unmarshal(head, &header) != nil {
		return nil, errors.New("its parts are not base64url or its header is not JSON")
	}
	if header.Alg != "RS256" || header.Typ != "JWT" {
		return nil, errors.New("its header does not say RS256 and JWT")
	}
	for _, key := range keys {
		if key.Kid != header.Kid {
			continue
		}
		public, err := publicKey(key)
		if err != nil {
			return nil, err
		}
		digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		return payload, rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature)
	}
	return nil, errors.New("the key set does not list its key")
}

type secretText interface{ Reveal() string }

func publicKey(key gen.JWK) (*rsa.PublicKey, error) {
	modulus, errN := decodeSegment(key.N)
	exponent, errE := decodeSegment(key.E)
	e := new(big.Int).SetBytes(exponent)
	if key.Kty != "RSA" || errN != nil || errE != nil || len(modulus) < 256 || !e.IsInt64() || e.Int64() < 3 {
		return nil, errors.New("it is no RSA key of at least 2048 bits")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(e.Int64())}, nil
}
