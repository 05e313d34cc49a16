//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const howToInstall = "install Node.js 18 or newer with npm (Debian: apt-get install nodejs npm)"

func findNode(t *testing.T) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("node is not on the PATH: %s", howToInstall)
	}
	version, err := exec.CommandContext(t.Context(), node, "-p", "process.versions.node").Output()
	if err != nil {
		t.Fatalf("node does not run: %v", err)
	}
	major, _, _ := strings.Cut(string(version), ".")
	if n, err := strconv.Atoi(major); err != nil || n < 18 {
		t.Fatalf("node is version %s: %s", bytes.TrimSpace(version), howToInstall)
	}
	return node
}

// installSDK installs the packages of package-lock.json into node_modules. It runs no script of
// a package.
func installSDK(t *testing.T) {
	t.Helper()
	// npm lists there what it installed.
	if maps.Equal(lockedPackages(t, "package-lock.json"), lockedPackages(t, "node_modules/.package-lock.json")) {
		return
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Fatalf("npm is not on the PATH: %s", howToInstall)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.WaitDelay = 5 * time.Second
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, output)
	}
}

type lockedPackage struct{ Version, Integrity string }

// lockedPackages reads a lock file of npm: the path in node_modules of each package. It is nil for
// a missing file.
func lockedPackages(t *testing.T, file string) map[string]lockedPackage {
	t.Helper()
	data, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var lock struct{ Packages map[string]lockedPackage }
	if err := json.Unmarshal(data, &lock); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	delete(lock.Packages, "") // this folder
	return lock.Packages
}

// The lock file names packages, not download addresses, and pins the SDK to one version.
func TestLockFile(t *testing.T) {
	packages := lockedPackages(t, "package-lock.json")
	if got := packages["node_modules/stytch"].Version; got != "14.2.0" {
		t.Errorf("the SDK is locked to version %q", got)
	}
	for path, p := range packages {
		if p.Version == "" || !strings.HasPrefix(p.Integrity, "sha512-") {
			t.Errorf("%s has no version or no SHA-512 checksum", path)
		}
	}
	for _, file := range []string{"package.json", "package-lock.json"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(data, []byte(`"stytch": "14.2.0"`)) {
			t.Errorf("%s does not pin the version of the SDK", file)
		}
		if bytes.Contains(data, []byte(`"resolved"`)) {
			t.Errorf("%s names a download address: npm 9 or newer leaves it out in this folder", file)
		}
	}
}

var (
	longText = regexp.MustCompile(`[A-Za-z0-9_-]{40,}(\.[A-Za-z0-9_-]+)*`)
	harmless = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*-(test|live)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// scrub takes out what may be a secret: that of the project, and whatever has the length of a
// client's or of a token and is no id.
func scrub(text, projectSecret string) string {
	const placeholder = "[REDACTED]"
	text = strings.ReplaceAll(text, projectSecret, placeholder)
	return longText.ReplaceAllStringFunc(text, func(s string) string {
		if harmless.MatchString(s) {
			return s
		}
		return placeholder
	})
}

func TestScrub(t *testing.T) {
	secret := strings.Repeat("aB3-_x", 8)
	id := "request-id-test-0b8a3c52-7d1e-4b60-9f7e-2a4c1d3e5f60"
	for in, want := range map[string]string{
		"a " + id + " b":                               "a " + id + " b",
		`"client_secret":"` + secret + `"`:             `"client_secret":"[REDACTED]"`,
		"Bearer " + secret + ".e30." + id:              "Bearer [REDACTED]",
		id + secret:                                    "[REDACTED]",
		"short=hunter2;":                               "short=[REDACTED];",
		"connectedApp.clients.secrets.rotateCancel: x": "connectedApp.clients.secrets.rotateCancel: x",
	} {
		if got := scrub(in, "hunter2"); got != want {
			t.Errorf("%q is not the result", want)
		}
	}
}
