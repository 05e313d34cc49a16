package rotate

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"

	"github.com/stytchkit/m2m/stytch/secret"
)

const (
	sealLabel    = "stytch m2m rotation journal v1"
	keyIDLength  = 8
	minKeyLength = 32
)

// sealKey encrypts and decrypts the secrets of the records of one project. Its random nonces are good for 2^32 writes.
type sealKey struct {
	id   [keyIDLength]byte
	aead cipher.AEAD
}

func newSealKey(source secret.String, project string) (sealKey, error) {
	// Whoever reads the journal can try keys at the speed of AES. An empty one is somebody's missing setting.
	if len(source.Reveal()) < minKeyLength {
		return sealKey{}, wrong(ErrInvalidArgument, "key: must have at least %d bytes", minKeyLength)
	}
	derived, err := hkdf.Key(sha256.New, []byte(source.Reveal()), nil, sealLabel+"\x00"+project, 32+keyIDLength)
	if err != nil {
		return sealKey{}, because(ErrInvalidArgument, err)
	}
	block, err := aes.NewCipher(derived[:32])
	if err != nil {
		return sealKey{}, because(ErrInvalidArgument, err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealKey{}, because(ErrInvalidArgument, err)
	}
	key := sealKey{aead: aead}
	copy(key.id[:], derived[32:])
	return key, nil
}

// seal encrypts with the first key, and authenticates clear as well.
func (c *Codec) seal(plain, clear []byte) []byte {
	key := c.keys[0]
	return key.aead.Seal(key.id[:], nil, plain, associated(clear))
}

// unseal decrypts what seal made with one of the keys.
func (c *Codec) unseal(box, clear []byte) ([]byte, error) {
	if len(box) < keyIDLength {
		return nil, wrong(ErrCorrupt, "sealed is too short")
	}
	for _, key := range c.keys {
		if key.id != [keyIDLength]byte(box) {
			continue
		}
		plain, err := key.aead.Open(nil, nil, box[keyIDLength:], associated(clear))
		if err != nil {
			return nil, wrong(ErrCorrupt, "it was changed after it was encrypted")
		}
		return plain, nil
	}
	return nil, wrong(ErrWrongKey, "another key encrypted it")
}

func associated(clear []byte) []byte {
	return append([]byte(sealLabel+"\x00"), clear...)
}
