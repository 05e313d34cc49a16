//go:build languages

// Package languages_test reads the contract with the tools of other languages: a linter, a
// generator of TypeScript types and its compiler, a runner of workflows and a validating proxy, all
// written by others. M2M_HEAVY_TESTS=long adds a second linter. It needs Node.js 20.19 or newer
// with npm; the packages of package-lock.json are installed into node_modules when they are not
// there.
package languages_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	contract     = "../../api/openapi.yaml"
	rotation     = "../../api/rotation.arazzo.yaml"
	howToInstall = "install Node.js 20.19 or newer with npm (Debian: apt-get install nodejs npm)"
)

// The programs of the packages.
const (
	redocly  = "node_modules/@redocly/cli/bin/cli.js"
	spectral = "spectral/node_modules/@stoplight/spectral-cli/dist/index.js"
	prism    = "node_modules/@stoplight/prism-cli/dist/index.js"
	generate = "node_modules/openapi-typescript/bin/cli.js"
	compiler = "node_modules/typescript/bin/tsc"
)

// TestMain installs the packages once, and opens what the scripts read, so that the go command
// does not repeat a cached result after it has changed.
func TestMain(m *testing.M) {
	err := install(".")
	for _, pattern := range []string{"*.ts", "*.yaml", "*.json", "spectral/*.*", contract, rotation} {
		files, _ := filepath.Glob(pattern) // the patterns are well formed
		for _, file := range files {
			_, failed := os.ReadFile(file) //nolint:gosec // a file of the repository
			err = errors.Join(err, failed)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// install installs the packages of a folder, if they are not there. It runs no script of a package.
func install(folder string) error {
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("%s is not on the PATH: %s", name, howToInstall)
		}
	}
	want, err := lockedPackages(filepath.Join(folder, "package-lock.json"))
	if err != nil {
		return err
	}
	have, err := lockedPackages(filepath.Join(folder, "node_modules/.package-lock.json")) // npm lists there what it installed
	maps.DeleteFunc(want, func(path string, p lockedPackage) bool { return p.Optional && have[path] == lockedPackage{} })
	if err == nil && maps.Equal(have, want) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir, npm.WaitDelay = folder, 5*time.Second
	if output, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, output)
	}
	return nil
}

// An optional package may be for another operating system.
type lockedPackage struct {
	Version, Integrity string
	Optional           bool
}

// lockedPackages reads a lock file of npm: the path in node_modules of each package.
func lockedPackages(file string) (map[string]lockedPackage, error) {
	data, err := os.ReadFile(file) //nolint:gosec // a file of this folder
	if err != nil {
		return nil, err
	}
	var lock struct{ Packages map[string]lockedPackage }
	if err := json.Unmarshal(data, &lock); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	delete(lock.Packages, "") // this folder
	return lock.Packages, nil
}

// The lock files pin every package by its checksum, and name no download address.
func TestLockFiles(t *testing.T) {
	for _, folder := range []string{".", "spectral"} {
		lock := filepath.Join(folder, "package-lock.json")
		packages, err := lockedPackages(lock)
		if err != nil {
			t.Fatal(err)
		}
		for path, p := range packages {
			if p.Version == "" || !strings.HasPrefix(p.Integrity, "sha512-") {
				t.Errorf("%s: %s has no version or no SHA-512 checksum", lock, path)
			}
		}
		var wanted struct{ Dependencies map[string]string }
		if err := json.Unmarshal([]byte(text(t, filepath.Join(folder, "package.json"))), &wanted); err != nil {
			t.Fatal(err)
		}
		for name, version := range wanted.Dependencies {
			if got := packages["node_modules/"+name].Version; got != version {
				t.Errorf("%s: %s is wanted in version %s and locked to %q: pin one version", lock, name, version, got)
			}
		}
		if strings.Contains(text(t, lock), `"resolved"`) {
			t.Errorf("%s names a download address: npm 9 or newer leaves it out in this folder", lock)
		}
	}
}

// A run is what a program wrote, and how it ended.
type run struct {
	stdout, stderr string
	err            error
}

// node runs a program of the packages. It sends nothing to its makers.
func node(t *testing.T, env []string, arguments ...string) run {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // seconds on a machine that does nothing else
	defer cancel()
	cmd := command(ctx, env, arguments...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	return run{stdout.String(), stderr.String(), err}
}

func command(ctx context.Context, env []string, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "node", arguments...)
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true", "SCARF_ANALYTICS=false", "NO_COLOR=1")
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// text reads a file of this folder.
func text(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file) //nolint:gosec // a file of the repository
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
