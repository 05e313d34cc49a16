package emulator

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"unicode/utf8"
)

// importedIterations is far below what a password store needs: these hashes live as long as a test, and a client is
// made with each. It only keeps a chosen secret from lying about readable.
const importedIterations = 1000

// A clientSecret is what is kept of a secret: enough to check it and to show its end. A nil one is no secret.
type clientSecret struct {
	salt       [16]byte
	sum        [sha256.Size]byte
	iterations int // 0: a plain salted hash, right for the 256 random bits of a generated secret
	lastFour   string
}

func newClientSecret(text string, iterations int) *clientSecret {
	s := &clientSecret{iterations: iterations, lastFour: lastFour(text)}
	_, _ = rand.Read(s.salt[:])
	s.sum = s.hash(text)
	return s
}

func (s *clientSecret) hash(text string) (sum [sha256.Size]byte) {
	if s.iterations == 0 {
		return sha256.Sum256(append(s.salt[:], text...))
	}
	key, err := pbkdf2.Key(sha256.New, text, s.salt[:], s.iterations, len(sum))
	if err != nil {
		panic("emulator: " + err.Error()) // only for lengths and hashes that are not used here
	}
	return [sha256.Size]byte(key)
}

func (s *clientSecret) matches(text string) bool {
	if s == nil {
		return false
	}
	sum := s.hash(text)
	return subtle.ConstantTimeCompare(sum[:], s.sum[:]) == 1
}

// secretPair holds both secrets of a client. While a rotation is open, next is not nil and both are accepted.
type secretPair struct{ current, next *clientSecret }

func (p secretPair) accept(text string) bool {
	current, next := p.current.matches(text), p.next.matches(text) // always both: the time tells nothing
	return current || next
}

// nextLastFour is the wire form of next_client_secret_last_four.
func (p secretPair) nextLastFour(b Behavior) json.RawMessage {
	switch {
	case p.next != nil:
		return encode(p.next.lastFour)
	case b.NextSecretAbsent:
		return nil
	}
	return json.RawMessage("null")
}

// chooseSecret returns the secret that the caller has chosen, or a new one if there is none, and what to keep of it.
func (p *project) chooseSecret(imported *string) (string, *clientSecret, error) {
	if imported == nil {
		text, kept := p.generateSecret()
		return text, kept, nil
	}
	kept, err := p.importSecret(*imported)
	return *imported, kept, err
}

// generateSecret returns a new secret and what to keep of it.
func (p *project) generateSecret() (string, *clientSecret) {
	text := newSecretText(p.behavior.SecretLength*3/4 + 1)[:p.behavior.SecretLength]
	return text, newClientSecret(text, 0)
}

// importSecret checks a secret that the caller has chosen. The rules beyond the 8 characters are assumed.
func (p *project) importSecret(text string) (*clientSecret, error) {
	if utf8.RuneCountInString(text) < 8 {
		return nil, fail("m2m_client_invalid_client_secret")
	}
	if len(text) > p.behavior.MaxSecretLength {
		return nil, fail("client_secret_too_long")
	}
	distinct := map[rune]bool{}
	for _, r := range text {
		distinct[r] = true
	}
	// A masked secret that travels on as if it were one would lock its client out.
	if len(distinct) < 5 || text == "[REDACTED]" {
		return nil, fail("insecure_m2m_client_secret")
	}
	return newClientSecret(text, importedIterations), nil
}

// newSecretText returns n random bytes in the url-safe alphabet that real secrets were seen to have.
func newSecretText(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// lastFour returns the last four characters, or all of a shorter text.
func lastFour(text string) string {
	start := len(text)
	for range 4 {
		_, size := utf8.DecodeLastRuneInString(text[:start])
		start -= size
	}
	return text[start:]
}
