package rotate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/destination"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

const stepLong = `The single steps of a rotation, as Stytch has them: without a journal, without deliveries,
and with few checks. "rotate cancel" gives up a rotation of the journal and gives the
services their secret back; "rotate step cancel" only drops what is pending at Stytch. They
are apart so that the safe one is the one that is found first.`

// A stepped is what a client's secrets end with after a step.
type stepped struct {
	ClientID        string `json:"client_id"`
	CurrentLastFour string `json:"client_secret_last_four"`
	NextLastFour    string `json:"next_client_secret_last_four"`
	Secret          string `json:"next_client_secret,omitempty"` // only with --reveal
	Place           string `json:"secret_to,omitempty"`
}

func newStep(app *cli.App) *cobra.Command {
	step := cli.Group("step", "Take a single step of a rotation by hand", stepLong, newStepStart(app), newStepComplete(app), newStepCancel(app))
	step.SuggestFor = []string{"start", "complete"}
	return step
}

const stepStartLong = `Requests the next secret of a client. From then on both secrets work. The next one is shown
once: it goes to --secret-to, or is printed with --reveal. A place is checked before the
request, and is never overwritten.

Exit codes: 0; 2 without --secret-to and --reveal; 3 if there is no such client; 5 if a
rotation is in progress; 7 if the response was lost: a next secret may exist that no one
has.

`

func newStepStart(app *cli.App) *cobra.Command {
	var isApp bool
	var to destination.Flags
	cmd := &cobra.Command{
		Use: "start ID (--secret-to DEST | --reveal)", Short: "Request the next secret", Long: stepStartLong + destination.Help,
		Example: "  stytchctl rotate step start m2m-client-test-8f1c --secret-to file:/run/billing/next.json",
		Args:    cli.Args("the ID of a client"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return stepStart(cmd.Context(), app, isApp, args[0], &to)
		},
	}
	cmd.Flags().BoolVar(&isApp, "app", false, "the id is that of a Connected App")
	to.Register(cmd.Flags())
	return cmd
}

func stepStart(ctx context.Context, app *cli.App, isApp bool, id string, to *destination.Flags) error {
	const nothing = "Nothing was started."
	place, err := to.Place(app, nothing)
	if err != nil {
		return err
	}
	if err := cli.CheckFields(app, stepColumns...); err != nil {
		return err
	}
	if err := to.CheckFields(app, nothing, startedFields(app)...); err != nil {
		return err
	}
	ctx, cancel := app.Context(ctx)
	defer cancel()
	api, err := app.API(ctx)
	if err != nil {
		return err
	}
	if place != nil {
		if err := place.Check(ctx, id); err != nil {
			return cli.Errorf("", "%w. %s", err, nothing)
		}
	}
	secrets := target(api, isApp)
	next, err := secrets.Start(ctx, id)
	if next.IsZero() {
		return afterStep(err, id, isApp, "A next secret may exist that no one has: if one is shown as pending, drop it (step cancel) and start again.")
	}
	started := "a rotation of client " + id + " was started"
	out := stepped{ClientID: id, NextLastFour: lastFour(next)}
	if seen, look := secrets.LastFour(context.WithoutCancel(ctx), id); look == nil {
		out.CurrentLastFour = seen.Current
	}
	if place != nil {
		if err := place.Put(ctx, id, next, started); err != nil {
			return err
		}
		out.Place = place.Name(id)
	}
	if to.Reveal {
		out.Secret = next.Reveal()
	}
	if printErr := cli.PrintOne(app, out, stepColumns...); printErr != nil && place == nil {
		return destination.Unprinted(app, id, next, started, printErr)
	} else if printErr != nil {
		return printErr
	}
	if err != nil { // the response differed from the contract otherwise
		app.Warn("%v", err)
	}
	app.Note("Both secrets work. When services use the next one: %s", commandLine(stepWords("complete", id, isApp)))
	return nil
}

var stepColumns = []cli.Column[stepped]{
	{Field: "client_id", Title: "CLIENT ID"},
	{Field: "client_secret_last_four", Title: "CURRENT"},
	{Field: "next_client_secret_last_four", Title: "NEXT", Text: func(s stepped) string {
		switch {
		case s.Secret != "":
			return s.Secret
		case s.Place != "":
			return "…" + s.NextLastFour + " -> " + s.Place
		}
		return "…" + s.NextLastFour
	}},
}

// startedFields are those that show the secret with --reveal.
func startedFields(app *cli.App) []string {
	if app.Machine() {
		return []string{"next_client_secret"}
	}
	return []string{"next_client_secret", "next_client_secret_last_four"}
}

const stepCompleteLong = `Makes the next secret the current one. The previous one is refused from then on: a service
that still uses it fails. Give --next-secret-file so that the next secret is proved first,
which is one billed token; otherwise a warning says that nothing shows it to be in use.

It asks first; in a live project the id must be typed. Without a terminal, give --yes.

Exit codes: 0; 3 if there is no such client; 5 if no rotation is in progress; 7 if the
response was lost; 9 if the next secret is refused; 130 if it was not confirmed.`

func newStepComplete(app *cli.App) *cobra.Command {
	var isApp bool
	var file string
	cmd := &cobra.Command{
		Use: "complete ID", Short: "Make the next secret the current one", Long: stepCompleteLong,
		Example: "  stytchctl rotate step complete m2m-client-test-8f1c --next-secret-file next.json",
		Args:    cli.Args("the ID of a client"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return stepComplete(cmd.Context(), app, isApp, args[0], file)
		},
	}
	cmd.Flags().BoolVar(&isApp, "app", false, "the id is that of a Connected App")
	cmd.Flags().StringVar(&file, "next-secret-file", "", "`file` with the next secret, which is proved first; - is stdin")
	return cmd
}

func stepComplete(ctx context.Context, app *cli.App, isApp bool, id, file string) error {
	const nothing = "Nothing was completed."
	if err := cli.CheckFields(app, stepColumns...); err != nil {
		return err
	}
	var next secret.String
	if file != "" {
		var err error
		if next, err = readSecret(app, "--next-secret-file", file, id, nothing); err != nil {
			return err
		}
	}
	ctx, cancel := app.Context(ctx)
	defer cancel()
	secrets, seen, err := pending(ctx, app, isApp, id, nothing)
	if err != nil {
		return err
	}
	if next.IsZero() {
		app.Warn("nothing shows that the next secret (…%s) is in use: a service that still uses …%s will fail.", seen.Next, seen.Current)
	} else if err := proveNext(ctx, secrets, isApp, id, next, seen, nothing); err != nil {
		return err
	}
	if err := confirm(ctx, app, "End the secret …"+seen.Current+" of "+id+", and keep …"+seen.Next+"?", id); err != nil {
		return err
	}
	if err := secrets.Complete(ctx, id); err != nil {
		return afterStep(err, id, isApp, "The completion may have taken effect: it has if nothing is shown as pending.")
	}
	return printStep(app, stepped{ClientID: id, CurrentLastFour: seen.Next})
}

// pending is a client with a next secret, as Stytch shows it.
func pending(ctx context.Context, app *cli.App, isApp bool, id, nothing string) (secrets guardedTarget, seen secret.LastFour, err error) {
	api, err := app.API(ctx)
	if err != nil {
		return secrets, seen, err
	}
	secrets = target(api, isApp)
	seen, err = secrets.LastFour(ctx, id)
	switch {
	case err != nil:
		return secrets, seen, cli.Errorf("", "%w. %s", err, nothing)
	case !seen.Rotating():
		return secrets, seen, cli.Errorf(cli.Conflict, "client %.256q has no next secret: nothing is in progress at Stytch. %s", id, nothing)
	}
	return secrets, seen, nil
}

// proveNext refuses a secret that is not the pending one, or does not work.
func proveNext(ctx context.Context, secrets guardedTarget, isApp bool, id string, next secret.String, seen secret.LastFour, nothing string) error {
	if lastFour(next) != seen.Next {
		return cli.Errorf(cli.Refused, "--next-secret-file: it ends with …%s, and the next secret of client %.256q with …%s. %s", lastFour(next), id, seen.Next, nothing)
	}
	if isApp { // nothing else can be compared
		return nil
	}
	accepted, err := secrets.Probe(ctx, id, next)
	switch {
	case err != nil:
		return cli.Errorf("", "%w. %s", err, nothing)
	case !accepted:
		return cli.Errorf(cli.Refused, "--next-secret-file: Stytch refuses this secret of client %.256q. %s", id, nothing)
	}
	return nil
}

const stepCancelLong = `Drops the next secret of a client: it is refused from then on, and the current one keeps
working. A service that uses the next one already fails. A rotation that the journal has is
given up with "rotate cancel" instead, which gives the services their secret back.

It asks first; in a live project the id must be typed. Without a terminal, give --yes.

Exit codes: 0; 3 if there is no such client; 5 if no rotation is in progress; 7 if the
response was lost; 130 if it was not confirmed.`

func newStepCancel(app *cli.App) *cobra.Command {
	var isApp bool
	cmd := &cobra.Command{
		Use: "cancel ID", Short: "Drop the next secret", Long: stepCancelLong,
		Example: "  stytchctl rotate step cancel m2m-client-test-8f1c",
		Args:    cli.Args("the ID of a client"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return stepCancel(cmd.Context(), app, isApp, args[0])
		},
	}
	cmd.Flags().BoolVar(&isApp, "app", false, "the id is that of a Connected App")
	return cmd
}

func stepCancel(ctx context.Context, app *cli.App, isApp bool, id string) error {
	const nothing = "Nothing was canceled."
	if err := cli.CheckFields(app, stepColumns...); err != nil {
		return err
	}
	ctx, cancel := app.Context(ctx)
	defer cancel()
	secrets, seen, err := pending(ctx, app, isApp, id, nothing)
	if err != nil {
		return err
	}
	if err := confirm(ctx, app, "End the next secret …"+seen.Next+" of "+id+"?", id); err != nil {
		return err
	}
	if err := secrets.Cancel(ctx, id); err != nil {
		return afterStep(err, id, isApp, "The cancellation may have taken effect: it has if nothing is shown as pending.")
	}
	return printStep(app, stepped{ClientID: id, CurrentLastFour: seen.Current})
}

// afterStep explains the failure of a step whose request was sent.
func afterStep(err error, id string, isApp bool, unknown string) error {
	if errors.Is(err, stytch.ErrOutcomeUnknown) {
		look := stopContext{id: id, app: isApp}.line(advice{command: "clients get ID"})
		text, _, _ := strings.Cut(err.Error(), ": outcome unknown") // what follows is for programs in Go
		return &explained{cli.Error{Class: cli.OutcomeUnknown, Message: fmt.Sprintf("%s: the response was lost. %s\n  look: %s", text, unknown, look)}, err}
	}
	return err
}

func printStep(app *cli.App, s stepped) error {
	return cli.PrintOne(app, s, cli.Column[stepped]{Field: "client_id", Title: "CLIENT ID"},
		cli.Column[stepped]{Field: "client_secret_last_four", Title: "CURRENT", Text: func(s stepped) string { return "…" + s.CurrentLastFour }},
		cli.Column[stepped]{Field: "next_client_secret_last_four", Title: "NEXT"})
}

func stepWords(verb, id string, isApp bool) []string {
	words := []string{"rotate", "step", verb, id}
	if isApp {
		words = append(words, "--app")
	}
	return words
}

// lastFour is what Stytch shows of a secret.
func lastFour(s secret.String) string {
	text := s.Reveal()
	return text[max(0, len(text)-4):]
}
