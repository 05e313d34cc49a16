package token

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// What a stored token looks like. The version is in everything that would differ between two versions, so a change of
// format is a miss and not an error.
//
//	name    SHA-256 of version and cache key: whoever does not know project, client and scopes cannot tell them from it
//	value   version (1 byte), id of the encryption key (8), nonce (12), ciphertext, tag (16)
//	AEAD    AES-256-GCM with a random nonce; associated data: version and cache key, so a value moved to another
//	        name cannot be read
//	keys    HKDF-SHA-256 of the given key or the client's secret, for this project and client
const (
	sealVersion  = 1
	sealLabel    = "stytch m2m token store v1"
	keyIDLength  = 8
	leaseSuffix  = ":lease"
	minKeyLength = 32
	maxSealed    = 96 << 10       // bytes that are decrypted at most: a token answer has 64 KiB, and some base64 around it
	maxLife      = 24 * time.Hour // what no token outlives
	padding      = 1 << 10        // plaintexts are filled up to a multiple, so that their length says little
)

// storeName is what the token of a cache key is called in the store.
func storeName(key string) string {
	sum := sha256.Sum256([]byte(sealLabel + "\x00name\x00" + key))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// newOwner names one attempt to get the lease.
func newOwner() string { return rand.Text() }

// sealer encrypts the token of one cache key with its first key, and decrypts with all.
type sealer struct {
	keys       []sealKey
	associated []byte
}

type sealKey struct {
	id   [keyIDLength]byte
	aead cipher.AEAD // with random nonces
}

// newSealer derives the keys from those given or, if there are none, from the client's secrets.
func newSealer(w wanted, given []secret.String) (*sealer, error) {
	sources := given
	if len(sources) == 0 {
		sources = w.secrets
	}
	s := &sealer{associated: []byte(sealLabel + "\x00" + w.key)}
	for _, source := range sources {
		if source.IsZero() {
			continue // there is no next secret
		}
		// Whoever reads the store can try secrets at the speed of AES. Stytch's own have 48 characters and cannot be
		// guessed; chosen ones may have 8.
		if len(source.Reveal()) < minKeyLength {
			return nil, ErrStoreKey
		}
		key, err := deriveKey(source, w.project, w.client)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrStoreKey, err)
		}
		s.keys = append(s.keys, key)
	}
	if len(s.keys) == 0 {
		return nil, ErrStoreKey
	}
	return s, nil
}

func deriveKey(source secret.String, project, client string) (sealKey, error) {
	info := sealLabel + "\x00" + project + "\x00" + client
	derived, err := hkdf.Key(sha256.New, []byte(source.Reveal()), nil, info, 32+keyIDLength)
	if err != nil {
		return sealKey{}, err
	}
	block, err := aes.NewCipher(derived[:32])
	if err != nil {
		return sealKey{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealKey{}, err
	}
	key := sealKey{aead: aead}
	copy(key.id[:], derived[32:])
	return key, nil
}

// sealedToken is the plaintext. Times are in milliseconds since 1970.
type sealedToken struct {
	Value   string   `json:"token"`
	Issued  int64    `json:"issued"`
	Expires int64    `json:"expires"`
	Scopes  []string `json:"scopes,omitempty"`
}

func (s *sealer) seal(t tokenData) ([]byte, error) {
	plain, err := json.Marshal(sealedToken{t.value.Reveal(), t.issued.UnixMilli(), t.expires.UnixMilli(), t.scopes})
	if err != nil {
		return nil, ErrStoreValue // unreachable, and encoding/json might quote what it was given
	}
	for len(plain)%padding != 0 {
		plain = append(plain, ' ') // which JSON ignores
	}
	key := s.keys[0]
	sealed := append([]byte{sealVersion}, key.id[:]...)
	return key.aead.Seal(sealed, nil, plain, s.associated), nil
}

// open decrypts what seal made with one of the keys, and says ErrStoreValue to everything else.
func (s *sealer) open(sealed []byte, now time.Time) (tokenData, error) {
	if len(sealed) < 1+keyIDLength || len(sealed) > maxSealed || sealed[0] != sealVersion {
		return tokenData{}, ErrStoreValue
	}
	id, box := [keyIDLength]byte(sealed[1:]), sealed[1+keyIDLength:]
	for _, key := range s.keys {
		if key.id != id {
			continue
		}
		plain, err := key.aead.Open(nil, nil, box, s.associated)
		if err != nil {
			return tokenData{}, ErrStoreValue
		}
		return parseSealed(plain, now)
	}
	return tokenData{}, ErrStoreValue
}

// parseSealed checks what only a holder of the key can have written, against mistakes: clocks that are off, above all.
func parseSealed(plain []byte, now time.Time) (tokenData, error) {
	var p sealedToken
	if err := json.Unmarshal(plain, &p); err != nil || p.Value == "" {
		return tokenData{}, ErrStoreValue
	}
	t := tokenData{secret.New(p.Value), time.UnixMilli(p.Issued), time.UnixMilli(p.Expires), p.Scopes}
	if t.expires.Before(t.issued) || t.expires.After(now.Add(maxLife)) {
		return tokenData{}, ErrStoreValue
	}
	return t, nil
}
