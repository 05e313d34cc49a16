package cli_test

import (
	"bytes"
	"errors"
	"fmt"
	"syscall"
	"testing"

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
