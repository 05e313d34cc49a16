//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// What scripts can say about a stdout that takes nothing. stderr goes to the file stderr.txt:
//
//	gone CODE ARG...   runs stytchctl with a stdout whose reader went away
//	full CODE ARG...   runs stytchctl with a stdout on a full disk
func init() {
	scriptCommands["gone"] = func(ts *testscript.TestScript, _ bool, args []string) {
		reader, writer, err := os.Pipe()
		ts.Check(err)
		ts.Check(reader.Close())
		runWithStdout(ts, writer, args)
	}
	scriptCommands["full"] = func(ts *testscript.TestScript, _ bool, args []string) {
		disk, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		ts.Check(err)
		runWithStdout(ts, disk, args)
	}
}

func runWithStdout(ts *testscript.TestScript, stdout *os.File, args []string) {
	defer stdout.Close()
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	path, err := exec.LookPath("stytchctl")
	ts.Check(err)
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir, cmd.Stdout = ts.MkAbs("."), stdout
	for _, name := range []string{"PATH", "HOME", "XDG_CONFIG_HOME", "STYTCH_PROJECT_ID", "STYTCH_PROJECT_SECRET", "STYTCH_BASE_URL"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err = cmd.Run()
	ts.Check(os.WriteFile(ts.MkAbs("stderr.txt"), stderr.Bytes(), 0o600))
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("%v: exit code %d, want %d: %v, %s", args, got, want, err, stderr.String())
	}
}
