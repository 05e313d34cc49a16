// Package seal encrypts what is stored outside of the process: the tokens of a shared store and the
// secrets of rotation journals. It is AES-256-GCM with random nonces under keys derived by
// HKDF-SHA-256.
//
// A box is the id of its key (8 bytes), the nonce (12), the ciphertext and the tag (16). The info
// of HKDF is the label, NUL and the context; the first 32 bytes derived are the AES key, the next 8
// its id. The associated data that GCM authenticates are the label, NUL and what the caller gives.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/stytchkit/m2m/stytch/secret"
)

const (
	// MinKeyLength is the fewest bytes of a source. Anyone who can read a box can try keys at the
	// speed of AES, and a short source is usually a setting that was left empty.
	MinKeyLength = 32

	// Overhead is how many bytes a box is longer than what it encrypts.
	Overhead = idLength + 12 + 16

	idLength = 8
)

var (
	// ErrShortKey means that the source of a key has fewer than [MinKeyLength] bytes.
	ErrShortKey = fmt.Errorf("key must have at least %d bytes", MinKeyLength)
	// ErrUnknownKey means that the box was made with a key that was not given.
	ErrUnknownKey = errors.New("encrypted with a key that was not given")
	// ErrCorrupt means that the box, or the data associated with it, was changed after it was
	// encrypted, or that it is not a box at all.
	ErrCorrupt = errors.New("changed after it was encrypted")
)

// Key encrypts and decrypts. Its random nonces are good for 2^32 boxes. It is safe for concurrent
// use, and no way of printing it shows the key. Only [NewKey] makes one that can be used.
type Key struct {
	id    [idLength]byte
	label string
	aead  func() cipher.AEAD // a closure, which neither fmt nor reflection looks into
}

// NewKey derives a key from source, a random text of at least [MinKeyLength] bytes. The label names
// the format of what is encrypted, with its version; the context says whose it is. Two keys are the
// same only if all three are.
func NewKey(source secret.String, label, context string) (Key, error) {
	if len(source.Reveal()) < MinKeyLength {
		return Key{}, ErrShortKey
	}
	derived, err := hkdf.Key(sha256.New, []byte(source.Reveal()), nil, label+"\x00"+context, 32+idLength)
	if err != nil {
		return Key{}, err
	}
	block, err := aes.NewCipher(derived[:32])
	if err != nil {
		return Key{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return Key{}, err
	}
	return Key{[idLength]byte(derived[32:]), label, func() cipher.AEAD { return aead }}, nil
}

// ID distinguishes keys. It is derived with the key and reveals nothing of it.
func (k Key) ID() [idLength]byte { return k.id }

// Seal encrypts plain into a box that opens only with the same associated data, which is not part
// of the box.
func (k Key) Seal(plain, associated []byte) []byte {
	box := make([]byte, idLength, Overhead+len(plain))
	copy(box, k.id[:])
	return k.aead().Seal(box, nil, plain, k.bind(associated))
}

// Open decrypts a box with the key that made it. The error is [ErrUnknownKey] if that is none of
// keys, else [ErrCorrupt].
func Open(keys []Key, box, associated []byte) ([]byte, error) {
	if len(box) < Overhead {
		return nil, ErrCorrupt
	}
	for _, k := range keys {
		if k.id != [idLength]byte(box) {
			continue
		}
		plain, err := k.aead().Open(nil, nil, box[idLength:], k.bind(associated))
		if err != nil {
			return nil, ErrCorrupt
		}
		return plain, nil
	}
	return nil, ErrUnknownKey
}

func (k Key) bind(associated []byte) []byte {
	return append([]byte(k.label+"\x00"), associated...)
}
