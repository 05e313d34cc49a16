//go:build unix

package profile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/secret"
)

func TestSecretFile(t *testing.T) {
	profiles := user(t)
	p := Profile{Name: "ci", ProjectID: "project-test-1", Store: File}
	if _, err := profiles.Add(t.Context(), p, secret.New(canary), false); err != nil {
		t.Fatal(err)
	}
	folder, err := profiles.Folder()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "secrets", "ci@project-test-1")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	config, err := os.ReadFile(filepath.Join(folder, "config.yaml"))
	if err != nil || strings.Contains(string(config), canary) {
		t.Errorf("config.yaml is %s, %v", config, err)
	}

	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	_, _, err = profiles.Find(t.Context(), "ci", true)
	if cli.Classify(err) != cli.Auth || !strings.Contains(err.Error(), "run chmod 600 "+path) {
		t.Errorf("a file that others read: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, _, err = profiles.Find(t.Context(), "ci", true)
	if cli.Classify(err) != cli.Auth || !strings.Contains(err.Error(), "there is no secret in "+path) {
		t.Errorf("a lost file: %v", err)
	}
}

// A profile that cannot be replaced keeps its project and the secret that belongs to it.
func TestReplaceFails(t *testing.T) {
	profiles := user(t)
	if _, err := profiles.Add(t.Context(), Profile{Name: "ci", ProjectID: "project-test-1", Store: File}, secret.New(canary), false); err != nil {
		t.Fatal(err)
	}
	writes := 0
	atomicfile.Point = func(name string) error {
		if name == "written" {
			writes++
		}
		if writes == 2 { // the secret is written first, then config.yaml
			return errors.New("the disk is full")
		}
		return nil
	}
	defer func() { atomicfile.Point = nil }()
	other := Profile{Name: "ci", ProjectID: "project-test-2", Store: File}
	if _, err := profiles.Add(t.Context(), other, secret.New("secret-test-of-the-other"), true); err == nil || writes != 2 {
		t.Fatalf("%v after %d writes, want an error at the second", err, writes)
	}
	atomicfile.Point = nil
	found, _, err := profiles.Find(t.Context(), "ci", true)
	if err != nil || found.ProjectID != "project-test-1" || found.Secret.Reveal() != canary {
		t.Errorf("project %s, %v: want the first project with its own secret", found.ProjectID, err)
	}
	if _, err := profiles.Add(t.Context(), other, secret.New("secret-test-of-the-other"), true); err != nil {
		t.Fatal(err)
	}
	folder, _ := profiles.Folder()
	if left, err := os.ReadDir(filepath.Join(folder, "secrets")); err != nil || len(left) != 1 || left[0].Name() != "ci@project-test-2" {
		t.Errorf("%v, %v: want the secret of the second project alone", left, err)
	}
}

// Commands that run at the same time do not lose the profiles of one another.
func TestConcurrentAdd(t *testing.T) {
	profiles := user(t)
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	var wait sync.WaitGroup
	for _, name := range names {
		wait.Go(func() {
			_, err := profiles.Add(t.Context(), Profile{Name: name, ProjectID: "project-test-1", Store: File}, secret.New(canary), false)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	wait.Wait()
	all, inUse, err := profiles.List()
	if err != nil || len(all) != len(names) || inUse == "" {
		t.Errorf("%d profiles, %q in use, %v", len(all), inUse, err)
	}
}
