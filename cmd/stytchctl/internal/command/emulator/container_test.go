//go:build linux

package emulator_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
)

// A container is what a Containerfile describes.
type container struct {
	files           map[string]string // by the path in the image, the path in the repository
	user            uint32
	entrypoint, cmd []string
	health          []string
}

// readContainerfile reads the few instructions that the file uses, and no others.
func readContainerfile(t *testing.T, name string) (c container) {
	t.Helper()
	c.files = map[string]string{}
	list := func(text string) (words []string) {
		if err := json.Unmarshal([]byte(text), &words); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return words
	}
	for line := range strings.Lines(readFile(t, name)) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch instruction {
		case "#", "EXPOSE":
		case "FROM":
			if rest != "scratch" {
				t.Fatalf("FROM %s", rest)
			}
		case "COPY":
			from, to, _ := strings.Cut(rest, " ")
			c.files[to] = from
		case "USER":
			uid, _, _ := strings.Cut(rest, ":")
			n, err := strconv.ParseUint(uid, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			c.user = uint32(n)
		case "HEALTHCHECK":
			c.health = list(strings.TrimPrefix(rest, "CMD "))
		case "ENTRYPOINT":
			c.entrypoint = list(rest)
		case "CMD":
			c.cmd = list(rest)
		default:
			t.Fatalf("unknown instruction %q", line)
		}
	}
	return c
}

// TestContainer builds the image as a root folder, and runs it there as its user.
func TestContainer(t *testing.T) {
	heavy.Only(t) // compiles the program
	if os.Geteuid() != 0 {
		t.Skip("only root can change the root folder")
	}
	c := readContainerfile(t, recipes+"/Containerfile")
	image := t.TempDir()
	if err := os.Chmod(image, 0o755); err != nil {
		t.Fatal(err)
	}
	for to, from := range c.files {
		if from != "cmd/stytchctl/stytchctl" {
			t.Fatalf("the image has %s, which this test does not make", from)
		}
		build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s", "-o", filepath.Join(image, to), ".")
		build.Dir, build.Env = root+"/cmd/stytchctl", append(os.Environ(), "CGO_ENABLED=0")
		if output, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
	}
	within := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Env, cmd.Dir = []string{}, "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: image, Credential: &syscall.Credential{Uid: c.user, Gid: c.user}}
		return cmd
	}
	listener, err := net.Listen("tcp", "127.0.0.1:4010")
	if err != nil {
		t.Skip("port 4010 is in use, and the image listens there: stop what uses it")
	}
	listener.Close()
	server := within(append(c.entrypoint, c.cmd...)...)
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || !strings.Contains(line, "http://127.0.0.1:4010") {
		t.Fatalf("%q, %v", line, err)
	}
	if output, err := within(c.health...).CombinedOutput(); err != nil {
		t.Errorf("the health check: %v: %s", err, output)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", "http://127.0.0.1:4010/v1/sessions/jwks/project-test-11111111-1111-4111-8111-111111111111", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "emulator:4010" // the name of the container
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != 200 {
		t.Errorf("the key set: status %d", response.StatusCode)
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
