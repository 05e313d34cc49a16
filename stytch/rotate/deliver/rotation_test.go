package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/secret"
)

// world is a client whose secret is in five places.
type world struct {
	api        *stytch.Client
	made       *stytch.M2MClientWithSecret
	vault      *vaultServer
	cluster    *apiServer
	readers    []rotate.Reader
	programs   string // where the fifth place is
	deliverers rotate.Deliverers
	rotator    *rotate.Rotator
	said       strings.Builder // by events
}

func newWorld(t *testing.T) *world {
	local := emulatortest.NewServer(t)
	w := &world{vault: newVaultServer(t), cluster: newAPIServer(t), programs: t.TempDir()}
	var err error
	if w.api, err = stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL)); err != nil {
		t.Fatal(err)
	}
	if w.made, err = w.api.M2M.Create(t.Context(), stytch.M2MCreate{ClientName: "billing", Scopes: []string{"read:users"}}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, folder := deliver.File(filepath.Join(dir, "one.json")), deliver.Folder(filepath.Join(dir, "all"))
	vault, kubernetes := w.vault.deliverer(t, nil), w.cluster.deliverer(t, nil)
	w.readers = []rotate.Reader{file, folder, vault, kubernetes}
	w.deliverers = rotate.Deliverers{
		"file": file, "folder": folder, "exec": runs("store", "DELIVER_TEST_DIR="+w.programs), "vault": vault, "kubernetes": kubernetes,
	}
	journal, err := filejournal.New(filepath.Join(dir, "journal"), local.ProjectID, secret.Generate())
	if err != nil {
		t.Fatal(err)
	}
	w.rotator, err = rotate.New(w.api.M2M.Secrets, w.deliverers, journal, rotate.WithObserver(func(_ context.Context, e rotate.Event) { fmt.Fprintln(&w.said, e) }))
	if err != nil {
		t.Fatal(err)
	}
	give(t, w.deliverers, rotate.Delivery{ClientID: w.made.ClientID, Secret: w.made.ClientSecret})
	return w
}

// A place that cannot be written is found before anything is begun.
func TestRotationNotBegun(t *testing.T) {
	w := newWorld(t)
	w.vault.meddle(say(http.MethodPost, func(rw http.ResponseWriter, _ *http.Request) { vaultSays(rw, 403, "permission denied") }))
	err := w.rotator.Run(t.Context(), w.made.ClientID)
	if err == nil || !strings.Contains(err.Error(), "its policy lacks") {
		t.Errorf("error %v, want that of the policy", err)
	}
	if four, err := w.api.M2M.Secrets.LastFour(t.Context(), w.made.ClientID); err != nil || four.Rotating() {
		t.Errorf("a rotation was begun, error %v", err)
	}
}

// TestRotation has one place fail at first: only that place is delivered to again.
func TestRotation(t *testing.T) {
	w := newWorld(t)
	id := w.made.ClientID
	w.vault.meddle(func(rw http.ResponseWriter, _ *http.Request, body []byte) bool {
		delivery := strings.Contains(string(body), "client_secret") // not the check in advance
		if delivery {
			vaultSays(rw, 503, "Vault is sealed")
		}
		return delivery
	})
	err := w.rotator.Run(t.Context(), id)
	if !errors.Is(err, rotate.ErrDelivery) || !strings.Contains(err.Error(), "Vault is sealed") {
		t.Fatalf("error %v, want that of the sealed place", err)
	}
	fmt.Fprintln(&w.said, err)
	w.vault.meddle(nil)
	patches := w.cluster.patches()
	if err := w.rotator.Resume(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if n := w.cluster.patches() - patches; n != 1 {
		t.Errorf("%d changes in a place that had the secret, want the one that ends it", n)
	}
	next := w.everywhere(t)
	if works, err := w.api.M2M.Secrets.Probe(t.Context(), id, next); !works || err != nil || next.Equal(w.made.ClientSecret) {
		t.Errorf("the secret that all places have is new and works: %t, error %v", works, err)
	}
	if leaks(w.said.String(), w.made.ClientSecret, next) {
		t.Error("an event or error holds a secret")
	}
}

func TestRotationCanceled(t *testing.T) {
	w := newWorld(t)
	id := w.made.ClientID
	if err := w.rotator.Plan(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	for status := (rotate.Status{}); status.State != rotate.Delivered; {
		var err error
		if status, err = w.rotator.Step(t.Context(), id); err != nil || status.State.Final() {
			t.Fatalf("%s, error %v", status.State, err)
		}
	}
	for _, place := range w.readers {
		if held, err := place.Read(t.Context(), id); err != nil || !held.Previous.Equal(w.made.ClientSecret) || held.Secret.Equal(held.Previous) {
			t.Errorf("%v does not hold both secrets, error %v", place, err)
		}
	}
	if err := w.rotator.Cancel(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if !w.everywhere(t).Equal(w.made.ClientSecret) {
		t.Error("the places do not hold the secret that works")
	}
	if leaks(w.said.String(), w.made.ClientSecret) {
		t.Error("an event holds a secret")
	}
}

// everywhere is the only secret that all the places hold.
func (w *world) everywhere(t *testing.T) secret.String {
	t.Helper()
	program, err := stored(w.programs, w.made.ClientID)
	if err != nil || !program.Previous.IsZero() {
		t.Errorf("the program was given a previous secret, error %v", err)
	}
	for _, place := range w.readers {
		held, err := place.Read(t.Context(), w.made.ClientID)
		if err != nil || !held.Previous.IsZero() || !held.Secret.Equal(program.Secret) {
			t.Errorf("%v holds another or a previous secret, error %v", place, err)
		}
	}
	return program.Secret
}
