//go:build unix

package fleet_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stytchkit/m2m/internal/seal"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
	"github.com/stytchkit/m2m/stytch/secret"
)

const projectID = "project-test-1"

// A key can be retired as documented: when no rotation that it encrypted is in progress. That
// earlier versions encrypted what was over makes no difference.
func TestRetiredKey(t *testing.T) {
	for _, earlier := range []bool{false, true} {
		dir, ids, p := filepath.Join(t.TempDir(), "journal"), names(12), newServer()
		retired, key := secret.Generate(), secret.Generate()
		before := newFleet(t, p.rotator(t, fileJournal(t, dir, retired)))
		if report, err := before.Run(t.Context(), each(ids)); err != nil || report.Done != len(ids) {
			t.Fatalf("Run with the key: %+v, %v", report, err)
		}
		if earlier {
			encryptFinal(t, dir, retired)
		}
		r := p.rotator(t, fileJournal(t, dir, key))
		f := newFleet(t, r)
		if status, err := r.Status(t.Context(), ids[0]); err != nil || status.State != rotate.Completed {
			t.Errorf("Status: %s, %v", status.State, err)
		}
		if _, err := r.Forecast(t.Context(), ids[0]); err != nil {
			t.Errorf("Forecast of a client: %v", err)
		}
		if forecast, err := f.Forecast(t.Context(), each(ids)); err != nil || forecast.Clients != len(ids) {
			t.Errorf("Forecast of a fleet: %+v, %v", forecast, err)
		}
		report, err := f.Resume(t.Context())
		if err != nil {
			t.Errorf("Resume: %v", err)
		}
		counts(t, report, fleet.Report{})
		if err := r.Run(t.Context(), ids[0]); err != nil {
			t.Errorf("Run of a client: %v", err)
		}
		if report, err = f.Run(t.Context(), each(ids[1:])); err != nil {
			t.Errorf("Run of a fleet: %v", err)
		}
		counts(t, report, fleet.Report{Done: len(ids) - 1})
	}
}

// A rotation in progress needs its key.
func TestKeyRetiredTooEarly(t *testing.T) {
	dir, p := filepath.Join(t.TempDir(), "journal"), newServer()
	p.hook = func(what, _ string) error {
		if what == "deliver" {
			return errSick
		}
		return nil
	}
	if err := p.rotator(t, fileJournal(t, dir, secret.Generate())).Run(t.Context(), "a"); !errors.Is(err, errSick) {
		t.Fatal(err)
	}
	p.hook = nil
	r := p.rotator(t, fileJournal(t, dir, secret.Generate()))
	if err := r.Run(t.Context(), "a"); !errors.Is(err, rotate.ErrWrongKey) {
		t.Errorf("Run: %v, want %v", err, rotate.ErrWrongKey)
	}
	report, err := newFleet(t, r).Resume(t.Context())
	if err != nil || report.Failed != 1 || !errors.Is(report.Failures[0], rotate.ErrWrongKey) {
		t.Errorf("Resume: %+v, %v", report, err)
	}
}

func fileJournal(t *testing.T, dir string, keys ...secret.String) *filejournal.Journal {
	t.Helper()
	j, err := filejournal.New(dir, projectID, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// encryptFinal rewrites all records as earlier versions wrote them: encrypted although they have no
// secrets.
func encryptFinal(t *testing.T, dir string, source secret.String) {
	t.Helper()
	key, err := seal.NewKey(source, "stytch m2m rotation journal v1", projectID)
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d records, %v", len(paths), err)
	}
	for _, path := range paths {
		var stored struct{ Record json.RawMessage }
		data, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(data, &stored)
		}
		if err != nil {
			t.Fatal(err)
		}
		sealed := base64.RawURLEncoding.EncodeToString(key.Seal([]byte("{}"), stored.Record))
		sum := sha256.Sum256([]byte(string(stored.Record) + sealed))
		text := `{"version":2,"record":` + string(stored.Record) + `,"sealed":"` + sealed + `","checksum":"` + hex.EncodeToString(sum[:]) + "\"}\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
