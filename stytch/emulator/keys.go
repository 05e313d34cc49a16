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
	"strings"
	"sync"
	"time"
)

// sharedKey is the first key of every emulator in the process that was given none. Generating it
// takes longer than most tests, so it is generated once, and only when the first token or key set
// is requested.
var sharedKey = sync.OnceValues(newKey)

// minKeyBits is the smallest size of a signing key.
const minKeyBits = 2048

func newKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, minKeyBits) }

type signingKey struct {
	kid     string
	order   uint64 // of the keys, the one with the highest signs
	created time.Time
	private *rsa.PrivateKey
}

// A Key describes a signing key.
type Key struct {
	ID      string    `json:"id"` // the kid of tokens and of the key set
	Created time.Time `json:"created"`
	Current bool      `json:"current"` // whether it signs tokens
}

// A keyring holds the listed keys. The last one is the newest and signs.
type keyring struct {
	env   string
	clock func() time.Time
	store *store // nil if the state is in memory only

	mu   sync.Mutex
	keys []signingKey
}

// add lists a key, which signs from now on.
func (k *keyring) add(p *pending, private *rsa.PrivateKey) (kid string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.addLocked(p, private)
}

func (k *keyring) addLocked(p *pending, private *rsa.PrivateKey) (kid string, err error) {
	if err := k.store.check(); err != nil {
		return "", err
	}
	key := signingKey{kid: keyID(k.env, private), order: 1, created: k.clock().UTC(), private: private}
	if len(k.keys) > 0 {
		key.order = k.keys[len(k.keys)-1].order + 1
	}
	if k.store != nil {
		k.store.save(p, encodeKey(key))
	}
	k.keys = append(k.keys, key)
	return key.kid, nil
}

// keyID derives the id of a key from the key, so that a pinned key has a pinned id.
func keyID(env string, private *rsa.PrivateKey) string {
	sum := sha256.Sum256(x509.MarshalPKCS1PublicKey(&private.PublicKey))
	return "jwk-" + env + "-" + formatUUID([16]byte(sum[:16]))
}

// all returns the keys that are listed so far.
func (k *keyring) all() []signingKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.keys)
}

// listed returns all keys. It generates the first one if there is none.
func (k *keyring) listed(p *pending) ([]signingKey, error) {
	if keys := k.all(); len(keys) > 0 {
		return keys, nil
	}
	private, err := sharedKey() // not under the lock: it may take long
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.keys) == 0 {
		if _, err := k.addLocked(p, private); err != nil {
			return nil, err
		}
	}
	return slices.Clone(k.keys), nil
}

// rotate adds a new key and returns its id.
func (k *keyring) rotate(p *pending) (kid string, err error) {
	if _, err := k.listed(p); err != nil { // the first key must be listed before the second
		return "", err
	}
	private, err := newKey()
	if err != nil {
		return "", err
	}
	return k.add(p, private)
}

// retire removes a key that no longer signs.
func (k *keyring) retire(p *pending, kid string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.IndexFunc(k.keys, func(key signingKey) bool { return key.kid == kid })
	switch {
	case i < 0:
		return invalidArgument("RetireSigningKey: no signing key with this id is listed")
	case i == len(k.keys)-1:
		return invalidArgument("RetireSigningKey: this is the current key: call RotateSigningKey first")
	}
	if err := k.store.check(); err != nil {
		return err
	}
	if k.store != nil {
		k.store.save(p, Record{Kind: kindKey, ID: kid})
	}
	k.keys = slices.Delete(slices.Clone(k.keys), i, i+1)
	return nil
}

// verify returns the payload of a token that a listed key has signed; ok is false for anything
// else.
func (k *keyring) verify(token string) (payload []byte, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, false
	}
	var header struct{ Alg, Kid string }
	head, headErr := base64.RawURLEncoding.DecodeString(parts[0])
	payload, payloadErr := base64.RawURLEncoding.DecodeString(parts[1])
	signature, signatureErr := base64.RawURLEncoding.DecodeString(parts[2])
	if headErr != nil || payloadErr != nil || signatureErr != nil || json.Unmarshal(head, &header) != nil || header.Alg != "RS256" {
		return nil, false
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	for _, key := range k.all() {
		if key.kid == header.Kid && rsa.VerifyPKCS1v15(&key.private.PublicKey, crypto.SHA256, digest[:], signature) == nil {
			return payload, true
		}
	}
	return nil, false
}

// sign returns a JSON Web Token (RFC 7519) signed with the current key.
func (k *keyring) sign(p *pending, claims map[string]any) (string, error) {
	keys, err := k.listed(p)
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
