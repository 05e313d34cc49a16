package rotate_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/secret"
)

// billing is a client of a local Stytch, a file where its service reads the secret, and a journal.
func billing() (api *stytch.Client, file *deliver.Files, journal *filejournal.Journal, stop func()) {
	first := secret.Generate()
	local, err := emulator.Start(emulator.WithM2MClient(emulator.M2MClientSeed{
		ClientID: "billing", Secret: first.Reveal(), Scopes: []string{"read:users"},
	}))
	check(err)
	dir, err := os.MkdirTemp("", "rotate")
	check(err)
	api, err = stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
	check(err)
	file = deliver.File(filepath.Join(dir, "billing.json"))
	check(file.Deliver(context.Background(), rotate.Delivery{ClientID: "billing", Secret: first}))
	journal, err = filejournal.New(filepath.Join(dir, "journal"), local.ProjectID)
	check(err)
	return api, file, journal, func() { _ = os.RemoveAll(dir); _ = local.Close() }
}

// What a run would cost, and whether it could begin. Neither changes anything; a check costs one
// token.
func ExampleRotator_Check() {
	api, file, journal, stop := billing()
	defer stop()
	ctx := context.Background()
	rotator, err := rotate.New(api.M2M.Secrets, file, journal)
	check(err)

	forecast, err := rotator.Forecast(ctx, "billing")
	check(err)
	fmt.Println("forecast:", forecast.Calls, "requests,", forecast.BilledTokens, "tokens")
	report, err := rotator.Check(ctx, "billing")
	check(err)
	fmt.Println("current secret:", report.Current, "- from", report.Source)
	// Output:
	// forecast: 8 requests, 3 tokens
	// current secret: works - from place "deliverer"
}

// A rotation stops at the first failure, with both secrets working, and continues from there. The
// process that continues may be another one.
func ExampleRotator_Resume() {
	api, file, journal, stop := billing()
	defer stop()
	ctx := context.Background()
	sealed := true
	vault := rotate.DelivererFunc(func(context.Context, rotate.Delivery) error { // a place that is not available
		if sealed {
			return errors.New("503 sealed")
		}
		return nil
	})
	places := rotate.Deliverers{"file": file, "vault": vault}
	rotator, err := rotate.New(api.M2M.Secrets, places, journal)
	check(err)

	err = rotator.Run(ctx, "billing")
	fmt.Println(err)
	var stopped *rotate.Error
	if errors.As(err, &stopped) {
		fmt.Println("both work:", stopped.Working.Current == rotate.Accepted && stopped.Working.Next == rotate.Accepted)
	}

	sealed = false
	check(rotator.Resume(ctx, "billing"))
	status, err := rotator.Status(ctx, "billing")
	fmt.Println(status.State, err)
	// Output:
	// rotate: client "billing": started: delivery failed: vault: 503 sealed; the current and the next secret work; run again to continue from here
	// both work: true
	// completed <nil>
}

// A rotation that is not wanted any more ends with the secret that it began with.
func ExampleRotator_Cancel() {
	api, file, journal, stop := billing()
	defer stop()
	ctx := context.Background()
	before, err := file.Read(ctx, "billing")
	check(err)
	rotator, err := rotate.New(api.M2M.Secrets, file, journal)
	check(err)

	check(rotator.Plan(ctx, "billing"))
	for range 2 { // see ExampleRotator_Step
		status, err := rotator.Step(ctx, "billing")
		check(err)
		fmt.Println(status.State)
	}
	check(rotator.Cancel(ctx, "billing"))
	status, err := rotator.Status(ctx, "billing")
	check(err)
	after, err := file.Read(ctx, "billing")
	check(err)
	fmt.Println(status.State, "- same secret:", after.Secret.Equal(before.Secret))
	// Output:
	// started
	// delivered
	// canceled - same secret: true
}

// One step at a time, for a scheduler that must not wait.
func ExampleRotator_Step() {
	api, file, journal, stop := billing()
	defer stop()
	ctx := context.Background()
	rotator, err := rotate.New(api.M2M.Secrets, file, journal)
	check(err)

	check(rotator.Plan(ctx, "billing"))
	for {
		status, err := rotator.Step(ctx, "billing")
		check(err)
		fmt.Println(status.State)
		if status.State == rotate.Completed {
			break
		}
	}
	// Output:
	// started
	// delivered
	// verified
	// completing
	// completed
}
