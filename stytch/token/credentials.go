package token

import (
	"context"
	"errors"
	"os"
	"reflect"

	"github.com/stytchkit/m2m/internal/credentials"
	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/internal/seal"
	"github.com/stytchkit/m2m/stytch/secret"
)

// Credential is the id and the secrets of one M2M client. It prints without its secrets.
type Credential struct {
	ClientID string
	Secret   secret.String
	Next     secret.String // the other secret during a rotation; either may be the newer one
}

// Credentials provides the credential of one client. It is called before every token request, and
// once more if Stytch refuses what it returned, so a rotation needs no restart. Implementations
// must be safe for concurrent use. See [Static], [Env], [File] and [Func].
type Credentials interface {
	Credential(context.Context) (Credential, error)
}

// Func adapts a callback, such as one that reads a secret manager, to Credentials. Its error is
// passed on unchanged, so it must not contain secrets.
type Func func(context.Context) (Credential, error)

// Credential calls f.
func (f Func) Credential(ctx context.Context) (Credential, error) {
	if f == nil {
		return Credential{}, f.check()
	}
	return f(ctx)
}

func (f Func) check() error {
	if f == nil {
		return invalid("Func", "callback must not be nil")
	}
	return nil
}

// Static returns credentials that never change. A client has at most two secrets, so next is at
// most one more.
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

func (c static) fixed() Credential { return c.cred }

func (c static) Credential(context.Context) (Credential, error) { return c.cred, nil }

func (c static) check() error {
	if c.tooMany {
		return invalid("Static", "a client has at most two secrets")
	}
	if err := c.cred.check(); err != nil {
		return invalid("Static", "%v", err)
	}
	return nil
}

// Env reads the environment variables STYTCH_CLIENT_ID, STYTCH_CLIENT_SECRET and, during a
// rotation, STYTCH_PREVIOUS_CLIENT_SECRET, each time that credentials are needed. The last one may
// also be named STYTCH_NEXT_CLIENT_SECRET. A byte order mark is skipped. Spaces, zero-width
// characters and quotation marks in or around a value are an error that names them.
// No variable selects the address of Stytch unless you say so:
//
//	token.WithBaseURL(os.Getenv("STYTCH_BASE_URL")) // the default if it is not set
func Env() Credentials { return env{} }

type env struct{}

func (env) Credential(context.Context) (Credential, error) {
	c, err := credentials.Env(os.Getenv)
	if err != nil {
		return Credential{}, err
	}
	return Credential{ClientID: c.ClientID, Secret: c.Secret, Next: c.Previous}, nil
}

func (e env) fixed() Credential {
	c, _ := e.Credential(context.Background()) // check reports what is wrong with it
	return c
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
	cred, err := e.Credential(context.Background())
	if err == nil {
		err = cred.check()
	}
	if err != nil {
		return invalid("Env", "%v", err)
	}
	return nil
}

// checkCredentials finds what is wrong with credentials without reading them from elsewhere.
func checkCredentials(c Credentials) error {
	if isNil(c) {
		return invalid("New", "credentials must not be nil")
	}
	if c, ok := c.(interface{ check() error }); ok {
		return c.check()
	}
	return nil
}

// checkStoreKey finds a client secret that no key can be derived from, if it is known already.
func checkStoreKey(c Credentials) error {
	known, ok := c.(interface{ fixed() Credential })
	if !ok {
		return nil
	}
	for _, s := range []secret.String{known.fixed().Secret, known.fixed().Next} {
		if n := len(s.Reveal()); n > 0 && n < seal.MinKeyLength {
			return invalid("WithStore", "a client secret has fewer than %d bytes, too few to derive a key from: give WithStore a key", seal.MinKeyLength)
		}
	}
	return nil
}

// isNil reports whether an interface holds nothing to call, such as a nil pointer. A nil [Func] has
// a text of its own.
func isNil(v any) bool {
	_, isFunc := v.(Func)
	r := reflect.ValueOf(v)
	return v == nil || !isFunc && (r.Kind() == reflect.Pointer || r.Kind() == reflect.Func || r.Kind() == reflect.Map) && r.IsNil()
}

// check never quotes what it refuses: id and secret are easily swapped.
func (c Credential) check() error {
	if err := project.CheckClientID(c.ClientID); err != nil {
		return err
	}
	if err := project.CheckClientSecret(c.Secret.Reveal()); err != nil || c.Next.IsZero() {
		return err
	}
	return project.CheckClientSecret(c.Next.Reveal())
}
