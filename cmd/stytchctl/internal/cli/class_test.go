package cli_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch"
)

func TestClassify(t *testing.T) {
	_, noFile := os.Open("/absent/file")
	_, refused := (&net.Dialer{}).DialContext(t.Context(), "tcp", "127.0.0.1:1")
	for name, tt := range map[string]struct {
		err  error
		want cli.Class
	}{
		"own":                   {cli.Usagef("x"), cli.Usage},
		"own inside of unknown": {cli.Errorf("", "more: %w", cli.Errorf("", "x: %w", cli.Usagef("x"))), cli.Usage},
		"sentinel of unknown":   {cli.Errorf("", "more: %w", stytch.ErrNotFound), cli.NotFound},
		"own before a sentinel": {cli.Errorf(cli.Conflict, "more: %w", stytch.ErrNotFound), cli.Conflict},
		"missing file":          {fmt.Errorf("x: %w", noFile), cli.Internal},
		"renamed file":          {os.Rename("/absent/a", "/absent/b"), cli.Internal},
		"network":               {refused, cli.Unavailable},
		"deadline":              {context.DeadlineExceeded, cli.Unavailable},
		"interrupt":             {context.Canceled, cli.Interrupted},
		"anything else":         {errors.New("x"), cli.Internal},
	} {
		if got := cli.Classify(tt.err); got != tt.want {
			t.Errorf("%s: %v is %s, want %s", name, tt.err, got, tt.want)
		}
	}
}
