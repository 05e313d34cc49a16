package token

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stytchkit/m2m/internal/seal"
	"github.com/stytchkit/m2m/stytch/secret"
)

// The format of a stored token. The version is part of everything that would differ between two
// versions, so a new format finds no value instead of an unreadable one.
//
//	name   SHA-256 of version and cache key; computing it takes project, client and scopes
//	value  version (1 byte), then a box of package seal that is bound to the cache key, so that
//	       it cannot be read under another name
//	key    derived from the given key or the client's secret, for this project and client
const (
	sealVersion = 1
	sealLabel   = "stytch m2m token store v1"
	leaseSuffix = ":lease"
	maxSealed   = 96 << 10 // bytes that are decrypted at most: a token response of 64 KiB, and what is around it
	padding     = 1 << 10  // plaintexts are filled up to a multiple, so that their length says little
)

// storeName is the name in the store of the token with this cache key.
func storeName(key string) string {
	sum := sha256.Sum256([]byte(sealLabel + "\x00name\x00" + key))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// sealer encrypts the token of one cache key with its first key, and decrypts with all.
type sealer struct {
	keys     []seal.Key
	cacheKey string
}

// newSealer derives a key from each source. Zero values among them are left out. Its error is
// ErrStoreKey.
func newSealer(cacheKey, project, client string, sources []secret.String) (*sealer, error) {
	s := &sealer{cacheKey: cacheKey}
	for _, source := range sources {
		if source.IsZero() {
			continue // there is no next secret
		}
		key, err := seal.NewKey(source, sealLabel, project+"\x00"+client)
		if errors.Is(err, seal.ErrShortKey) {
			return nil, ErrStoreKey
		}
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

// storedToken is the plaintext. Times are in milliseconds since 1970.
type storedToken struct {
	Value   string   `json:"token"`
	Issued  int64    `json:"issued"`
	Expires int64    `json:"expires"`
	Scopes  []string `json:"scopes,omitempty"`
}

func (s *sealer) seal(t issuedToken) ([]byte, error) {
	plain, err := json.Marshal(storedToken{t.Value.Reveal(), t.issuedAt.UnixMilli(), t.Expiry.UnixMilli(), t.Scopes})
	if err != nil {
		return nil, ErrStoreValue // unreachable, and encoding/json might quote what it was given
	}
	for len(plain)%padding != 0 {
		plain = append(plain, ' ') // which JSON ignores
	}
	return append([]byte{sealVersion}, s.keys[0].Seal(plain, []byte(s.cacheKey))...), nil
}

// open decrypts what seal made with one of the keys. Its error is ErrStoreValue.
func (s *sealer) open(sealed []byte, now time.Time) (issuedToken, error) {
	if len(sealed) == 0 || len(sealed) > maxSealed || sealed[0] != sealVersion {
		return issuedToken{}, ErrStoreValue
	}
	plain, err := seal.Open(s.keys, sealed[1:], []byte(s.cacheKey))
	if err != nil {
		return issuedToken{}, ErrStoreValue
	}
	return parseStored(plain, now)
}

// parseStored checks what only a holder of the key can have written, against mistakes such as a
// clock that is far off.
func parseStored(plain []byte, now time.Time) (issuedToken, error) {
	var p storedToken
	if err := json.Unmarshal(plain, &p); err != nil || p.Value == "" {
		return issuedToken{}, ErrStoreValue
	}
	t := issuedToken{Token{secret.New(p.Value), time.UnixMilli(p.Expires), p.Scopes}, time.UnixMilli(p.Issued)}
	if t.Expiry.Before(t.issuedAt) || t.Expiry.After(now.Add(maxLife)) {
		return issuedToken{}, ErrStoreValue
	}
	return t, nil
}
