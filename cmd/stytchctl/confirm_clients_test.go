//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
)

// TestConfirm answers the questions of commands on a terminal.
func TestConfirm(t *testing.T) {
	const live = "project-live-11111111-1111-4111-8111-111111111111"
	const test = "project-test-11111111-1111-4111-8111-111111111111"
	manifest := filepath.Join(t.TempDir(), "clients.yaml")
	if err := os.WriteFile(manifest, []byte("m2m_clients: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	remove := []string{"clients", "delete", "worker"}
	prune := []string{"clients", "apply", "-f", manifest, "--prune"}
	for name, tt := range map[string]struct {
		project  string
		args     []string
		answer   string
		question string
		code     int
	}{
		"yes":                  {test, remove, "y", "Delete client worker for good? [y/N]", 0},
		"no":                   {test, remove, "n", "Delete client worker for good? [y/N]", 130},
		"enter":                {test, remove, "", "not confirmed. Nothing was changed.", 130},
		"live":                 {live, remove, "worker", "Delete client worker of the live project for good? Type worker to confirm:", 0},
		"live, yes":            {live, remove, "y", "not confirmed. Nothing was changed.", 130},
		"prune":                {test, prune, "yes", "- delete m2m_client worker (w)", 0},
		"prune, no":            {test, prune, "no", "Change project " + test + ": 1 to delete? [y/N]", 130},
		"prune, live":          {live, prune, live, "Type " + live + " to confirm:", 0},
		"prune, live, yes":     {live, prune, "y", "not confirmed. Nothing was changed.", 130},
		"no input":             {test, append(remove, "--no-input"), "y", "No person can be asked here: give --yes.", 2},
		"output for a program": {test, append(remove, "-o", "json"), "y", "No person can be asked here: give --yes.", 2},
	} {
		t.Run(name, func(t *testing.T) {
			local, err := emulator.Start(emulator.WithProject(tt.project, "secret-of-Correct-Horse-Battery"),
				emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "worker", Name: "w", Scopes: []string{"a"}}))
			if err != nil {
				t.Fatal(err)
			}
			defer local.Close()
			shown, code := onTerminal(t, local, tt.answer, tt.args...)
			if code != tt.code || !strings.Contains(shown, tt.question) {
				t.Errorf("exit code %d, want %d\n%s\nwant %s", code, tt.code, shown, tt.question)
			}
			api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
			if err != nil {
				t.Fatal(err)
			}
			_, err = api.M2M.Get(context.Background(), "worker")
			if deleted := errors.Is(err, stytch.ErrNotFound); deleted != (tt.code == 0) {
				t.Errorf("the client was deleted: %v (%v)", deleted, err)
			}
		})
	}
}

// onTerminal runs stytchctl with a terminal as stdin and stderr, types a line, and returns what the
// terminal showed.
func onTerminal(t *testing.T, local *emulator.Server, answer string, args ...string) (shown string, code int) {
	t.Helper()
	person, terminal, err := pty.Open()
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	defer person.Close()
	cmd := exec.Command("stytchctl", args...)
	cmd.Env = append(os.Environ(), "STYTCH_PROJECT_ID="+local.ProjectID, "STYTCH_PROJECT_SECRET="+local.Secret, "STYTCH_BASE_URL="+local.URL)
	cmd.Stdin, cmd.Stderr = terminal, terminal
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	terminal.Close()
	if _, err := io.WriteString(person, answer+"\n"); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	_, _ = io.Copy(&out, person) // it ends with an error when the command ends
	_ = cmd.Wait()
	return out.String(), cmd.ProcessState.ExitCode()
}
