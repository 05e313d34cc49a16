package destination

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/secret"
)

const canary = "Correct-Horse-Battery-Staple"

func once(t *testing.T, spec string, env map[string]string) *Place {
	t.Helper()
	place, err := Once(spec, environment(env))
	if err != nil {
		t.Fatal(err)
	}
	return place
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %v", path, info.Mode())
	}
	return string(text)
}

// TestPut: each kind of place on this machine takes a secret, once.
func TestPut(t *testing.T) {
	const stored = `{"client_id":"worker","client_secret":"` + canary + `"}`
	for kind, path := range map[string]string{
		"file:DIR/a.json":             "a.json",
		"file:DIR/{client_id}.secret": "worker.secret",
		"folder:DIR/all":              "all/worker.json",
	} {
		t.Run(path, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "all"), 0o700); err != nil {
				t.Fatal(err)
			}
			place := once(t, strings.ReplaceAll(kind, "DIR", dir), nil)
			for _, id := range []string{"", "worker"} {
				if err := place.Check(t.Context(), id); err != nil {
					t.Fatalf("Check(%q): %v", id, err)
				}
			}
			if err := place.Put(t.Context(), "worker", secret.New(canary), "client worker was created"); err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(read(t, filepath.Join(dir, path))); got != stored {
				t.Errorf("the file has %s", got)
			}
			held, err := place.Held(t.Context(), "worker")
			if err != nil || held.Reveal() != canary {
				t.Errorf("Held: %v, %v", held, err)
			}
			err = place.Check(t.Context(), "worker")
			if cli.Classify(err) != cli.Conflict || !strings.Contains(err.Error(), "is not overwritten") {
				t.Errorf("a second secret: %v", err)
			}
			if err := place.Check(t.Context(), ""); (err == nil) != place.Many() {
				t.Errorf("a second client: %v", err)
			}
		})
	}
}

// TestPutExec: the program reads the secret, and does not inherit that of the project.
func TestPutExec(t *testing.T) {
	t.Setenv("STYTCH_PROJECT_SECRET", "secret-test-of-the-project")
	t.Setenv("STYTCH_SECRET", "secret-test-of-the-project")
	dir := t.TempDir()
	script := filepath.Join(dir, "store")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nenv >"+dir+"/env\ncat >\"$1\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "a b")
	place := once(t, "exec:"+script+" '"+out+"'", nil)
	if err := place.Check(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel() // an interrupt does not lose the secret
	if err := place.Put(ended, "worker", secret.New(canary), "client worker was created"); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(out); !strings.Contains(string(text), `"client_secret":"`+canary+`"`) {
		t.Errorf("the program read %s", text)
	}
	if env, _ := os.ReadFile(filepath.Join(dir, "env")); strings.Contains(string(env), "of-the-project") || len(env) == 0 {
		t.Errorf("the environment of the program is %s", env)
	}
	if place := once(t, "exec:/absent/program", nil); cli.Classify(place.Check(t.Context(), "")) != cli.Usage {
		t.Error("a program that does not exist is accepted")
	}
}

// TestPutFails: a secret that its place does not take is saved, and the error says where; it never
// has the secret.
func TestPutFails(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"state folder":   {"XDG_STATE_HOME": "STATE"},
		"home":           {"HOME": "STATE"},
		"working folder": {"XDG_STATE_HOME": "/dev/null"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			for name, value := range env {
				env[name] = strings.ReplaceAll(value, "STATE", filepath.Join(dir, "state"))
			}
			place := once(t, "exec:false", env)
			err := place.Put(t.Context(), "worker", secret.New(canary), "client worker was created")
			if cli.Classify(err) != cli.Partial || strings.Contains(err.Error(), canary) {
				t.Fatalf("the error is %v", err)
			}
			_, rest, found := strings.Cut(err.Error(), "It was saved in ")
			path, _, _ := strings.Cut(rest, " (mode 0600)")
			if !found || !strings.HasPrefix(err.Error(), "client worker was created, but its secret could not be stored (exec:false): ") {
				t.Fatalf("the error is %v", err)
			}
			if got := read(t, path); got != `{"client_id":"worker","client_secret":"`+canary+`"}`+"\n" {
				t.Errorf("the file has %s", got)
			}
		})
	}
}

// TestPutLost: where nothing can be written, the error says that the secret is lost.
func TestPutLost(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Chdir("/proc") // even root writes nothing there
	} else {
		t.Chdir("/")
	}
	place := once(t, "exec:false", map[string]string{"XDG_STATE_HOME": "/dev/null"})
	err := place.Put(t.Context(), "worker", secret.New(canary), "client worker was created")
	if cli.Classify(err) != cli.Partial || !strings.Contains(err.Error(), "it is lost. Start a rotation") || strings.Contains(err.Error(), canary) {
		t.Errorf("the error is %v", err)
	}
}

func TestCheckRefuses(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other.json")
	if err := os.WriteFile(other, []byte(`{"client_id":"other","client_secret":"`+canary+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for spec, want := range map[string]struct {
		text  string
		class cli.Class
	}{
		"file:" + other:                  {"exists already and is not overwritten", cli.Conflict},
		"file:" + dir + "/absent/a":      {"cannot be written", cli.Usage},
		"folder:" + dir + "/absent/a":    {"cannot be written", cli.Usage},
		"folder:" + other:                {"cannot be written", cli.Usage},
		"file:" + other + "/{client_id}": {"cannot be written", cli.Usage},
	} {
		err := once(t, spec, nil).Check(t.Context(), "")
		if err == nil || !strings.Contains(err.Error(), want.text) || cli.Classify(err) != want.class {
			t.Errorf("%s: %v", spec, err)
		}
	}
	if err := once(t, "file:"+dir+"/{client_id}", nil).Check(t.Context(), "../x"); cli.Classify(err) != cli.Usage {
		t.Errorf("an id that leads elsewhere: %v", err)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 {
		t.Errorf("a check left %v behind", slices.Collect(func(yield func(string) bool) {
			for _, name := range names {
				yield(name.Name())
			}
		}))
	}
}

func TestFlags(t *testing.T) {
	app := &cli.App{Getenv: environment(nil)}
	_, err := (&Flags{}).Place(app, "Nothing was created.")
	const want = "the secret is shown once: say where it goes (--secret-to) or ask to see it (--reveal). Nothing was created."
	if err == nil || err.Error() != want || cli.Classify(err) != cli.Usage {
		t.Errorf("the error is %v", err)
	}
	if place, err := (&Flags{Reveal: true}).Place(app, ""); place != nil || err != nil {
		t.Errorf("--reveal: %v, %v", place, err)
	}
	if _, err := (&Flags{To: "x"}).Place(app, "Nothing was created."); err == nil || !strings.HasPrefix(err.Error(), `--secret-to: "x" is no destination`) ||
		!strings.HasSuffix(err.Error(), ". Nothing was created.") {
		t.Errorf("the error is %v", err)
	}
}
