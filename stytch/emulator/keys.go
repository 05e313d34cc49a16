package emulator

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
)

// sharedKey is the first key of every emulator in the process that was given none. Generating it
// takes longer than most tests, so it is generated once, and only when the first token or key set
// is requested.
var sharedKey = sync.OnceValues(newKey)

func newKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }

type signingKey struct {
	kid     string
	private *rsa.PrivateKey
}

// A keyring holds the listed keys. The last one is the newest and signs.
type keyring struct {
	env  string
	mu   sync.Mutex
	keys []signingKey
}

// add lists a key, which signs from now on.
func (k *keyring) add(private *rsa.PrivateKey) (kid string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.addLocked(private)
}

// addLocked derives the key id from the key, so that a pinned key has a pinned id.
func (k *keyring) addLocked(private *rsa.PrivateKey) (kid string) {
	sum := sha256.Sum256(x509.MarshalPKCS1PublicKey(&private.PublicKey))
	kid = "jwk-" + k.env + "-" + formatUUID([16]byte(sum[:16]))
	k.keys = append(k.keys, signingKey{kid, private})
	return kid
}

// listed returns all keys. It generates the first one if there is none.
func (k *keyring) listed() ([]signingKey, error) {
	k.mu.Lock()
	keys := slices.Clone(k.keys)
	k.mu.Unlock()
	if len(keys) > 0 {
		return keys, nil
	}
	private, err := sharedKey() // not under the lock: it may take long
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.keys) == 0 {
		k.addLocked(private)
	}
	return slices.Clone(k.keys), nil
}

// rotate adds a new key and returns its id.
func (k *keyring) rotate() (kid string, err error) {
	if _, err := k.listed(); err != nil { // the first key must be listed before the second
		return "", err
	}
	private, err := newKey()
	if err != nil {
		return "", err
	}
	return k.add(private), nil
}

// retire removes a key that no longer signs.
func (k *keyring) retire(kid string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.IndexFunc(k.keys, func(key signingKey) bool { return key.kid == kid })
	switch {
	case i < 0:
		return invalidArgument("RetireSigningKey: no signing key with this id is listed")
	case i == len(k.keys)-1:
		return invalidArgument("RetireSigningKey: this is the current key: call RotateSigningKey first")
	}
	k.keys = slices.Delete(slices.Clone(k.keys), i, i+1)
	return nil
}

// sign returns a JSON Web Token (RFC 7519) signed with the current key.
func (k *keyring) sign(claims map[string]any) (string, error) {
	keys, err := k.listed()
	if err != nil {
		return "", err
	}
	key := keys[len(keys)-1]
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", invalidArgument("Sign: the claims cannot be encoded as JSON: %w", err)
	}
	header := fmt.Sprintf(`{"alg":"RS256","kid":%q,"typ":"JWT"}`, key.kid)
	signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key.private, crypto.SHA256, digest[:])
	if err != nil {
		return "", err
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
