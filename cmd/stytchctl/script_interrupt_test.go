//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stytchkit/m2m/internal/redact"
)

// What scripts can say about interrupts:
//
//	interrupt TEXT ARG...   runs stytchctl against a server that never answers, interrupts it while it waits, and wants
//	                        exit code 130 and TEXT on stderr. No secret may be among its arguments, which other users see
func init() { scriptCommands["interrupt"] = interruptWaiting }

func interruptWaiting(ts *testscript.TestScript, _ bool, args []string) {
	arrived, ended := make(chan struct{}), make(chan struct{})
	var once sync.Once
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		once.Do(func() { close(arrived) })
		<-ended
	}))
	defer server.Close()
	defer close(ended)
	path, err := exec.LookPath("stytchctl")
	ts.Check(err)
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "XDG_CONFIG_HOME", "STYTCH_PROJECT_ID", "STYTCH_PROJECT_SECRET"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	cmd.Env = append(cmd.Env, "STYTCH_BASE_URL="+server.URL)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	ts.Check(cmd.Start())
	arguments := make(chan []byte, 1)
	go func() {
		<-arrived
		seen, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid)) // what other users see; only Linux has it
		arguments <- seen
		_ = cmd.Process.Signal(os.Interrupt)
	}()
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 || !strings.Contains(stderr.String(), args[0]) {
		ts.Fatalf("interrupt: %v, and stderr is %q", err, stderr.String())
	}
	if redact.New(of(ts).canaries...).Found(string(<-arguments) + stderr.String()) {
		ts.Fatalf("interrupt: the arguments or stderr show a secret")
	}
}
