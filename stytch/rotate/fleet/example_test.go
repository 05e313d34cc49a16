package fleet_test

import (
	"context"
	"errors"
	"fmt"
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

func check(err error) {
	if err != nil {
		panic(err)
	}
}
