package journal

import (
	"context"
	"iter"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// absent is the journal in a folder that does not exist yet, for commands that only look.
type absent struct{}

func (absent) Claim(context.Context, string, time.Duration) (rotate.Claim, error) {
	return nil, cli.Errorf("", "%w: the folder does not exist", rotate.ErrJournal)
}

func (absent) Read(context.Context, string) (rotate.Record, error) {
	return rotate.Record{}, rotate.ErrNoRotation
}

func (absent) Unfinished(context.Context) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}

func (absent) Records(context.Context) iter.Seq2[rotate.Record, error] {
	return func(func(rotate.Record, error) bool) {}
}

func (absent) Purge(context.Context, time.Duration) (int, error) { return 0, nil }
func (absent) Inspect(context.Context) ([]error, error)          { return nil, nil }
