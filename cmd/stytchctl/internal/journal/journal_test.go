package journal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

const project = "project-test-00000000-0000-4000-8000-000000000000"

// TestCheck refuses places before anything is opened, and quotes no password.
func TestCheck(t *testing.T) {
	keys := []secret.String{secret.Generate()}
	for where, want := range map[string]string{
		"":                                         "--journal: name the folder",
		"mysql://host/db":                          `"mysql" is no kind of journal`,
		"postgres://u:hunter2@host/db":             "it holds a password",
		"postgresql://host/db?password=hunter2":    "it holds a password",
		"postgres://host/db?sslpassword=hunter2":   "it holds a password",
		"postgres://host/db?x=%zz":                 "percent-encode",
		"postgres://u:hunter2@ho st/db":            "not a URL",
		"postgres://host/db":                       "",
		"postgresql://u@/db?host=/run&sslmode=any": "",
		"folder": "",
	} {
		err := Place{Where: where, Keys: keys}.Check()
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want) || cli.Classify(err) != cli.Usage):
			t.Errorf("%s: %v, want %q", where, err, want)
		case err != nil && (strings.Contains(err.Error(), "hunter2") || !strings.HasSuffix(err.Error(), "Nothing was done.")):
			t.Errorf("%s: %v", where, err)
		}
	}
	if err := (Place{Where: "postgres://host/db"}).Check(); err == nil || !strings.Contains(err.Error(), "needs a key") {
		t.Errorf("a database without a key: %v", err)
	}
}

// TestAbsent looks at a folder that does not exist, and does not make it.
func TestAbsent(t *testing.T) {
	where := filepath.Join(t.TempDir(), "journal")
	if _, err := (Place{Where: where, ProjectID: project}).Open(t.Context()); cli.Classify(err) != cli.Usage {
		t.Errorf("Open: %v", err)
	}
	j, err := Place{Where: where, ProjectID: project, Absent: true}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if _, err := j.Read(t.Context(), "a"); !errors.Is(err, rotate.ErrNoRotation) {
		t.Errorf("Read: %v", err)
	}
	if _, err := j.Claim(t.Context(), "a", time.Minute); !errors.Is(err, rotate.ErrJournal) {
		t.Errorf("Claim: %v", err)
	}
	for range j.Unfinished(t.Context()) {
		t.Error("Unfinished yields something")
	}
	for range j.Records(t.Context()) {
		t.Error("Records yields something")
	}
	if _, err := os.Stat(where); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
}

// TestUnreachable says that a database cannot be reached.
func TestUnreachable(t *testing.T) {
	place := Place{
		Where: "postgres://rotator@/db?host=" + t.TempDir(), ProjectID: project, Keys: []secret.String{secret.Generate()},
		Password: secret.New("hunter2-hunter2"),
	}
	for _, create := range []bool{false, true} {
		place.Create = create
		if _, err := place.Open(t.Context()); !errors.Is(err, rotate.ErrJournal) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("create %t: %v", create, err)
		}
	}
	if _, err := (Place{Where: t.TempDir(), ProjectID: project, Keys: []secret.String{secret.New("short")}}).Open(t.Context()); cli.Classify(err) != cli.Usage ||
		!strings.Contains(err.Error(), "--journal-key-file") {
		t.Errorf("a short key: %v", err)
	}
}
