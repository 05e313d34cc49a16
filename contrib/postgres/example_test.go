package postgres_test

import (
	"context"
	"errors"
	"iter"
	"log"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/contrib/postgres"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
	"github.com/stytchkit/m2m/stytch/secret"
)

// One of several workers, all of which run this program.
func Example() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	if err := postgres.Migrate(ctx, pool); err != nil {
		log.Fatal(err)
	}
	api, err := stytch.FromEnv()
	if err != nil {
		log.Fatal(err)
	}
	journal, err := postgres.New(pool, os.Getenv("STYTCH_PROJECT_ID"), secret.New(os.Getenv("JOURNAL_KEY")))
	if err != nil {
		log.Fatal(err)
	}
	limiter, err := journal.Bucket("stytch", 50, 10) // of all workers together
	if err != nil {
		log.Fatal(err)
	}
	rotator, err := rotate.New(api.M2M.Secrets, deliver.File("/run/billing/credentials.json"), journal,
		rotate.WithLimiter(limiter), rotate.WithGrace(time.Hour))
	if err != nil {
		log.Fatal(err)
	}
	if err := rotator.Run(ctx, "m2m-client-live-billing"); err != nil {
		log.Fatal(err)
	}
}

// Workers that share a fleet: one of them lists the clients, the others take from the same queue.
func Example_fleet() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	api, err := stytch.FromEnv()
	if err != nil {
		log.Fatal(err)
	}
	journal, err := postgres.New(pool, api.ProjectID(), secret.New(os.Getenv("JOURNAL_KEY")))
	if err != nil {
		log.Fatal(err)
	}
	rotator, err := rotate.New(api.M2M.Secrets, deliver.Folder("/run/credentials"), journal)
	if err != nil {
		log.Fatal(err)
	}
	workers, err := fleet.New(rotator, fleet.WithOlderThan(90*24*time.Hour))
	if err != nil {
		log.Fatal(err)
	}
	var clients iter.Seq2[string, error] // nil: help with what the first worker has planned
	if os.Getenv("WORKER") == "1" {
		clients = fleet.IDs(api.M2M.Search(ctx, stytch.M2MSearch{}), func(c stytch.M2MClient) (string, bool) { return c.ClientID, true })
	}
	report, err := workers.Run(ctx, clients)
	if err = errors.Join(err, report.Err()); err != nil {
		log.Fatal(err)
	}
	log.Print(report.Done, " clients by this worker")
}
