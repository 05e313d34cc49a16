//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
)

// process is a command in a process of its own, which has not been started.
func (s *situation) process(ctx context.Context, args ...string) *exec.Cmd {
	s.Helper()
	cmd := exec.CommandContext(ctx, "stytchctl", args...)
	cmd.Dir = s.dir
	cmd.Env = os.Environ()
	for name, value := range s.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// reached returns when the journal has the client in a state.
func (s *situation) reached(state rotate.State) {
	s.Helper()
	var journal *filejournal.Journal
	for until := time.Now().Add(time.Minute); time.Now().Before(until); <-time.After(5 * time.Millisecond) {
		if _, err := os.Stat(s.record()); err != nil {
			continue
		}
		if journal == nil {
			var err error
			journal, err = filejournal.New(s.env["STYTCHCTL_JOURNAL"], s.server.ProjectID, s.key())
			s.check(err)
		}
		if rec, err := journal.Read(s.Context(), runbookClient); err == nil && rec.State == state {
			return
		}
	}
	s.Fatalf("the rotation did not reach %s", state)
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// TestInterrupt ends a rotation in its grace period by a signal, and by Ctrl-C on a terminal. It
// says how to go on, and that is right.
func TestInterrupt(t *testing.T) {
	for name, interrupt := range map[string]func(s *situation, cmd *exec.Cmd) (output string, err error){
		"SIGINT":  func(s *situation, cmd *exec.Cmd) (string, error) { return signaled(s, cmd, syscall.SIGINT) },
		"SIGTERM": func(s *situation, cmd *exec.Cmd) (string, error) { return signaled(s, cmd, syscall.SIGTERM) },
		"Ctrl-C":  typed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSituation(t)
			output, err := interrupt(s, s.process(t.Context(), s.run("run", "--grace", "1h")...))
			if exitCode(err) != 130 || !strings.Contains(output, "interrupted: the step in progress was finished, and no secret is lost. ") ||
				!strings.Contains(output, "go on: stytchctl rotate resume worker --deliver ") {
				t.Errorf("%v: %s", err, output)
			}
			s.ctl(0, s.run("resume", "--compromised")...) // the same without the rest of the hour
			s.isFixed("", 0)
		})
	}
}

func signaled(s *situation, cmd *exec.Cmd, with syscall.Signal) (string, error) {
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	s.check(cmd.Start())
	s.reached(rotate.Grace)
	s.check(cmd.Process.Signal(with))
	err := cmd.Wait()
	return output.String(), err
}

func typed(s *situation, cmd *exec.Cmd) (string, error) {
	terminal, err := pty.Start(cmd)
	s.check(err)
	defer func() { _ = terminal.Close() }()
	s.reached(rotate.Grace)
	_, err = terminal.WriteString("\x03")
	s.check(err)
	output, _ := io.ReadAll(terminal) // until the process closes its side, which is an error on Linux
	return string(output), cmd.Wait()
}

// TestQuestion asks on a terminal. In a live project the id must be typed.
func TestQuestion(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		want   int
	}{"yes": {"y\n", 0}, "no": {"n\n", 130}, "nothing": {"\n", 130}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSituation(t)
			s.startByHand()
			cmd := s.process(t.Context(), "rotate", "step", "cancel", runbookClient)
			terminal, err := pty.Start(cmd)
			s.check(err)
			defer func() { _ = terminal.Close() }()
			_, err = terminal.WriteString(test.answer)
			s.check(err)
			output, _ := io.ReadAll(terminal)
			if got := exitCode(cmd.Wait()); got != test.want || !strings.Contains(string(output), " of worker? [y/N]") {
				t.Errorf("exit code %d, want %d: %s", got, test.want, output)
			}
			seen, err := s.api.M2M.Secrets.LastFour(t.Context(), runbookClient)
			if err != nil || seen.Rotating() != (test.want != 0) {
				t.Errorf("%v, %v", seen, err)
			}
		})
	}
}

// TestInterruptMany ends a fleet: those in progress are said, and resumed.
func TestInterruptMany(t *testing.T) {
	t.Parallel()
	s := newSituation(t)
	var output bytes.Buffer
	cmd := s.process(t.Context(), s.run("run", "another", "--grace", "1h", "-o", "ndjson")...)
	cmd.Stdout, cmd.Stderr = &output, &output
	s.check(cmd.Start())
	s.reached(rotate.Grace)
	s.check(cmd.Process.Signal(syscall.SIGINT))
	if got := exitCode(cmd.Wait()); got != 130 || !strings.Contains(output.String(), `{"client_id":"worker","state":"grace","outcome":"interrupted"`) ||
		!strings.Contains(output.String(), "go on: stytchctl rotate resume --all --deliver ") {
		t.Errorf("exit code %d: %s", got, output.String())
	}
	s.ctl(0, s.run("cancel")...)
	s.isFixed("", 0)
}

// TestKilled kills a rotation at random moments, and resumes it. No secret is lost.
func TestKilled(t *testing.T) {
	for range heavy.CountLong(3, 20, 60) {
		s := newSituation(t)
		s.server.Inject(emulator.Latency("", time.Duration(rand.IntN(20))*time.Millisecond))
		ctx, kill := context.WithTimeout(t.Context(), time.Duration(rand.IntN(800))*time.Millisecond)
		_ = s.process(ctx, s.run("run")...).Run()
		kill()
		if _, err := os.Stat(s.env["STYTCHCTL_JOURNAL"]); err == nil {
			s.ctl(0, "rotate", "resume", "--all", "--deliver", s.env["PLACE"], "--rate", "1000/s")
			s.isFixed("", 0)
		}
		s.ctl(0, s.run("run", "--rate", "1000/s")...)
		s.isFixed("", 0)
	}
}

// TestNoSecretShows rotates with everything that writes: -v, an audit log, a journal, a program. No
// secret is in the output, in a file but those of the place, in the arguments of any process or in
// the environment of the program.
func TestNoSecretShows(t *testing.T) {
	if _, err := os.Stat("/proc/self/cmdline"); err != nil {
		t.Skip("no /proc")
	}
	t.Parallel()
	s := newSituation(t)
	first := s.held().Reveal()
	hook := filepath.Join(s.dir, "hook")
	s.check(os.WriteFile(hook, []byte("cat /proc/[0-9]*/cmdline > "+s.dir+"/arguments 2>/dev/null\nenv > "+s.dir+"/environment\nexit 0\n"), 0o600))
	out, err := s.process(t.Context(), s.run("run", "-v", "--audit", s.env["AUDIT"], "--deliver", "exec:sh "+hook, "--rate", "1000/s")...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	search := redact.New(strings.TrimPrefix(s.server.Secret, "secret-test-"), first, s.held().Reveal())
	if search.Found(string(out)) {
		t.Errorf("the output shows a secret: %s", out)
	}
	files := 0
	s.check(filepath.WalkDir(s.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || strings.HasPrefix(path, filepath.Dir(s.path("PLACE"))) {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if search.Found(string(data)) {
			t.Errorf("%s shows a secret", path)
		}
		return err
	}))
	arguments, err := os.ReadFile(filepath.Join(s.dir, "arguments"))
	if err != nil || !bytes.Contains(arguments, []byte("rotate\x00run\x00worker")) || files < 6 {
		t.Errorf("looked at %d files, and the arguments were not those of the rotation: %v", files, err)
	}
}
