package verify

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// A fingerprint stands for a token in the cache. It is keyed: see fingerprints.
type fingerprint [sha256.Size]byte

// place is where the table looks for the entry. Without the key no one can aim at one.
func (f *fingerprint) place() uint64 { return binary.LittleEndian.Uint64(f[:]) }

// equal takes the same time wherever two fingerprints differ.
func (f *fingerprint) equal(other *fingerprint) bool {
	return subtle.ConstantTimeCompare(f[:], other[:]) == 1
}

// fingerprints computes the fingerprints of one cache, under a random key that never leaves it.
//
// Where the processor computes AES-GCM, a fingerprint is the tag of GCM for an empty plaintext with
// the token as associated data. For an empty plaintext the tag is GHASH(H, token and its length)
// XOR E(K, nonce): the token's blocks, padded with zeros, and a block with both lengths are the
// coefficients of a polynomial over GF(2^128), which is evaluated at H = E(K, 0). Two tokens have
// different polynomials, because their padded blocks or their lengths differ. The difference of two
// polynomials of n blocks has at most n roots, so for a random H the fingerprints of two given
// tokens collide with a probability of at most n/2^128: 2^-117 for tokens of 16 KiB. With 1,000
// entries, an attacker needs about 2^106 attempts. The nonce may be the same each time: it only
// adds a constant, which does not change what collides.
//
// That holds as long as nothing is known of H, as with any universal hash. It would break if a
// fingerprint, or the sum of two, became visible, since either is an equation for H; if a key were
// used for anything else; or if timing revealed parts of them. So a fingerprint is neither returned
// nor printed nor stored elsewhere, each cache draws its own key, fingerprints are compared in
// constant time, and only processors that compute GHASH without tables are trusted with it. What
// an attacker does see, that a token is in the cache, says that two fingerprints are equal, which
// for different tokens is the collision itself; a miss excludes n of 2^128 keys.
//
// Elsewhere a fingerprint is SHA-256 of a random key and the token, which needs no such argument.
type fingerprints struct {
	gcm func() cipher.AEAD // nil: SHA-256; a function, because reflection does not look into it
	key func() []byte      // for SHA-256
}

// results are where GCM writes. The compiler cannot keep that off the heap.
var results = sync.Pool{New: func() any { return new(fingerprint) }}

var zeroNonce [12]byte

func newFingerprints(hardware bool) fingerprints {
	var key [sha256.Size]byte
	_, _ = rand.Read(key[:]) // never fails
	if hardware {
		if gcm := newGCM(key[:]); gcm != nil {
			return fingerprints{gcm: func() cipher.AEAD { return gcm }}
		}
	}
	return fingerprints{key: func() []byte { return key[:] }}
}

// newGCM returns nil where GCM is not to be had with a nonce of ours: in the FIPS-only mode of Go.
func newGCM(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil
	}
	return gcm
}

// of computes the fingerprint of a token.
func (p *fingerprints) of(raw string) (f fingerprint) {
	if p.gcm == nil {
		s := scratches.Get().(*scratch)
		defer s.release()
		s.raw = append(append(s.raw[:0], p.key()...), raw...)
		return sha256.Sum256(s.raw)
	}
	// GCM reads the associated data and keeps nothing of it, so the string need not be copied.
	token := unsafe.Slice(unsafe.StringData(raw), len(raw)) //nolint:gosec // read only, and not kept
	result := results.Get().(*fingerprint)
	p.gcm().Seal(result[:0], zeroNonce[:], nil, token) // 16 bytes; the others are always zero
	f = *result
	results.Put(result)
	return f
}

// fastGCM reports whether the processor computes GHASH and AES. The standard library does not say,
// so where it has code for such processors, its speed does: without them GCM is several times
// slower than SHA-256, and with them several times faster, even beside SHA-256 in hardware.
var fastGCM = sync.OnceValue(func() bool {
	switch runtime.GOARCH {
	case "amd64", "arm64", "ppc64le", "s390x":
	default:
		return false
	}
	gcm := newGCM(make([]byte, sha256.Size))
	if gcm == nil {
		return false
	}
	text, tag := make([]byte, 1024), make([]byte, 0, 16)
	return 3*fastest(func() { gcm.Seal(tag, zeroNonce[:], nil, text) }) < 2*fastest(func() { sha256.Sum256(text) })
})

// fastest is the time of a few calls of f, undisturbed.
func fastest(f func()) time.Duration {
	best := time.Hour
	for range 20 {
		begin := time.Now()
		for range 8 {
			f()
		}
		best = min(best, time.Since(begin))
	}
	return best
}
