//go:build console

// Package console_test runs the console of the local Stytch in Chromium: what people do with mouse
// and keyboard, axe on every page, hostile names, and screenshots. It needs Node.js 18 or newer
// with npm, and Chromium; the packages of package-lock.json are installed into node_modules when
// they are not there.
package console_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const howToInstall = "install Node.js 18 or newer with npm, and Chromium (Debian: apt-get install nodejs npm chromium)"

const adminToken = "admin-token-for-tests-only"

// Servers for the scripts, as they read them.
type servers struct {
	Open      served `json:"open"`
	Guarded   served `json:"guarded"`
	Reference string `json:"reference"` // the address of the static API reference, a file
}

type served struct {
	URL     string `json:"url"`
	Project string `json:"project"`
	Secret  string `json:"secret"`
	Token   string `json:"token,omitempty"`
}

func TestConsole(t *testing.T) {
	node, chromium := find(t, "node"), find(t, "chromium", "chromium-browser", "google-chrome")
	installPackages(t)
	cacheByScripts(t)
	binary := build(t)
	folder := t.TempDir()
	token := filepath.Join(folder, "token")
	if err := os.WriteFile(token, []byte(adminToken), 0o600); err != nil {
		t.Fatal(err)
	}
	all := servers{Open: serve(t, binary), Guarded: serve(t, binary, "--admin-token-file", token)}
	all.Guarded.Token = adminToken
	all.Reference = "file://" + filepath.Join(writeReference(t), "index.html")
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	screenshots := os.Getenv("CONSOLE_SCREENSHOTS")
	if screenshots == "" {
		screenshots = "screenshots"
	}
	if screenshots, err = filepath.Abs(screenshots); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute) // two minutes on a machine that does nothing else
	defer cancel()
	run := exec.CommandContext(ctx, node, "--test-reporter=spec", "run.mjs")
	run.Env = append(os.Environ(), "CONSOLE_SERVERS="+string(text), "CONSOLE_CHROMIUM="+chromium, "CONSOLE_SCREENSHOTS="+screenshots)
	out, err := run.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("run.mjs: %v", err)
	}
	t.Logf("screenshots: %s", screenshots)
}

func find(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not on the PATH: %s", names[0], howToInstall)
	return ""
}

// build makes stytchctl, as a release does.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "stytchctl")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	command.Dir = filepath.Join("..", "..", "cmd", "stytchctl")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build stytchctl: %v: %s", err, out)
	}
	return binary
}

// writeReference writes the static API reference, as make reference does.
func writeReference(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	command := exec.CommandContext(t.Context(), "go", "run", "./internal/console/writereference", folder)
	command.Dir = filepath.Join("..", "..", "cmd", "stytchctl")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("write the reference: %v: %s", err, out)
	}
	return folder
}

// serve starts a server that ends with the test.
func serve(t *testing.T, binary string, flags ...string) served {
	t.Helper()
	folder := t.TempDir()
	ready := filepath.Join(folder, "ready.json")
	ctx, cancel := context.WithCancel(context.Background())
	arguments := append([]string{"emulator", "serve", "--memory", "-o", "json", "--listen", "127.0.0.1:0", "--ready-file", ready}, flags...)
	command := exec.CommandContext(ctx, binary, arguments...)
	command.Dir = folder
	command.Env = []string{"HOME=" + folder}
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = command.Wait()
		if t.Failed() {
			t.Logf("stytchctl: %s", stderr.Bytes())
		}
	})
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil { // it is printed when the server is ready
		t.Fatalf("the server does not start: %v", err)
	}
	var address struct {
		URL       string `json:"url"`
		ProjectID string `json:"project_id"`
		Secret    string `json:"project_secret"`
	}
	data, err := os.ReadFile(ready)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &address); err != nil {
		t.Fatal(err)
	}
	return served{URL: address.URL, Project: address.ProjectID, Secret: address.Secret}
}

// installPackages installs what package-lock.json lists. It runs no script of a package.
func installPackages(t *testing.T) {
	t.Helper()
	// npm lists there what it installed.
	if maps.Equal(lockedPackages(t, "package-lock.json"), lockedPackages(t, "node_modules/.package-lock.json")) {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, find(t, "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v: %s", err, out)
	}
}

type lockedPackage struct{ Version, Integrity string }

// lockedPackages are the packages of a lock file, none if there is no such file.
func lockedPackages(t *testing.T, name string) map[string]lockedPackage {
	t.Helper()
	var file struct{ Packages map[string]lockedPackage }
	data, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	delete(file.Packages, "") // this folder itself
	return file.Packages
}

// The lock file names packages, not download addresses.
func TestLockFile(t *testing.T) {
	packages := lockedPackages(t, "package-lock.json")
	if len(packages) == 0 {
		t.Fatal("package-lock.json lists nothing")
	}
	for path, p := range packages {
		if p.Version == "" || !strings.HasPrefix(p.Integrity, "sha512-") {
			t.Errorf("%s has no version or no SHA-512 checksum", path)
		}
	}
	data, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte(`"resolved"`)) {
		t.Error("package-lock.json names a download address: npm 9 or newer leaves it out in this folder")
	}
}

// cacheByScripts opens the scripts, so that the go command does not repeat a cached result after
// they have changed.
func cacheByScripts(t *testing.T) {
	t.Helper()
	scripts, err := filepath.Glob("*.mjs")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		if _, err := os.ReadFile(script); err != nil {
			t.Fatal(err)
		}
	}
}
