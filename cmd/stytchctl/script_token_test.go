package main

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// What scripts can say about tokens:
//
//	minted N [CLIENT]        wants that N tokens were issued, to one client or to all
//	steps N ARG...           runs stytchctl N times at the same time, wants success and the same output each time
//	sign FILE [CLAIM=VALUE]  writes a signed token of an M2M client with further claims; exp, iat and nbf count from now
//	dropping                 continues with a new project that drops scopes that a client does not have
//	retire                   replaces the signing key of the project
func init() {
	maps.Copy(scriptCommands, map[string]func(*testscript.TestScript, bool, []string){
		"minted":   checkMinted,
		"steps":    runSteps,
		"sign":     signToken,
		"dropping": startDropping,
		"retire":   retireKey,
	})
}

func checkMinted(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: minted N [CLIENT]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := of(ts).local.TokensMinted(strings.Join(args[1:], "")); got != want {
		ts.Fatalf("%d tokens were issued, want %d", got, want)
	}
}

// runSteps starts the processes itself: a script runs one command after the other.
func runSteps(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	path, err := exec.LookPath("stytchctl")
	ts.Check(err)
	var variables []string
	for _, name := range []string{"PATH", "HOME", "XDG_CONFIG_HOME", "STYTCH_PROJECT_ID", "STYTCH_BASE_URL"} {
		variables = append(variables, name+"="+ts.Getenv(name))
	}
	outputs, errors := make([][]byte, n), make([]error, n)
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() {
			cmd := exec.Command(path, args[1:]...)
			cmd.Dir, cmd.Env = ts.MkAbs("."), variables
			outputs[i], errors[i] = cmd.CombinedOutput()
		})
	}
	wait.Wait()
	for i := range n {
		if errors[i] != nil || !bytes.Equal(outputs[i], outputs[0]) {
			ts.Fatalf("step %d: %v; it printed %d bytes, the first %d", i, errors[i], len(outputs[i]), len(outputs[0]))
		}
	}
}

func signToken(ts *testscript.TestScript, _ bool, args []string) {
	w, now := of(ts), time.Now().Unix()
	claims := map[string]any{
		"iss": "stytch.com/" + w.local.ProjectID, "aud": []string{w.local.ProjectID}, "sub": "worker", "scope": "read:users",
		"exp": now + 3600, "iat": now, "nbf": now,
	}
	for _, arg := range args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		switch seconds, err := strconv.ParseInt(value, 10, 64); {
		case err == nil && (name == "exp" || name == "iat" || name == "nbf"):
			claims[name] = now + seconds
		default:
			claims[name] = value
		}
	}
	text, err := w.local.Sign(claims)
	ts.Check(err)
	w.canaries = append(w.canaries, text)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text+"\n"), 0o600))
}

func startDropping(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(of(ts).start(ts.Setenv, ts.Defer, emulator.WithBehavior(emulator.Behavior{UnheldScope: emulator.Drop})))
}

func retireKey(ts *testscript.TestScript, _ bool, _ []string) { of(ts).local.RotateSigningKey() }
