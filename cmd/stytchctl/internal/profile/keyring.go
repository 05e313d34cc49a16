package profile

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/secret"
)

const (
	keyringService = "stytchctl"
	// keyringLimit ends the wait for a keyring that hangs: over SSH, some ask for a password where
	// no one sees the question.
	keyringLimit = 2 * time.Second
)

var errNoSecret = errors.New("there is no secret")

// keyringStore keeps secrets in the keyring of the operating system. Each belongs to a profile and
// its project, so that a changed project id never gets the secret of another.
type keyringStore struct{ getenv func(string) string }

func (keyringStore) user(p Profile) string { return p.Name + "@" + p.ProjectID }

func (k keyringStore) get(ctx context.Context, p Profile) (found secret.String, err error) {
	text, err := k.within(ctx, func() (string, error) { return keyring.Get(keyringService, k.user(p)) })
	if errors.Is(err, keyring.ErrNotFound) {
		return found, fmt.Errorf("%w of it in the keyring", errNoSecret)
	}
	return secret.New(text), err
}

func (k keyringStore) put(ctx context.Context, p Profile, s secret.String) error {
	_, err := k.within(ctx, func() (string, error) { return "", keyring.Set(keyringService, k.user(p), s.Reveal()) })
	return err
}

func (k keyringStore) remove(ctx context.Context, p Profile) error {
	_, err := k.within(ctx, func() (string, error) { return "", keyring.Delete(keyringService, k.user(p)) })
	if errors.Is(err, keyring.ErrNotFound) {
		return nil
	}
	return err
}

// Available is why the keyring cannot be used, or nil. It does not touch the keyring: without the
// address of a bus, the library would start one, and may hang.
func (k keyringStore) available() error {
	switch runtime.GOOS {
	case "darwin", "windows":
		return nil
	}
	if k.getenv("DBUS_SESSION_BUS_ADDRESS") == "" {
		return cli.Errorf(cli.Auth, "the keyring cannot be reached, because DBUS_SESSION_BUS_ADDRESS is not set: run this in a desktop session, or keep the secret in a file (profile add --store file)")
	}
	return nil
}

// within calls the keyring, and does not wait for it for more than two seconds.
func (k keyringStore) within(ctx context.Context, call func() (string, error)) (string, error) {
	if err := k.available(); err != nil {
		return "", err
	}
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := call()
		done <- result{text, err}
	}()
	timer := time.NewTimer(keyringLimit)
	defer timer.Stop()
	select {
	case r := <-done:
		if r.err != nil && !errors.Is(r.err, keyring.ErrNotFound) {
			return "", cli.Errorf(cli.Auth, "the keyring failed: %w: unlock it, or keep the secret in a file (profile add --store file)", r.err)
		}
		return r.text, r.err
	case <-timer.C:
		return "", cli.Errorf(cli.Auth, "the keyring did not answer within %v: unlock it, or keep the secret in a file (profile add --store file)", keyringLimit)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
