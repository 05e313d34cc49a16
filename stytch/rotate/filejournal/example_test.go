//go:build unix

package filejournal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/secret"
)

// stage is a local Stytch with clients, a folder where their services read their secrets, and an
// empty folder for a journal.
func stage(ids ...string) (api *stytch.Client, places *deliver.Files, dir string, stop func()) {
	ctx := context.Background()
	root, err := os.MkdirTemp("", "filejournal")
	check(err)
	places = deliver.Folder(filepath.Join(root, "credentials"))
	var seeds []emulator.Option
	for _, id := range ids {
		first := secret.Generate()
		check(places.Deliver(ctx, rotate.Delivery{ClientID: id, Secret: first}))
		seeds = append(seeds, emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: id, Secret: first.Reveal(), Scopes: []string{"a"}}))
	}
	local, err := emulator.Start(seeds...)
	check(err)
	api, err = stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
	check(err)
	return api, places, filepath.Join(root, "journal"), func() { _ = os.RemoveAll(root); _ = local.Close() }
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// A rotator keeps its journal in a folder. Give New a key, and the folder alone gives no secret
// away.
func ExampleNew() {
	api, places, dir, stop := stage("billing")
	defer stop()
	ctx := context.Background()
	key := secret.New("32 bytes or more, from where you keep other secrets")
	journal, err := filejournal.New(dir, api.ProjectID(), key)
	check(err)
	rotator, err := rotate.New(api.M2M.Secrets, places, journal)
	check(err)
	check(rotator.Run(ctx, "billing"))

	record, err := journal.Read(ctx, "billing")
	check(err)
	fmt.Println(record.ClientID, record.State)
	// Output: billing completed
}

// Without the key, records with secrets cannot be read. A new key goes first: it encrypts, and all
// of them decrypt.
func ExampleNew_keys() {
	api, places, dir, stop := stage("billing")
	defer stop()
	ctx := context.Background()
	oldKey, newKey := secret.New("an old key of 32 bytes or more ..."), secret.New("a new key of 32 bytes or more ....")
	journal, err := filejournal.New(dir, api.ProjectID(), oldKey)
	check(err)
	rotator, err := rotate.New(api.M2M.Secrets, places, journal)
	check(err)
	check(rotator.Plan(ctx, "billing"))
	_, err = rotator.Step(ctx, "billing") // the record has two secrets now
	check(err)

	for _, keys := range [][]secret.String{nil, {newKey}, {newKey, oldKey}} {
		journal, err := filejournal.New(dir, api.ProjectID(), keys...)
		check(err)
		_, err = journal.Read(ctx, "billing")
		fmt.Println(len(keys), "keys, readable:", err == nil)
	}
	// Output:
	// 0 keys, readable: false
	// 1 keys, readable: false
	// 2 keys, readable: true
}

// What is in progress, and what has ended.
func ExampleJournal_Records() {
	api, places, dir, stop := stage("billing", "mailer", "reports")
	defer stop()
	ctx := context.Background()
	journal, err := filejournal.New(dir, api.ProjectID())
	check(err)
	rotator, err := rotate.New(api.M2M.Secrets, places, journal)
	check(err)
	check(rotator.Run(ctx, "billing"))
	check(rotator.Plan(ctx, "reports"))

	for record, err := range journal.Records(ctx) {
		check(err)
		fmt.Println(record.ClientID, record.State)
	}
	for id, err := range journal.Unfinished(ctx) {
		check(err)
		fmt.Println("unfinished:", id)
	}
	// Output:
	// billing completed
	// reports planned
	// unfinished: reports
}

// One process rotates a client. Another one is refused, and waits or goes to the next client.
func ExampleJournal_Claim() {
	_, _, dir, stop := stage()
	defer stop()
	ctx := context.Background()
	first, err := filejournal.New(dir, "project-test-1")
	check(err)
	second, err := filejournal.New(dir, "project-test-1")
	check(err)

	claim, err := first.Claim(ctx, "billing", time.Minute)
	check(err)
	_, err = second.Claim(ctx, "billing", time.Minute)
	fmt.Println("busy:", errors.Is(err, rotate.ErrBusy))
	check(claim.Release(ctx))
	claim, err = second.Claim(ctx, "billing", time.Minute)
	check(err)
	fmt.Println("claimed:", claim.Release(ctx) == nil)
	// Output:
	// busy: true
	// claimed: true
}

// Before a folder is trusted again, after a restore or a full disk: is every record whole?
func ExampleJournal_Inspect() {
	api, places, dir, stop := stage("billing")
	defer stop()
	ctx := context.Background()
	journal, err := filejournal.New(dir, api.ProjectID())
	check(err)
	rotator, err := rotate.New(api.M2M.Secrets, places, journal)
	check(err)
	check(rotator.Run(ctx, "billing"))
	findings, err := journal.Inspect(ctx)
	fmt.Println(len(findings), err)

	check(os.Truncate(filepath.Join(dir, "billing.json"), 10))
	findings, err = journal.Inspect(ctx)
	check(err)
	for _, finding := range findings {
		fmt.Println(errors.Is(finding, rotate.ErrCorrupt))
	}
	// Output:
	// 0 <nil>
	// true
}
