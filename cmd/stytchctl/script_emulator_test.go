package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/seed"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/store"
	"github.com/stytchkit/m2m/stytch"
)

// The commands for scripts about the local Stytch:
//
//	ready FILE         waits for the ready file of a server, and continues with its project
//	gone FILE          waits until a file has been removed
//	newerdata FILE     makes a data file as a newer version would write it
//	rsakey FILE        makes an RSA key
//	envs               puts NAME=VALUE pairs of stdout, in quotes or not, into the environment
func init() {
	scriptCommands["ready"] = waitForReady
	scriptCommands["gone"] = waitUntilGone
	scriptCommands["newerdata"] = makeNewer
	scriptCommands["rsakey"] = makeKey
	scriptCommands["envs"] = setFromStdout
}

// poll calls f until it is done, for at most 30 seconds.
func poll(ts *testscript.TestScript, what string, f func() bool) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); !f(); <-tick.C {
		if time.Now().After(end) {
			ts.Fatalf("%s did not happen", what)
		}
	}
}

func waitForReady(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: ready FILE")
	}
	var text []byte
	poll(ts, "the server's start", func() bool {
		var err error
		text, err = os.ReadFile(ts.MkAbs(args[0]))
		return err == nil
	})
	var ready struct {
		URL           string `json:"url"`
		ProjectID     string `json:"project_id"`
		ProjectSecret string `json:"project_secret"`
	}
	ts.Check(json.Unmarshal(text, &ready))
	w := of(ts)
	api, err := stytch.New(ready.ProjectID, ready.ProjectSecret, stytch.WithBaseURL(ready.URL))
	if err == nil { // else the server is not on plain http, and scripts use commands alone
		w.api = api
	}
	if ready.ProjectSecret != seed.DefaultSecret {
		w.canaries = append(w.canaries, ready.ProjectSecret)
	}
	_, address, _ := strings.Cut(ready.URL, "://")
	ts.Setenv("STYTCH_EMULATOR_ADDRESS", address)
	ts.Setenv("STYTCH_EMULATOR_URL", ready.URL)
	ts.Setenv("STYTCH_BASE_URL", ready.URL)
	ts.Setenv("STYTCH_PROJECT_ID", ready.ProjectID)
	ts.Setenv("STYTCH_PROJECT_SECRET", ready.ProjectSecret)
}

func waitUntilGone(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: gone FILE")
	}
	poll(ts, "the removal of "+args[0], func() bool {
		_, err := os.Stat(ts.MkAbs(args[0]))
		return errors.Is(err, fs.ErrNotExist)
	})
}

func makeNewer(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: newerdata FILE")
	}
	name := ts.MkAbs(args[0])
	created, err := store.Open(name)
	ts.Check(err)
	ts.Check(created.SetSetting("format", []byte("stytch-emulator 99")))
	ts.Check(created.Close())
}

func makeKey(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: rsakey FILE")
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	ts.Check(err)
	block := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), block, 0o600))
}

func setFromStdout(ts *testscript.TestScript, _ bool, _ []string) {
	for pair := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(ts.ReadFile("stdout")), `"`)) {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			ts.Fatalf("envs: %q is no pair", pair)
		}
		ts.Setenv(name, value)
	}
}
