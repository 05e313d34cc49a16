package stytch_test

import (
	"bytes"
	"errors"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	engine "github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
)

// drifting sends the name of a client as a number.
type drifting struct{ http.ResponseWriter }

func (d drifting) Write(p []byte) (int, error) {
	if _, err := d.ResponseWriter.Write(bytes.Replace(p, []byte(`"client_name":"n"`), []byte(`"client_name":123`), 1)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// A rotation stores a next secret and comes to its end, although a field that it does not need has
// another type in every response.
func TestRotationThroughDrift(t *testing.T) {
	local, err := emulator.New(emulator.WithProject(canaryProject, canarySecret))
	if err != nil {
		t.Fatal(err)
	}
	api := clientInMemory(t, func(w http.ResponseWriter, r *http.Request) { local.ServeHTTP(drifting{w}, r) })
	created, err := api.M2M.Create(t.Context(), stytch.M2MCreate{ClientName: "n", Scopes: []string{"a"}})
	if created == nil || !errors.Is(err, stytch.ErrInvalidResponse) {
		t.Fatalf("the test has no effect: %v", err)
	}
	dir := t.TempDir()
	file := deliver.File(filepath.Join(dir, "client.json"))
	if err := file.Deliver(t.Context(), engine.Delivery{ClientID: created.ClientID, Secret: created.ClientSecret}); err != nil {
		t.Fatal(err)
	}
	journal, err := filejournal.New(filepath.Join(dir, "journal"), canaryProject)
	if err != nil {
		t.Fatal(err)
	}
	rotator, err := engine.New(api.M2M.Secrets, file, journal)
	if err != nil {
		t.Fatal(err)
	}
	if err := rotator.Run(t.Context(), created.ClientID); err != nil {
		t.Fatal(err)
	}
	held, err := file.Read(t.Context(), created.ClientID)
	if err != nil || held.Secret.Equal(created.ClientSecret) || tokenStatus(local, created.ClientID, held.Secret) != 200 {
		t.Errorf("the delivered secret does not work: %v", err)
	}
}
