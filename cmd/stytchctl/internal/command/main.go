package command

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/profile"
)

// Main runs a command line on the streams of the process and returns the exit code. The first
// interrupt ends the command in good order, the second one at once.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)   // from now on an interrupt has its usual effect
	signal.Ignore(syscall.SIGPIPE) // a reader that goes away must not end a rotation
	app := cli.New()
	app.Profiles, app.Interrupted = profile.New(app.Getenv), ctx.Done()
	return Run(ctx, app, args) // the errors of a broken pipe are seen where stdout is written
}

// Run runs a command line and returns the exit code. What failed is on the App's stderr.
func Run(ctx context.Context, app *cli.App, args []string) int {
	root := New(app)
	root.SetArgs(args)
	root.SetIn(app.In)
	root.SetOut(app.Out)
	root.SetErr(app.Err)
	err := root.ExecuteContext(ctx)
	app.Flags.Guess(args)
	return app.Report(err)
}
