//go:build linux

package deliver_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/secret"
)

// TestFileMounted: a bind-mounted file cannot be replaced. The error says what to do, and nothing
// is left behind.
func TestFileMounted(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "credentials.json")
	put(t, path, form(clientID, canary0(), ""), 0o600)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMounted$", "-test.v") //nolint:gosec // this test
	cmd.Env = append(os.Environ(), "DELIVER_TEST_MOUNT="+path)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if failed := new(exec.ExitError); err != nil && !errors.As(err, &failed) {
		t.Skipf("this system allows no mounts in tests: %v", err)
	}
	if strings.Contains(string(out), "SKIP") {
		t.Skipf("this system allows no mounts in tests: %s", out)
	}
	if err != nil || !strings.Contains(string(out), "PASS: TestMounted") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestMounted runs in the mount namespace that TestFileMounted makes.
func TestMounted(t *testing.T) {
	path := os.Getenv("DELIVER_TEST_MOUNT")
	if path == "" {
		t.Skip("only within TestFileMounted")
	}
	if err := syscall.Mount(path, path, "", syscall.MS_BIND, ""); err != nil {
		t.Skip(err)
	}
	defer func() { _ = syscall.Unmount(path, 0) }()
	file := deliver.File(path)
	held, err := file.Read(t.Context(), clientID)
	if err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, filepath.Dir(path))
	for what, do := range map[string]func(context.Context) error{
		"check": func(ctx context.Context) error { return file.Check(ctx, clientID) },
		"delivery": func(ctx context.Context) error {
			return file.Deliver(ctx, rotate.Delivery{ClientID: clientID, Secret: secret.Generate(), Previous: held.Secret})
		},
		"last delivery": func(ctx context.Context) error {
			return file.Deliver(ctx, rotate.Delivery{ClientID: clientID, Secret: secret.Generate()})
		},
	} {
		if err := do(t.Context()); !errors.Is(err, syscall.EBUSY) || !strings.Contains(err.Error(), "mount its folder") {
			t.Errorf("%s: error %v", what, err)
		}
		if !equal(before, snapshot(t, filepath.Dir(path))) {
			t.Errorf("%s left something behind", what)
		}
	}
}
