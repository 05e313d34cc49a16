package token

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/stytchkit/m2m/stytch/secret"
)

// Credential is what an M2M client proves itself by. It prints without its secrets.
type Credential struct {
	ClientID string
	Secret   secret.String
	Next     secret.String // the other one during a rotation, in whichever order; the zero value if there is none
}

// Credentials yields the credential of one client. It is asked before every token request, and once more if Stytch refuses
// what it gave, so a rotation needs no restart. Implementations must be safe for concurrent use. See [Static], [Env], [File]
// and [Func].
type Credentials interface {
	Credential(context.Context) (Credential, error)
}

// Func is a callback that is Credentials, for a secret manager. Its error is reported as it is, so it must not hold secrets.
type Func func(context.Context) (Credential, error)

// Credential calls f.
func (f Func) Credential(ctx context.Context) (Credential, error) {
	if f == nil {
		return Credential{}, errors.New("the callback is nil")
	}
	return f(ctx)
}

func (f Func) check() error {
	if f == nil {
		return invalid("", "credentials must not be a nil callback")
	}
	return nil
}

// Static are credentials that never change. next are further secrets of the same client, of which there can be one.
func Static(clientID string, clientSecret secret.String, next ...secret.String) Credentials {
	c := static{cred: Credential{ClientID: clientID, Secret: clientSecret}, tooMany: len(next) > 1}
	if len(next) > 0 {
		c.cred.Next = next[0]
	}
	return c
}

type static struct {
	cred    Credential
	tooMany bool
}

func (c static) Credential(context.Context) (Credential, error) { return c.cred, nil }

func (c static) check() error {
	if c.tooMany {
		return invalid("Static", "a client has two secrets at most")
	}
	if err := c.cred.check(); err != nil {
		return invalid("Static", "%v", err)
	}
	return nil
}

// Env are the credentials in the environment variables STYTCH_CLIENT_ID, STYTCH_CLIENT_SECRET and, during a rotation,
// STYTCH_NEXT_CLIENT_SECRET.
func Env() Credentials { return env{} }

type env struct{}

func (env) Credential(context.Context) (Credential, error) {
	return Credential{
		ClientID: os.Getenv("STYTCH_CLIENT_ID"),
		Secret:   secret.New(os.Getenv("STYTCH_CLIENT_SECRET")),
		Next:     secret.New(os.Getenv("STYTCH_NEXT_CLIENT_SECRET")),
	}, nil
}

func (e env) check() error {
	var missing []error
	for _, name := range []string{"STYTCH_CLIENT_ID", "STYTCH_CLIENT_SECRET"} {
		if os.Getenv(name) == "" {
			missing = append(missing, invalid("Env", "environment variable %s is not set", name))
		}
	}
	if len(missing) > 0 {
		return errors.Join(missing...)
	}
	cred, _ := e.Credential(context.Background())
	if err := cred.check(); err != nil {
		return invalid("Env", "%v", err)
	}
	return nil
}

// check never quotes what it refuses: id and secret are easily swapped.
func (c Credential) check() error {
	switch id := c.ClientID; {
	case id == "":
		return errors.New("client id must not be empty")
	case strings.HasPrefix(id, "project-"):
		return errors.New("client id must not be a project id")
	case len(id) > 256 || !utf8.ValidString(id) || strings.ContainsFunc(id, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }):
		return errors.New("client id must be at most 256 bytes without spaces and control characters")
	case c.Secret.IsZero():
		return errors.New("client secret must not be empty")
	}
	for _, s := range []secret.String{c.Secret, c.Next} {
		switch text := s.Reveal(); {
		case strings.Contains(text, secret.Placeholder):
			return errors.New("client secret was redacted on the way here")
		case len(text) > 1024 || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
			return errors.New("client secret must be at most 1024 bytes of text without control characters")
		}
	}
	return nil
}

// login is one pair of client and secret.
type login struct {
	id     string
	secret secret.String
}

func (l login) equal(other login) bool { return l.id == other.id && l.secret.Equal(other.secret) }

// lastGood remembers which of two secrets Stytch took, so that a rotation does not cost a refused request every time.
type lastGood struct {
	mu     sync.Mutex
	secret secret.String
}

func (g *lastGood) set(s secret.String) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.secret = s
}

// logins are what a credential allows, the most promising first.
func (g *lastGood) logins(c Credential) []login {
	all := []login{{c.ClientID, c.Secret}}
	if c.Next.IsZero() {
		return all
	}
	all = append(all, login{c.ClientID, c.Next})
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.Next.Equal(g.secret) {
		slices.Reverse(all)
	}
	return all
}

// credential asks for the credentials, and checks what it gets.
func (s *Source) credential(ctx context.Context) (Credential, error) {
	ctx, cancel := context.WithTimeout(ctx, s.settings.call)
	defer cancel()
	c, err := s.credentials.Credential(ctx)
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return Credential{}, fmt.Errorf("%w: %w", ErrCredentials, err)
	}
	return c, nil
}
