package token

import (
	"slices"
	"sync"

	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch/secret"
)

// login is a client id with one of its secrets.
type login struct {
	id     string
	secret secret.String
}

func (l login) equal(other login) bool { return l.id == other.id && l.secret.Equal(other.secret) }

// acceptedSecret remembers which of two secrets Stytch accepted last, so that a rotation does not
// cost a refused request for every token.
type acceptedSecret struct {
	mu     sync.Mutex
	secret secret.String
}

func (a *acceptedSecret) set(s secret.String) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.secret = s
}

// redactor knows the secret that was accepted last.
func (a *acceptedSecret) redactor() *redact.Redactor {
	a.mu.Lock()
	defer a.mu.Unlock()
	return redact.New(a.secret.Reveal())
}

// logins are the pairs that c allows, the most promising first.
func (a *acceptedSecret) logins(c Credential) []login {
	all := []login{{c.ClientID, c.Secret}}
	if c.Next.IsZero() {
		return all
	}
	all = append(all, login{c.ClientID, c.Next})
	a.mu.Lock()
	defer a.mu.Unlock()
	if c.Next.Equal(a.secret) {
		slices.Reverse(all)
	}
	return all
}
