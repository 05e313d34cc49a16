package emulator

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
)

// newUUID returns a random UUID (version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0F|0x40, b[8]&0x3F|0x80
	return formatUUID(b)
}

func formatUUID(b [16]byte) string {
	var text [36]byte
	hex.Encode(text[:], b[:4])
	hex.Encode(text[9:], b[4:6])
	hex.Encode(text[14:], b[6:8])
	hex.Encode(text[19:], b[8:10])
	hex.Encode(text[24:], b[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// newSecretText returns n random bytes in the URL-safe base64 alphabet, in which real secrets were
// observed.
func newSecretText(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// newTokenID returns the jti of a token: 44 characters, as documented for Connected Apps.
func newTokenID() string { return newSecretText(33) }
