package emulator

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"time"
)

// revocations are the tokens that were revoked before they expired, by their hash.
type revocations struct {
	store *store // nil if the state is in memory only

	mu      sync.Mutex
	expires map[tokenHash]int64 // seconds since 1970
}

type tokenHash [sha256.Size]byte

// hashToken hashes what the signature covers: the signature itself has several spellings.
func hashToken(token string) tokenHash {
	return sha256.Sum256([]byte(token[:max(0, strings.LastIndexByte(token, '.'))]))
}

type revokedValue struct {
	Expires int64 `json:"exp"`
}

// add revokes a token, and forgets those that have expired by now: they are not active anyway.
func (r *revocations) add(p *pending, token tokenHash, expires int64, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.store.check(); err != nil {
		return err
	}
	changed := []Record{encodeRevoked(token, expires)}
	for other, until := range r.expires {
		if until <= now.Unix() {
			changed = append(changed, Record{Kind: kindRevoked, ID: hex.EncodeToString(other[:])})
			delete(r.expires, other)
		}
	}
	if r.store != nil {
		r.store.save(p, changed...)
	}
	r.put(token, expires)
	return nil
}

func (r *revocations) put(token tokenHash, expires int64) {
	if r.expires == nil {
		r.expires = map[tokenHash]int64{}
	}
	r.expires[token] = expires
}

func (r *revocations) has(token tokenHash) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, revoked := r.expires[token]
	return revoked
}

func encodeRevoked(token tokenHash, expires int64) Record {
	return newRecord(kindRevoked, hex.EncodeToString(token[:]), revokedValue{expires})
}

func decodeRevoked(r Record) (token tokenHash, expires int64, err error) {
	v, err := decodeRecord[revokedValue](r)
	if err != nil {
		return token, 0, err
	}
	sum, err := hex.DecodeString(r.ID)
	if err != nil || len(sum) != len(token) || v.Expires <= 0 {
		return token, 0, r.unreadable("the id must be the SHA-256 of a token in hex, and exp positive")
	}
	return tokenHash(sum), v.Expires, nil
}
