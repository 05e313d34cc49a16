package profile

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/zalando/go-keyring"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/secret"
)

const canary = "secret-test-canary-keyring"

// user is the environment of a user with a home of its own, who has a bus.
func user(t *testing.T) *Profiles {
	home := t.TempDir()
	return New(func(name string) string {
		return map[string]string{"XDG_CONFIG_HOME": home, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"}[name]
	})
}

func TestKeyring(t *testing.T) {
	keyring.MockInit()
	profiles, ctx := user(t), context.Background()
	p := Profile{Name: "prod", ProjectID: "project-live-1", Store: Keyring}
	if inUse, err := profiles.Add(ctx, p, secret.New(canary), false); err != nil || !inUse {
		t.Fatalf("in use %v, %v", inUse, err)
	}
	found, ok, err := profiles.Find(ctx, "", true)
	if err != nil || !ok || found.Secret.Reveal() != canary || found.ProjectID != p.ProjectID {
		t.Fatalf("found %+v, %v, %v", found, ok, err)
	}

	// Another project under the same name has another secret.
	p.ProjectID = "project-live-2"
	if _, err := profiles.Add(ctx, p, secret.New("secret-live-other"), true); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Get(keyringService, "prod@project-live-1"); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("the replaced secret is still in the keyring: %v", err)
	}

	if err := profiles.Remove(ctx, "prod"); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Get(keyringService, "prod@project-live-2"); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("the removed secret is still in the keyring: %v", err)
	}
	if _, ok, err := profiles.Find(ctx, "", true); ok || err != nil {
		t.Errorf("after the removal: %v, %v", ok, err)
	}
}

func TestKeyringLosesSecret(t *testing.T) {
	keyring.MockInit()
	profiles, ctx := user(t), context.Background()
	p := Profile{Name: "prod", ProjectID: "project-live-1", Store: Keyring}
	if _, err := profiles.Add(ctx, p, secret.New(canary), false); err != nil {
		t.Fatal(err)
	}
	keyring.MockInit() // an empty one
	_, _, err := profiles.Find(ctx, "prod", true)
	if cli.Classify(err) != cli.Auth || !strings.Contains(err.Error(), "there is no secret of it in the keyring: add it with stytchctl profile add prod --replace") {
		t.Errorf("got %v", err)
	}
	if _, ok, err := profiles.Find(ctx, "prod", false); !ok || err != nil {
		t.Errorf("without the secret: %v, %v", ok, err)
	}
}

func TestKeyringFails(t *testing.T) {
	keyring.MockInitWithError(errors.New("locked"))
	profiles, ctx := user(t), context.Background()
	_, err := profiles.Add(ctx, Profile{Name: "prod", ProjectID: "project-live-1", Store: Keyring}, secret.New(canary), false)
	if cli.Classify(err) != cli.Auth || !strings.Contains(err.Error(), "the keyring failed: locked: unlock it, or keep the secret in a file") {
		t.Errorf("got %v", err)
	}
	if all, _, err := profiles.List(); err != nil || len(all) != 0 {
		t.Errorf("there are profiles %v, %v", all, err)
	}
}

// A keyring that hangs ends the command after two seconds.
func TestKeyringHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		k := keyringStore{func(string) string { return "unix:path=/nowhere" }}
		_, err := k.within(t.Context(), func() (string, error) { <-release; return "", nil })
		if cli.Classify(err) != cli.Auth || !strings.Contains(err.Error(), "the keyring did not answer within 2s") {
			t.Errorf("got %v", err)
		}
	})
}
