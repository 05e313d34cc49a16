//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/command"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/profile"
)

// A terminal is a person at a pseudo-terminal, to whom the program talks.
type terminal struct {
	t      *testing.T
	person *os.File    // the other end
	shown  chan string // closed when the program has closed the terminal
	seen   string
	code   chan int
}

// start runs a command line on a terminal.
func start(t *testing.T, ctx context.Context, environment map[string]string, args ...string) *terminal {
	t.Helper()
	person, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { person.Close() })
	app := cli.New()
	app.In, app.Out, app.Err, app.Interrupted = tty, tty, tty, ctx.Done()
	app.Getenv = func(name string) string { return environment[name] }
	app.Profiles = profile.New(app.Getenv)
	term := &terminal{t: t, person: person, shown: make(chan string, 1000), code: make(chan int, 1)}
	go term.watch()
	go func() {
		code := command.Run(ctx, app, args)
		tty.Close() // ends what the person reads
		term.code <- code
	}()
	return term
}

// watch reads what is shown. A terminal that no one reads blocks the program.
func (term *terminal) watch() {
	defer close(term.shown)
	buffer := make([]byte, 256)
	for {
		n, err := term.person.Read(buffer)
		if err != nil {
			return
		}
		term.shown <- string(buffer[:n])
	}
}

// expect waits until a text was shown.
func (term *terminal) expect(text string) {
	term.t.Helper()
	timeout := time.After(30 * time.Second)
	for !strings.Contains(term.seen, text) {
		select {
		case more, ok := <-term.shown:
			if !ok {
				term.t.Fatalf("%q was not shown, but %q", text, term.seen)
			}
			term.seen += more
		case <-timeout:
			term.t.Fatalf("%q was not shown in time, but %q", text, term.seen)
		}
	}
}

func (term *terminal) typeLine(text string) {
	term.t.Helper()
	if _, err := term.person.WriteString(text + "\n"); err != nil {
		term.t.Fatal(err)
	}
}

// end wants an exit code.
func (term *terminal) end(want int) {
	term.t.Helper()
	if got := <-term.code; got != want {
		term.t.Errorf("exit code %d, want %d", got, want)
	}
}

func home(t *testing.T) map[string]string {
	return map[string]string{"XDG_CONFIG_HOME": t.TempDir(), "TERM": "xterm"}
}

// A secret that is typed is stored, and not shown.
func TestSecretIsTyped(t *testing.T) {
	const canary = "secret-test-typed-canary"
	environment := home(t)
	term := start(t, t.Context(), environment, "profile", "add", "local", "--project-id", "project-test-1", "--store", "file")
	term.expect("Secret of project-test-1: ")
	term.typeLine(canary)
	term.expect("yes\r\n") // the end of the row
	term.end(0)
	if strings.Contains(term.seen, canary) {
		t.Errorf("the terminal shows %q", term.seen)
	}
	stored, err := os.ReadFile(filepath.Join(environment["XDG_CONFIG_HOME"], "stytchctl", "secrets", "local"))
	if err != nil || strings.TrimSpace(string(stored)) != canary {
		t.Errorf("%q is stored, %v", stored, err)
	}

	// What cannot be undone is asked for. Only yes is yes.
	for answer, code := range map[string]int{"": 130, "n": 130, "yess": 130} {
		term = start(t, t.Context(), environment, "profile", "remove", "local")
		term.expect("Remove profile local and its secret of project-test-1? [y/N] ")
		term.typeLine(answer)
		term.expect("not confirmed. Nothing was changed.")
		term.end(code)
	}
	term = start(t, t.Context(), environment, "profile", "remove", "local")
	term.expect("[y/N] ")
	term.typeLine("y")
	term.expect("Removed profile local.")
	term.end(0)
}

// An interrupt ends a question, and nothing is stored.
func TestInterruptEndsAQuestion(t *testing.T) {
	for _, args := range [][]string{
		{"profile", "add", "local", "--project-id", "project-test-1", "--store", "file"},
		{"token", "inspect", "-"},
	} {
		environment := home(t)
		ctx, interrupt := context.WithCancel(t.Context())
		term := start(t, ctx, environment, args...)
		if args[0] == "profile" {
			term.expect("Secret of project-test-1: ")
		}
		interrupt()
		term.end(130)
		if _, err := os.Stat(filepath.Join(environment["XDG_CONFIG_HOME"], "stytchctl")); err == nil {
			t.Errorf("%v: something is stored", args)
		}
	}
}

// Ctrl-C is a key where a secret is typed.
func TestControlCEndsASecret(t *testing.T) {
	term := start(t, t.Context(), home(t), "profile", "add", "local", "--project-id", "project-test-1", "--store", "file")
	term.expect("Secret of project-test-1: ")
	if _, err := term.person.WriteString("secr\x03"); err != nil {
		t.Fatal(err)
	}
	term.expect("no secret was entered. Nothing was done.")
	term.end(130)
}

// With --no-input and with JSON, nothing is asked on a terminal either.
func TestNothingIsAsked(t *testing.T) {
	for _, flag := range []string{"--no-input", "-ojson"} {
		term := start(t, t.Context(), home(t), "profile", "add", "local", "--project-id", "project-test-1", flag)
		term.expect("profile add needs --secret-file")
		term.end(2)
	}
}

// On a terminal, progress is one line that is rewritten and removed at the end; elsewhere, it is a
// line every ten seconds.
func TestProgress(t *testing.T) {
	person, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer person.Close()
	defer tty.Close()
	now := time.Now()
	app := cli.New()
	app.Now = func() time.Time { return now }
	show := func() {
		progress := app.Progress()
		for _, text := range []string{"1 of 3", "2 of 3", "3 of 3"} {
			now = now.Add(6 * time.Second)
			progress.Show("%s", text)
		}
		progress.Close()
	}

	app.Err = tty
	term := &terminal{t: t, person: person, shown: make(chan string, 1000)}
	go term.watch()
	show()
	term.expect("\r\x1b[K1 of 3\r\x1b[K2 of 3\r\x1b[K3 of 3\r\x1b[K")

	var lines strings.Builder
	app.Err = &lines
	show()
	if lines.String() != "2 of 3\n" {
		t.Errorf("elsewhere it is %q", lines.String())
	}
	app.Flags.Quiet = true
	show()
	if lines.String() != "2 of 3\n" {
		t.Errorf("with -q it is %q", lines.String())
	}
}
