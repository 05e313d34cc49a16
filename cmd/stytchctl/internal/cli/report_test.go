package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

// A reader that went away ends a command quietly, but hides nothing else that failed.
func TestReportBrokenPipe(t *testing.T) {
	pipe := cli.PipeError(syscall.EPIPE)
	failed := cli.Errorf(cli.Partial, "one failed")
	for name, tt := range map[string]struct {
		err    error
		code   int
		stderr string
	}{
		"alone":       {pipe, 0, ""},
		"wrapped":     {cli.Errorf("", "export: %w", fmt.Errorf("page: %w", pipe)), 0, ""},
		"twice":       {errors.Join(pipe, errors.Join(nil, pipe)), 0, ""},
		"after":       {errors.Join(failed, pipe), 8, "error: one failed\n"},
		"before":      {errors.Join(pipe, failed), 8, "error: one failed\n"},
		"with text":   {fmt.Errorf("%w, and %w", failed, pipe), 8, "error: one failed, and the reader of stdout went away\n"},
		"deep inside": {cli.Errorf("", "stopped: %w", errors.Join(failed, pipe)), 8, "error: stopped: one failed\nthe reader of stdout went away\n"},
	} {
		var stderr bytes.Buffer
		app := cli.New()
		app.Err = &stderr
		if code := app.Report(tt.err); code != tt.code || stderr.String() != tt.stderr {
			t.Errorf("%s: exit code %d and %q, want %d and %q", name, code, stderr.String(), tt.code, tt.stderr)
		}
	}
}

// An error because of --timeout names the flag, and another one does not.
func TestReportTimeout(t *testing.T) {
	for name, tt := range map[string]struct {
		limit time.Duration
		want  string
	}{
		"over":     {time.Nanosecond, "error: read: context deadline exceeded. The time of --timeout is over.\n"},
		"not over": {time.Hour, "error: read: context deadline exceeded\n"},
		"none":     {0, "error: read: context deadline exceeded\n"},
	} {
		var stderr bytes.Buffer
		app := cli.New()
		app.Err, app.Flags.Timeout = &stderr, tt.limit
		ctx, cancel := app.Context(t.Context())
		if tt.limit == time.Nanosecond {
			<-ctx.Done()
		}
		cancel()
		if code := app.Report(fmt.Errorf("read: %w", context.DeadlineExceeded)); code != 6 || stderr.String() != tt.want {
			t.Errorf("%s: exit code %d and %q, want 6 and %q", name, code, stderr.String(), tt.want)
		}
	}
}

// What a server or a file has chosen does not act on a terminal.
func TestNotesAreText(t *testing.T) {
	var stderr bytes.Buffer
	app := cli.New()
	app.Err, app.Flags.Color = &stderr, "never"
	app.Note("the cursor is %s", "a\x1b]0;owned\a")
	app.Warn("first\nsecond %s", "\u202egood")
	if want := "the cursor is a ]0;owned \nwarning: first\nsecond  good\n"; stderr.String() != want {
		t.Errorf("%q, want %q", stderr.String(), want)
	}
}

// A file of a destination is not taken for a secret.
func TestReadSecret(t *testing.T) {
	for text, want := range map[string]string{
		"Correct-Horse-9\n":            "",
		"Correct-Horse-9\r\n":          "",
		"{Correct-Horse-9":             "",
		"":                             "there is no secret in it",
		"one\ntwo\n":                   "on one line",
		`{"client_secret":"a"}`:        "it holds a JSON object",
		`{"client_secret":"a"}` + "\n": "it holds a JSON object",
	} {
		app := cli.New()
		app.In = strings.NewReader(text)
		_, err := app.ReadSecret("--secret-file", "-")
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "client_secret")) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
