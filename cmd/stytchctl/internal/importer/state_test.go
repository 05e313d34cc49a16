package importer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
	"github.com/stytchkit/m2m/stytch"
)

const projectID = "project-test-11111111-1111-4111-8111-111111111111"

func target(t *testing.T) inventory.Project {
	t.Helper()
	api, err := stytch.New(projectID, "secret-test-Correct-Horse-Battery")
	if err != nil {
		t.Fatal(err)
	}
	return inventory.In(api)
}

const firstLine = `{"format":"stytchctl-import","version":1,"project_id":"` + projectID + `","kind":"m2m_client"}` + "\n"

// TestStateSurvives: what was set is there after a crash in the middle of the next line.
func TestStateSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	s, err := Open(path, target(t), inventory.Clients)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []record{{"a", storing, "a", "abcd"}, {"b", storing, "b", "efgh"}, {"a", stored, "a", "abcd"}} {
		if err := s.set(r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(path, target(t), inventory.Clients); cli.Classify(err) != cli.Conflict || !strings.Contains(err.Error(), "another import uses") {
		t.Errorf("a second import: %v", err)
	}
	s.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mode is %v, %v", info.Mode(), err)
	}
	for cut := range len(whole) {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(path, target(t), inventory.Clients)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		lines := strings.Count(string(whole[:cut]), "\n")
		if got := s.records["b"].Stage == storing; got != (lines >= 3) || s.records["a"].Stage == stored {
			t.Errorf("cut at %d: %v", cut, s.records)
		}
		if err := s.set(record{Key: "c", Stage: done}); err != nil {
			t.Fatal(err)
		}
		s.Close()
		again, err := Open(path, target(t), inventory.Clients)
		if err != nil || again.records["c"].Stage != done {
			t.Fatalf("cut at %d: what was set later: %v", cut, err)
		}
		again.Close()
	}
}

func TestStateRefuses(t *testing.T) {
	for text, want := range map[string]struct {
		text  string
		class cli.Class
	}{
		"{\"a\":1}\n": {"is no state of an import", cli.Usage},
		"x\n":         {"is no state of an import", cli.Usage},
		strings.Replace(firstLine, `"version":1`, `"version":2`, 1):   {"written by a newer stytchctl (version 2 of the file)", cli.Usage},
		strings.Replace(firstLine, "project-test", "project-live", 1): {"belongs to an import into project project-live", cli.Conflict},
		strings.Replace(firstLine, "m2m_client", "connected_app", 1):  {"belongs to an import of another kind (connected_app)", cli.Conflict},
		firstLine + "x\n": {"state:2: this line was changed or damaged", cli.Internal},
		firstLine + `{"key":"a","stage":"done"}` + "\n" + `{"key":""}` + "\n": {"state:3: this line was changed or damaged", cli.Internal},
	} {
		path := filepath.Join(t.TempDir(), "state")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for name, open := range map[string]func(string, inventory.Project, *inventory.Kind) (*State, error){"Open": Open, "Look": Look} {
			_, err := open(path, target(t), inventory.Clients)
			if err == nil || !strings.Contains(err.Error(), want.text) || cli.Classify(err) != want.class || !strings.HasSuffix(err.Error(), nothingCreated) {
				t.Errorf("%s of %q: %v", name, text, err)
			}
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != text {
			t.Errorf("%q was changed to %q", text, after)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "absent", "state"), target(t), inventory.Clients); cli.Classify(err) != cli.Usage {
		t.Errorf("a folder that does not exist: %v", err)
	}
}
