package rotate

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"github.com/stytchkit/m2m/internal/strictjson"
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

// seal encrypts with the first key, and binds to it what is stored in the clear.
func (c *Codec) seal(plain, clear []byte) string {
	key := c.keys[0]
	return base64.RawURLEncoding.EncodeToString(key.aead.Seal(key.id[:], nil, plain, associated(clear)))
}

// unseal decrypts what seal made with one of the keys.
func (c *Codec) unseal(e *envelope) (*pair, error) {
	box, err := base64.RawURLEncoding.Strict().DecodeString(e.Sealed)
	if err != nil || len(box) < keyIDLength {
		return nil, wrong(ErrCorrupt, "sealed is not what was encrypted")
	}
	for _, key := range c.keys {
		if key.id != [keyIDLength]byte(box) {
			continue
		}
		plain, err := key.aead.Open(nil, nil, box[keyIDLength:], associated(e.clear))
		if err != nil {
			return nil, wrong(ErrCorrupt, "it was changed after it was encrypted")
		}
		var secrets pair
		if strictjson.Valid(plain) != nil || json.Unmarshal(plain, &secrets) != nil {
			return nil, wrong(ErrCorrupt, "what was encrypted are no secrets")
		}
		return &secrets, nil
	}
	return nil, wrong(ErrWrongKey, "encrypted with a key that is not given")
}

func associated(clear []byte) []byte {
	return append([]byte(sealLabel+"\x00"), clear...)
}
