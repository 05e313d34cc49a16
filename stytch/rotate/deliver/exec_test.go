package deliver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/secret"
)

// TestMain is also the program that [deliver.Exec] runs.
func TestMain(m *testing.M) {
	if mode := os.Getenv("DELIVER_TEST_MODE"); mode != "" {
		os.Exit(program(mode))
	}
	os.Exit(m.Run())
}

// runs is this test binary as a program.
func runs(mode string, env ...string) *deliver.Program {
	return deliver.Exec(os.Args[0], "an argument").WithEnv(append([]string{"DELIVER_TEST_MODE=" + mode, quick}, env...)...)
}

// quick spares a program that was built with the race detector its second of waiting at the end.
const quick = "GORACE=atexit_sleep_ms=0"

// given is the object that a program reads.
type given struct {
	Version  int    `json:"version"`
	Rotation string `json:"rotation_id"`
	ID       string `json:"client_id"`
	Secret   string `json:"client_secret"`
	Previous string `json:"previous_client_secret"`
}

func program(mode string) int {
	input, err := io.ReadAll(os.Stdin)
	if mode == "hold" {
		return hold()
	}
	var got given
	decoder := json.NewDecoder(bytes.NewReader(input))
	decoder.DisallowUnknownFields()
	if err != nil || decoder.Decode(&got) != nil || got.Version != 1 || input[len(input)-1] != '\n' {
		return 9
	}
	switch mode {
	case "store":
		if os.WriteFile(filepath.Join(os.Getenv("DELIVER_TEST_DIR"), got.ID), input, 0o600) != nil {
			return 1
		}
	case "say":
		for name, text := range encodings(got.Secret) {
			fmt.Fprintln(os.Stderr, name, text)
		}
		fmt.Fprintln(os.Stderr, "previous:", got.Previous, "\nthe vault is locked")
		fmt.Println(got.Secret)
		return 3
	case "cut": // so that what is kept of it begins in the middle of the secret
		fmt.Fprint(os.Stderr, strings.Repeat("x", 5000), got.Secret, strings.Repeat("y", 1<<10-len(got.Secret)/2))
		return 1
	case "flood":
		fmt.Fprint(os.Stdout, strings.Repeat("o", 1<<20))
		fmt.Fprint(os.Stderr, strings.Repeat("e", 1<<20), "the end")
		return 1
	case "look":
		return look(got)
	case "hang":
		return hold()
	case "leave", "hang with child":
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "DELIVER_TEST_MODE=hold")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if child.Start() != nil {
			return 1
		}
		if mode == "hang with child" {
			return hold()
		}
	}
	return 0
}

// hold connects to the test, and ends when the test closes the connection.
func hold() int {
	conn, err := net.Dial("unix", os.Getenv("DELIVER_TEST_SOCKET"))
	if err != nil {
		return 1
	}
	_, _ = io.Copy(io.Discard, conn)
	return 0
}

// look is 4 if a secret is where other users of the machine may see it.
func look(got given) int {
	for _, process := range []int{os.Getpid(), os.Getppid()} {
		for _, file := range []string{"cmdline", "environ"} {
			data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", process, file))
			if err != nil {
				return 5
			}
			if leaks(string(data), secret.New(got.Secret), secret.New(got.Previous)) {
				return 4
			}
		}
	}
	return 0
}

func order() rotate.Delivery {
	return rotate.Delivery{RotationID: "rotation-1", ClientID: "m2m-client-test-1", Secret: canary(), Previous: canary()}
}

func TestExecInput(t *testing.T) {
	dir := t.TempDir()
	d := order()
	want := map[string]any{
		"version": 1.0, "rotation_id": d.RotationID, "client_id": d.ClientID,
		"client_secret": d.Secret.Reveal(), "previous_client_secret": d.Previous.Reveal(),
	}
	for range 2 {
		give(t, runs("store", "DELIVER_TEST_DIR="+dir), d)
		data, err := os.ReadFile(filepath.Join(dir, d.ClientID))
		var got map[string]any
		if err != nil || json.Unmarshal(data, &got) != nil || len(got) != len(want) {
			t.Fatal("the program read something else")
		}
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s is another one", name)
			}
		}
		d.Previous = secret.String{}
		delete(want, "previous_client_secret")
	}
}

func TestExecFails(t *testing.T) {
	d := order()
	for name, tt := range map[string]struct {
		program *deliver.Program
		code    int
		text    string
	}{
		"exit code":   {runs("say"), 3, "exit status 3"},
		"last words":  {runs("say"), 3, "the vault is locked"},
		"cut secret":  {runs("cut"), 1, "yyyy"},
		"much output": {runs("flood"), 1, "the end"},
		"absent":      {deliver.Exec("/does/not/exist"), 0, "/does/not/exist"},
		"no name":     {deliver.Exec(""), 0, "name must not be empty"},
	} {
		err := tt.program.Deliver(t.Context(), d)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if leaks(err.Error(), d.Secret, d.Previous) {
			t.Errorf("%s: the error holds a secret", name)
			continue
		}
		if !strings.Contains(err.Error(), tt.text) || len(err.Error()) > 2<<10 {
			t.Errorf("%s: error %v", name, err)
		}
		var exit *exec.ExitError
		if errors.As(err, &exit) != (tt.code != 0) || tt.code != 0 && exit.ExitCode() != tt.code {
			t.Errorf("%s: exit code is not %d", name, tt.code)
		}
	}
}

// TestExecHides also shows that the program would find a secret if there was one.
func TestExecHides(t *testing.T) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("needs /proc")
	}
	d := order()
	give(t, runs("look"), d)
	var exit *exec.ExitError
	for name, p := range map[string]*deliver.Program{
		"argument":    deliver.Exec(os.Args[0], d.Secret.Reveal()).WithEnv("DELIVER_TEST_MODE=look", quick),
		"environment": runs("look", "SECRET="+d.Previous.Reveal()),
	} {
		if err := p.Deliver(t.Context(), d); !errors.As(err, &exit) || exit.ExitCode() != 4 {
			t.Errorf("a secret in an %s is not found", name)
		}
	}
}

func TestExecEnvironment(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DELIVER_TEST_MODE", "store")
	t.Setenv("DELIVER_TEST_DIR", dir)
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	inherits := deliver.Exec(os.Args[0])
	give(t, inherits, order())
	var exit *exec.ExitError
	if err := inherits.WithEnv("DELIVER_TEST_MODE=say", quick).Deliver(t.Context(), order()); !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Error("the program was not given the environment")
	}
	give(t, inherits, order()) // it was not changed by WithEnv
}

// socket is where programs connect while they run.
func socket(t *testing.T) (net.Listener, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "deliver") // the names of sockets must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, "DELIVER_TEST_SOCKET=" + path
}

// TestExecEnds kills all that a program started.
func TestExecEnds(t *testing.T) {
	for mode, processes := range map[string]int{"hang": 1, "hang with child": 2} {
		l, env := socket(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- runs(mode, env).Deliver(ctx, order()) }()
		var running []net.Conn
		for range processes {
			conn, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			running = append(running, conn)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", mode, err)
		}
		for _, conn := range running {
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				t.Errorf("%s: a process said something", mode)
			} // which returns when the process is dead
			_ = conn.Close()
		}
	}
}

// TestExecLeaves: what a program leaves running does not hold the delivery up, although it holds
// the pipes.
func TestExecLeaves(t *testing.T) {
	l, env := socket(t)
	done := make(chan error, 1)
	go func() { done <- runs("leave", env).Deliver(t.Context(), order()) }()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	_ = conn.Close() // ends it
}
