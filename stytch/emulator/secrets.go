package emulator

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"unicode/utf8"
)

// importedIterations is far below what a password store needs: a hash lives only as long as a test,
// and every imported secret costs one. It merely keeps the secret from lying around in plain text.
const importedIterations = 1000

// A clientSecret is the stored form of a secret: enough to check it and to show its last four
// characters. A nil *clientSecret matches nothing.
type clientSecret struct {
	salt       [16]byte
	sum        [sha256.Size]byte
	iterations int // 0 means one salted SHA-256, which suffices for the 256 random bits of a generated secret
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
		panic("emulator: " + err.Error()) // only for key lengths and hashes that are not used here
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

// A secretPair holds the secrets of a client. During a rotation next is not nil, and both secrets
// work.
type secretPair struct{ current, next *clientSecret }

func (p secretPair) accept(text string) bool {
	current, next := p.current.matches(text), p.next.matches(text) // always both, so that the time reveals nothing
	return current || next
}

// start, cancel and complete are the steps of a rotation. They are the same for M2M clients and
// Connected Apps; only the error types differ.

func (p *secretPair) start(b Behavior, next *clientSecret, alreadyRotating string) error {
	if p.next != nil && b.StartWhileRotating == Refuse {
		return fail(alreadyRotating)
	}
	p.next = next
	return nil
}

func (p *secretPair) cancel(b Behavior, notRotating string) error {
	if p.next == nil && b.FinishWhileIdle == Refuse {
		return fail(notRotating)
	}
	p.next = nil
	return nil
}

func (p *secretPair) complete(b Behavior, notRotating string) error {
	if p.next == nil {
		return p.cancel(b, notRotating)
	}
	p.current, p.next = p.next, nil
	return nil
}

// generateSecret returns a new secret and its stored form.
func (b Behavior) generateSecret() (string, *clientSecret) {
	text := newSecretText(b.SecretLength*3/4 + 1)[:b.SecretLength]
	return text, newClientSecret(text, 0)
}

// generateOrImport returns the secret that the caller chose, or a new one for nil, and its stored
// form.
func (b Behavior) generateOrImport(chosen *string) (string, *clientSecret, error) {
	if chosen == nil {
		text, stored := b.generateSecret()
		return text, stored, nil
	}
	stored, err := b.importSecret(*chosen)
	return *chosen, stored, err
}

// importSecret checks a secret that the caller chose. At least 8 characters are documented; the
// other rules are assumed.
func (b Behavior) importSecret(text string) (*clientSecret, error) {
	if utf8.RuneCountInString(text) < 8 {
		return nil, fail("m2m_client_invalid_client_secret").why("the client_secret has %d characters: at least 8 are needed", utf8.RuneCountInString(text))
	}
	if len(text) > b.MaxSecretLength {
		return nil, fail("client_secret_too_long").why("the client_secret has %d bytes: at most %d are allowed", len(text), b.MaxSecretLength)
	}
	distinct := map[rune]bool{}
	for _, r := range text {
		distinct[r] = true
	}
	// A masked secret that is sent by mistake would lock its client out.
	if len(distinct) < 5 || text == "[REDACTED]" {
		return nil, fail("insecure_m2m_client_secret").why("the client_secret has fewer than 5 different characters, or is [REDACTED]")
	}
	return newClientSecret(text, importedIterations), nil
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
