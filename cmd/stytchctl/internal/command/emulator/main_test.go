package emulator_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/command"
	"github.com/stytchkit/m2m/internal/redact"
)

// runVariable makes the test binary run as stytchctl.
const runVariable = "STYTCHCTL_TEST_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(runVariable) != "" {
		os.Exit(command.Main(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// stytchctl is a command that runs this program in a folder.
func stytchctl(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), runVariable+"=1", "HOME="+dir, "XDG_CONFIG_HOME="+dir)
	return cmd
}

// A process is a server that runs.
type process struct {
	cmd       *exec.Cmd
	stderr    *strings.Builder
	URL       string `json:"url"`
	AdminURL  string `json:"admin_url"`
	ProjectID string `json:"project_id"`
}

// serve starts a server and returns once it is ready.
func serve(t testing.TB, dir string, args ...string) *process {
	t.Helper()
	p := &process{stderr: new(strings.Builder)}
	p.cmd = stytchctl(context.Background(), dir, append([]string{"emulator", "serve", "--listen", ":0", "-o", "json"}, args...)...)
	p.cmd.Stderr = p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		_ = p.cmd.Wait()
		t.Fatalf("the server did not start: %v: %s", err, p.stderr)
	}
	if err := json.Unmarshal([]byte(line), p); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return p
}

// kill ends a server as a crash does.
func (p *process) kill(t testing.TB) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // killed
}

// stop ends a server in good order.
func (p *process) stop(t testing.TB) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Fatalf("the server ended with %v: %s", err, p.stderr)
	}
}

// search fails if a secret is in a file of a folder.
func search(t *testing.T, dir string, secrets ...string) {
	t.Helper()
	redactor := redact.New(secrets...)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if redactor.Found(string(data)) {
			t.Errorf("%s holds a secret", filepath.Base(name))
		}
	}
}

func discard(body io.ReadCloser) {
	_, _ = io.Copy(io.Discard, body)
	_ = body.Close()
}
