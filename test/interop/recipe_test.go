//go:build interop

package interop_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

// The recipe of docs/emulator.md for Node runs with the official SDK.
func TestRecipe(t *testing.T) {
	node := findNode(t)
	installSDK(t)
	text, err := os.ReadFile("../../examples/recipes/m2m.mjs")
	if err != nil {
		t.Fatal(err)
	}
	file, err := filepath.Abs("recipe.tmp.mjs") // beside node_modules, where it finds the SDK
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(file) })
	stytch := emulatortest.NewServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, file)
	cmd.Env = append(os.Environ(),
		"STYTCH_BASE_URL="+stytch.URL, "STYTCH_PROJECT_ID="+stytch.ProjectID, "STYTCH_PROJECT_SECRET="+stytch.Secret)
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, scrub(string(output), stytch.Secret))
	}
	if want := "true [ 'read:users' ]\n"; !strings.HasSuffix(string(output), want) {
		t.Errorf("it prints %q, want %q at the end", output, want)
	}
}
