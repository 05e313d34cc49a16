package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// An App is one run of the program: its streams, its environment and its global flags. The flags
// are set when the command line has been parsed.
type App struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(name string) string
	Now      func() time.Time
	Profiles Profiles
	Flags    Flags

	// Interrupted is closed when the command is to end. Reading stdin then fails; without it, an
	// interrupt would have no effect before the next line.
	Interrupted <-chan struct{}

	stdinUsedBy string      // the flag that reads stdin
	overdue     func() bool // whether the limit of --timeout was reached; nil without one
}

// New is an App on the streams and the environment of the process.
func New() *App {
	return &App{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Now: time.Now, Profiles: noProfiles{}}
}

// Context is ctx with the limit of --timeout.
func (a *App) Context(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.Flags.Timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, a.Flags.Timeout)
		a.overdue = func() bool { return errors.Is(limited.Err(), context.DeadlineExceeded) }
		return limited, cancel
	}
	return context.WithCancel(ctx)
}

// Interactive reports whether a person can be asked: stdin and stderr are terminals, and neither
// --no-input nor a format for machines was given.
func (a *App) Interactive() bool {
	return !a.Flags.NoInput && !a.Machine() && isTerminal(a.In) && isTerminal(a.Err)
}

// Machine reports whether the output is JSON, which programs read.
func (a *App) Machine() bool { return a.Flags.Output == JSON || a.Flags.Output == NDJSON }

// OutIsTerminal reports whether a person sees stdout.
func (a *App) OutIsTerminal() bool { return isTerminal(a.Out) }

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
