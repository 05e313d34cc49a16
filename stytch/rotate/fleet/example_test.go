package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
	"github.com/stytchkit/m2m/stytch/secret"
)

// This rotates all clients with a scope whose secret is older than 90 days. When Stytch responds to
// any request with 429, the automatic retries of the SDK included, the whole fleet slows down.
func ExampleFleet() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "fleet")
	check(err)
	defer os.RemoveAll(dir)
	places := deliver.Folder(filepath.Join(dir, "credentials")) // where the services read their secrets
	local, err := emulator.Start(emulator.WithM2MClients(40, func(i int) emulator.M2MClientSeed {
		id, first := fmt.Sprint("worker-", i), secret.Generate()
		check(places.Deliver(ctx, rotate.Delivery{ClientID: id, Secret: first}))
		return emulator.M2MClientSeed{ClientID: id, Secret: first.Reveal(), Scopes: []string{fmt.Sprint("queue:", i%4)}}
	}))
	check(err)
	defer local.Close()

	bucket, err := rotate.NewBucket(100, 10)
	check(err)
	api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL),
		stytch.WithObserver(func(_ context.Context, a stytch.Attempt) {
			var refused *stytch.Error
			if errors.As(a.Err, &refused) {
				if wait, ok := refused.Throttled(); ok {
					bucket.Throttle(wait)
				}
			}
		}))
	check(err)
	journal, err := filejournal.New(filepath.Join(dir, "journal"), local.ProjectID)
	check(err)
	rotator, err := rotate.New(api.M2M.Secrets, places, journal, rotate.WithLimiter(bucket))
	check(err)
	f, err := fleet.New(rotator, fleet.WithOlderThan(90*24*time.Hour))
	check(err)
	clients := fleet.IDs(api.M2M.Search(ctx, stytch.M2MSearch{}), func(c stytch.M2MClient) (string, bool) {
		return c.ClientID, slices.Contains(c.Scopes, "queue:0")
	})

	forecast, err := f.Forecast(ctx, clients)
	check(err)
	fmt.Println(forecast.Clients, "clients,", forecast.Calls, "requests,", forecast.BilledTokens, "tokens")
	report, err := f.Run(ctx, clients)
	check(errors.Join(err, report.Err())) // Run has no error although clients failed
	fmt.Println(report.Done, "done,", report.Failed, "failed")
	report, err = f.Run(ctx, clients)
	check(errors.Join(err, report.Err()))
	fmt.Println(report.Skipped, "skipped")
	// Output:
	// 10 clients, 80 requests, 30 tokens
	// 10 done, 0 failed
	// 10 skipped
}

// stage is a rotator for clients of a local Stytch whose services read their secrets in a folder.
// There is no place for the client "broken".
func stage(n int) (rotator *rotate.Rotator, clients []string, stop func()) {
	dir, err := os.MkdirTemp("", "fleet")
	check(err)
	places := deliver.Folder(filepath.Join(dir, "credentials"))
	local, err := emulator.Start(emulator.WithM2MClients(n, func(i int) emulator.M2MClientSeed {
		id, first := fmt.Sprint("worker-", i), secret.Generate()
		check(places.Deliver(context.Background(), rotate.Delivery{ClientID: id, Secret: first}))
		clients = append(clients, id)
		return emulator.M2MClientSeed{ClientID: id, Secret: first.Reveal(), Scopes: []string{"read:jobs"}}
	}), emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "broken", Scopes: []string{"read:jobs"}}))
	check(err)
	api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
	check(err)
	journal, err := filejournal.New(filepath.Join(dir, "journal"), local.ProjectID)
	check(err)
	rotator, err = rotate.New(api.M2M.Secrets, places, journal)
	check(err)
	return rotator, clients, func() { _ = os.RemoveAll(dir); _ = local.Close() }
}

// ids are clients by a list of their own, such as one from a database.
func ids(list []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, id := range list {
			if !yield(id, nil) {
				return
			}
		}
	}
}

// A client that fails does not stop the others. The report says which one it was, and why.
func ExampleReport_Err() {
	rotator, clients, stop := stage(3)
	defer stop()
	f, err := fleet.New(rotator)
	check(err)

	report, err := f.Run(context.Background(), ids(append(clients, "broken")))
	check(err) // the fleet was run to its end
	fmt.Println(report.Done, "done,", report.Failed, "failed, no error:", report.Err() == nil)
	for _, err := range report.Failures {
		var failed *rotate.Error
		if errors.As(err, &failed) {
			fmt.Println(failed.ClientID, "-", failed.Advice())
		}
	}
	// Output:
	// 3 done, 1 failed, no error: false
	// broken - nothing was begun; check that the deliverer is that of the service, or provide the secret in use (WithCurrent); if it is lost, rotate without it (WithUnknownCurrent)
}

// After a crash: this continues what is in progress, and begins nothing.
func ExampleFleet_Resume() {
	rotator, clients, stop := stage(3)
	defer stop()
	ctx := context.Background()
	for _, id := range clients[:2] { // a process that ended halfway
		check(rotator.Plan(ctx, id))
		_, err := rotator.Step(ctx, id)
		check(err)
	}

	f, err := fleet.New(rotator)
	check(err)
	report, err := f.Resume(ctx)
	check(errors.Join(err, report.Err()))
	fmt.Println(report.Done, "done")
	// Output: 2 done
}

// A fleet stops when too much fails, because that has one cause: a wrong setting, or a place that
// is down.
func ExampleWithMaxFailures() {
	rotator, clients, stop := stage(3)
	defer stop()
	f, err := fleet.New(rotator, fleet.WithMaxFailures(1), fleet.WithConcurrency(1))
	check(err)

	report, err := f.Run(context.Background(), ids(append([]string{"broken"}, clients...)))
	fmt.Println(errors.Is(err, fleet.ErrTooManyFailures), report.Failed, "failed")
	// Output: true 1 failed
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
