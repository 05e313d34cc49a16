package emulator

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"sync"

	"github.com/stytchkit/m2m/gen/server"
)

// sharedKey is the first key of every emulator in the process that was not given one. It takes longer to make than a
// whole test, so it is made once, and not before somebody asks for a token or a key set.
var sharedKey = sync.OnceValues(newKey)

func newKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }

type signingKey struct {
	kid     string
	private *rsa.PrivateKey
}

// A keyring holds the listed keys, the newest last; that one signs.
type keyring struct {
	env  string
	mu   sync.Mutex
	keys []signingKey
}

// add lists a key and signs with it from now on.
func (k *keyring) add(private *rsa.PrivateKey) (kid string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.list(private)
}

// list is add under the lock. The key id is made from the key, so that a pinned key has a pinned id.
func (k *keyring) list(private *rsa.PrivateKey) (kid string) {
	sum := sha256.Sum256(x509.MarshalPKCS1PublicKey(&private.PublicKey))
	kid = "jwk-" + k.env + "-" + formatUUID([16]byte(sum[:16]))
	k.keys = append(k.keys, signingKey{kid, private})
	return kid
}

// listed returns all keys, after making the first one if there is none.
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
		k.list(private)
	}
	return slices.Clone(k.keys), nil
}

// sign makes a JSON Web Token (RFC 7515) with the current key.
func (k *keyring) sign(claims map[string]any) (string, error) {
	keys, err := k.listed()
	if err != nil {
		return "", err
	}
	key := keys[len(keys)-1]
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", invalidArgument("the claims cannot be encoded as JSON: %w", err)
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

func (p *project) keySet(ctx context.Context, projectID string) (answer, error) {
	if !projectIDPattern.MatchString(projectID) {
		return answer{}, fail("invalid_project_id")
	}
	if projectID != p.id {
		return answer{}, fail("project_not_found")
	}
	keys, err := p.keys.listed()
	if err != nil {
		return answer{}, err
	}
	set := keySetAnswer{Keys: make([]jwkWire, len(keys)), RequestID: callOf(ctx).requestID, StatusCode: 200}
	for i, key := range keys {
		set.Keys[i] = jwkWire{
			Alg: "RS256", Kid: key.kid, Kty: "RSA", Use: "sig", KeyOps: []string{"verify"}, X5C: []string{},
			E: base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.private.E)).Bytes()),
			N: base64.RawURLEncoding.EncodeToString(key.private.N.Bytes()),
		}
	}
	return jsonAnswer(200, set), nil
}

func (p *project) GetJWKS(ctx context.Context, r server.GetJWKSRequestObject) (server.GetJWKSResponseObject, error) {
	return p.keySet(ctx, r.ProjectID)
}

func (p *project) GetB2BJWKS(ctx context.Context, r server.GetB2BJWKSRequestObject) (server.GetB2BJWKSResponseObject, error) {
	return p.keySet(ctx, r.ProjectID)
}

// Sign signs any claims with the current key, also such as Stytch never would: to test what refuses them. It fails if
// the claims cannot be encoded as JSON.
func (e *Emulator) Sign(claims map[string]any) (string, error) { return e.project.keys.sign(claims) }

// RotateSigningKey makes a new key, signs with it from now on and returns its id. The keys before it stay listed, so
// that tokens which they signed are still good, until [Emulator.RetireSigningKey]. It takes a few hundred milliseconds.
func (e *Emulator) RotateSigningKey() (kid string) {
	keys := &e.project.keys
	_, err := keys.listed() // the first key has to be listed before the second
	if err != nil {
		panic("emulator: " + err.Error()) // the system has no randomness
	}
	private, err := newKey()
	if err != nil {
		panic("emulator: " + err.Error())
	}
	return keys.add(private)
}

// RetireSigningKey takes a key out of the key set. It fails for the current key and for one that is not listed.
func (e *Emulator) RetireSigningKey(kid string) error {
	keys := &e.project.keys
	keys.mu.Lock()
	defer keys.mu.Unlock()
	for i, key := range keys.keys {
		if key.kid != kid {
			continue
		}
		if i == len(keys.keys)-1 {
			return invalidArgument("the current signing key cannot be retired: call RotateSigningKey first")
		}
		keys.keys = slices.Delete(slices.Clone(keys.keys), i, i+1)
		return nil
	}
	return invalidArgument("no signing key with this id is listed")
}
