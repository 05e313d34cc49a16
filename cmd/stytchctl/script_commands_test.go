package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
)

// A world is the project of one script, and the secrets that must not be seen in its output and
// files.
type world struct {
	local    *emulator.Server
	api      *stytch.Client
	canaries []string

	upstreams []chan string // of a proxy, with the tokens that they got

	browser *http.Client // of visit and post; nil before the first
}

type worldKey struct{}

// setUp starts a project and puts its credentials into the environment of the script.
func setUp(env *testscript.Env) error {
	w := &world{}
	env.Values[worldKey{}] = w
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, ".config"))
	env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
	env.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	env.Setenv("NO_COLOR", "1")
	return w.start(env.Setenv, env.Defer)
}

func (w *world) start(setenv func(string, string), atEnd func(func()), options ...emulator.Option) (err error) {
	if w.local, err = emulator.Start(options...); err != nil {
		return err
	}
	atEnd(func() { w.local.Close() })
	if w.api, err = stytch.New(w.local.ProjectID, w.local.Secret, stytch.WithBaseURL(w.local.URL)); err != nil {
		return err
	}
	// Without what all secrets begin with: eight bytes of it are in --secret-to as well.
	w.canaries = append(w.canaries, w.local.Secret[len("secret-test-"):])
	setenv("STYTCH_PROJECT_ID", w.local.ProjectID)
	setenv("STYTCH_PROJECT_SECRET", w.local.Secret)
	setenv("STYTCH_BASE_URL", w.local.URL)
	return nil
}

func of(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

// scriptCommands are what scripts can say beside the usual commands of testscript.
//
//	ctl [CODE] ARG...               runs stytchctl, wants the exit code CODE (0 if it is left out), and looks for secrets in what it prints
//	client ID SECRET [SCOPE...]     creates an M2M client
//	app VARIABLE TYPE [NAME]        creates a Connected App and puts its id into a variable
//	fault KIND OPERATION [TIMES]    makes an operation fail: drop, reset, html, garbage or a status such as 503
//	live                            continues with a new project whose id begins with project-live-
//	canaries [FILE...]              looks for secrets in all files of the script except those named
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"ctl":      runStytchctl,
	"client":   createClient,
	"app":      createApp,
	"fault":    injectFault,
	"live":     startLive,
	"canaries": searchFiles,
}

func runStytchctl(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("ctl: say which exit code is wanted instead of !")
	}
	want := 0
	if len(args) > 0 {
		if n, err := strconv.Atoi(args[0]); err == nil {
			want, args = n, args[1:]
		}
	}
	got := 0
	err := ts.Exec("stytchctl", args...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("ctl: %v", err)
	}
	if got != want {
		ts.Fatalf("ctl: exit code %d, want %d", got, want)
	}
	if slices.Contains(args, "--reveal") {
		return
	}
	w := of(ts)
	for _, stream := range []string{"stdout", "stderr"} {
		if redact.New(w.canaries...).Found(ts.ReadFile(stream)) {
			ts.Fatalf("ctl: %s shows a secret", stream)
		}
	}
}

func createClient(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: client ID SECRET [SCOPE...]")
	}
	w := of(ts)
	w.canaries = append(w.canaries, args[1])
	_, err := w.api.M2M.Create(context.Background(), stytch.M2MCreate{
		ClientID: args[0], ClientSecret: secret.Outgoing(secret.New(args[1])), ClientName: args[0], Scopes: args[2:],
	})
	ts.Check(err)
}

func createApp(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: app VARIABLE TYPE [NAME]")
	}
	w := of(ts)
	created, err := w.api.ConnectedApps.Create(context.Background(), stytch.ConnectedAppCreate{
		ClientType: stytch.ConnectedAppType(args[1]), ClientName: strings.Join(args[2:], " "),
	})
	ts.Check(err)
	if text := created.ClientSecret.Reveal(); text != "" {
		w.canaries = append(w.canaries, text)
	}
	ts.Setenv(args[0], created.ClientID)
}

func injectFault(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: fault KIND OPERATION [TIMES]")
	}
	var fault emulator.Fault
	switch kind, operation := args[0], args[1]; kind {
	case "drop":
		fault = emulator.DropResponse(operation)
	case "reset":
		fault = emulator.Reset(operation)
	case "html":
		fault = emulator.HTML(operation, 502)
	case "garbage":
		fault = emulator.Garbage(operation, 200)
	default:
		status, err := strconv.Atoi(kind)
		ts.Check(err)
		fault = emulator.Status(operation, status)
	}
	if len(args) > 2 {
		times, err := strconv.Atoi(args[2])
		ts.Check(err)
		fault = fault.Times(times)
	}
	of(ts).local.Inject(fault)
}

func startLive(ts *testscript.TestScript, _ bool, _ []string) {
	const id = "project-live-11111111-1111-4111-8111-111111111111"
	ts.Check(of(ts).start(ts.Setenv, ts.Defer, emulator.WithProject(id, "secret-live-Correct-Horse-Battery")))
}

func searchFiles(ts *testscript.TestScript, _ bool, except []string) {
	search := redact.New(of(ts).canaries...)
	dir := ts.Getenv("WORK")
	ts.Check(filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if slices.Contains(except, name) {
			return nil
		}
		data, err := os.ReadFile(path)
		if err == nil && search.Found(string(data)) {
			err = fmt.Errorf("a secret is in the file %s", name)
		}
		return err
	}))
}

// scriptCondition knows [heavy], and [exec:x] as testscript does.
func scriptCondition(name string) (bool, error) {
	if name == "heavy" {
		return os.Getenv("M2M_HEAVY_TESTS") != "", nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}
