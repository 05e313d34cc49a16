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
//	key    derived from the given key or the client's secret, for this project and client
//	name   SHA-256 of version, id of the key and cache key: each secret of a client has its own
//	       entry, and no one can compute its name without the secret
//	value  version (1 byte), then a box of package seal that is bound to the cache key, so that
//	       it cannot be read under another name
const (
	sealVersion    = 1
	sealLabel      = "stytch m2m token store v1"
	leaseSuffix    = ":lease"
	takeOverSuffix = ":lease2"
	maxSealed      = 96 << 10 // bytes that are decrypted at most: a token response of 64 KiB, and what is around it
	padding        = 1 << 10  // plaintexts are filled up to a multiple, so that their length says little
)

// entry is where the store keeps the token of one cache key that was obtained with one secret.
type entry struct {
	name     string
	key      seal.Key
	cacheKey string
}

// newEntry derives the key from source. Its error is ErrStoreKey.
func newEntry(cacheKey, project, client string, source secret.String) (*entry, error) {
	key, err := seal.NewKey(source, sealLabel, project+"\x00"+client)
	switch {
	case errors.Is(err, seal.ErrShortKey):
		return nil, ErrStoreKey
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrStoreKey, err)
	}
	id := key.ID()
	sum := sha256.Sum256([]byte(sealLabel + "\x00name\x00" + string(id[:]) + cacheKey))
	return &entry{base64.RawURLEncoding.EncodeToString(sum[:]), key, cacheKey}, nil
}

// storedToken is the plaintext. Times are in milliseconds since 1970.
type storedToken struct {
	Value   string   `json:"token"`
	Issued  int64    `json:"issued"`
	Expires int64    `json:"expires"`
	Scopes  []string `json:"scopes,omitempty"`
}

func (e *entry) seal(t issuedToken) ([]byte, error) {
	plain, err := json.Marshal(storedToken{t.Value.Reveal(), t.issuedAt.UnixMilli(), t.Expiry.UnixMilli(), t.Scopes})
	if err != nil {
		return nil, ErrStoreValue // unreachable, and encoding/json might quote what it was given
	}
	for len(plain)%padding != 0 {
		plain = append(plain, ' ') // which JSON ignores
	}
	return append([]byte{sealVersion}, e.key.Seal(plain, []byte(e.cacheKey))...), nil
}

// open decrypts what seal made. Its error is ErrStoreValue.
func (e *entry) open(sealed []byte, now time.Time) (issuedToken, error) {
	if len(sealed) == 0 || len(sealed) > maxSealed || sealed[0] != sealVersion {
		return issuedToken{}, ErrStoreValue
	}
	plain, err := seal.Open([]seal.Key{e.key}, sealed[1:], []byte(e.cacheKey))
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
