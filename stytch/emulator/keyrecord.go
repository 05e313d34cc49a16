package emulator

import (
	"crypto/rsa"
	"crypto/x509"
	"time"
)

type keyValue struct {
	Order   uint64    `json:"order"`
	Created time.Time `json:"created"`
	PKCS8   []byte    `json:"pkcs8"`
}

func encodeKey(k signingKey) Record {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		panic("emulator: encode a signing key: " + err.Error()) // every RSA key can be encoded
	}
	return newRecord(kindKey, k.kid, keyValue{k.order, k.created, der})
}

func decodeKey(r Record, env string) (signingKey, error) {
	v, err := decodeRecord[keyValue](r)
	if err != nil {
		return signingKey{}, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(v.PKCS8)
	if err != nil {
		return signingKey{}, r.unreadable("pkcs8 is not a private key")
	}
	private, ok := parsed.(*rsa.PrivateKey)
	if !ok || private.N.BitLen() < minKeyBits {
		return signingKey{}, r.unreadable("pkcs8 must be an RSA key of at least %d bits", minKeyBits)
	}
	if keyID(env, private) != r.ID || v.Order == 0 {
		return signingKey{}, r.unreadable("the key does not belong to this id or has no order")
	}
	return signingKey{r.ID, v.Order, v.Created, private}, nil
}
