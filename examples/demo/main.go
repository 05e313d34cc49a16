// Command demo runs the main job of the SDK against a local Stytch and prints each step. It needs
// no account and no network.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
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

const fleet = 2500 // clients that exist from the start

func main() {
	log.SetFlags(0)
	local, err := emulator.Start(emulator.WithM2MClients(fleet, existing))
	if err != nil {
		log.Fatal(err)
	}
	defer local.Close()
	api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
	if err != nil {
		log.Fatal(err)
	}
	d := demo{api: api}
	fmt.Printf("A local Stytch listens on %s, with %d M2M clients in it.\n", local.URL, fleet)
	for i, step := range []struct {
		title string
		run   func(context.Context) error
	}{
		{"Create a client", d.create},
		{"Search with paging", d.search},
		{"Change one field, clear another", d.update},
		{"Rotate the secret without downtime", d.rotate},
		{"Delete the client", d.remove},
	} {
		fmt.Printf("\n%d. %s\n", i+1, step.title)
		if err := step.run(context.Background()); err != nil {
			log.Fatalf("   failed: %v", err)
		}
	}
	fmt.Printf("\nDone. This issued %d access tokens; Stytch bills each of them.\n", local.TokensMinted(""))
}

func existing(i int) emulator.M2MClientSeed {
	scopes := []string{"read:users"}
	if i%10 == 0 {
		scopes = append(scopes, "write:invoices")
	}
	return emulator.M2MClientSeed{ClientID: fmt.Sprintf("fleet-%04d", i), Name: fmt.Sprintf("Worker %04d", i), Scopes: scopes}
}

type demo struct {
	api *stytch.Client

	id      string
	current secret.String
}

func say(format string, args ...any) { fmt.Printf("   "+format+"\n", args...) }

func (d *demo) create(ctx context.Context) error {
	metadata, err := stytch.NewMetadata(map[string]any{"team": "billing", "tier": 2})
	if err != nil {
		return err
	}
	created, err := d.api.M2M.Create(ctx, stytch.M2MCreate{
		ClientName: "Billing worker", ClientDescription: "Charges cards at night",
		Scopes: []string{"write:invoices", "read:users"}, TrustedMetadata: metadata,
	})
	if err != nil {
		return err
	}
	d.id, d.current = created.ClientID, created.ClientSecret
	say("client id   %s", created.ClientID)
	say("secret      %v   (ends in %s; it always prints like this, only Reveal returns it)", created.ClientSecret, created.ClientSecretLastFour)
	return d.tryToken(ctx, "the secret", d.current, true)
}

func (d *demo) search(ctx context.Context) error {
	start, pages, found := time.Now(), 0, 0
	query := stytch.M2MSearch{
		Filter: stytch.All(stytch.HasScope("write:invoices")), Limit: 100,
		OnPage: func(stytch.PageInfo) { pages++ },
	}
	for _, err := range d.api.M2M.Search(ctx, query) {
		if err != nil {
			return err
		}
		found++
	}
	say("%d of %d clients hold write:invoices: %d pages of 100, %v", found, fleet+1, pages, time.Since(start).Round(time.Millisecond))

	start, pages, found = time.Now(), 0, 0
	all := stytch.M2MSearch{Limit: 1000, Prefetch: true, OnPage: query.OnPage}
	for _, err := range d.api.M2M.Search(ctx, all) {
		if err != nil {
			return err
		}
		found++
	}
	say("%d clients in all: %d pages of 1,000, the next one prefetched, %v", found, pages, time.Since(start).Round(time.Millisecond))
	return nil
}

func (d *demo) update(ctx context.Context) error {
	metadata, err := stytch.NewMetadata(map[string]any{"tier": 3, "team": nil})
	if err != nil {
		return err
	}
	client, err := d.api.M2M.Update(ctx, d.id, stytch.M2MUpdate{
		ClientDescription: stytch.Set(""),
		TrustedMetadata:   stytch.Set(metadata),
	})
	if err != nil {
		return err
	}
	say("description %q   (cleared)", client.ClientDescription)
	say("metadata    %s   (tier changed, team removed)", client.TrustedMetadata)
	say("name        %q, scopes %v   (unchanged)", client.ClientName, client.Scopes)
	return nil
}

// rotate replaces the secret while a service could keep running: the service reads it from a file.
func (d *demo) rotate(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "m2m-demo")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := deliver.File(filepath.Join(dir, "credentials.json"))
	err = file.Deliver(ctx, rotate.Delivery{ClientID: d.id, Secret: d.current})
	if errors.Is(err, errors.ErrUnsupported) {
		say("skipped: files for secrets need a Unix system")
		return nil
	}
	if err != nil {
		return err
	}
	journal, err := filejournal.New(filepath.Join(dir, "journal"), d.api.ProjectID())
	if err != nil {
		return err
	}
	rotator, err := rotate.New(d.api.M2M.Secrets, file, journal, rotate.WithObserver(func(_ context.Context, e rotate.Event) {
		say("%-11s %s", e.To, e.Working)
	}))
	if err != nil {
		return err
	}
	if err := rotator.Run(ctx, d.id); err != nil {
		return err
	}
	held, err := file.Read(ctx, d.id)
	if err != nil {
		return err
	}
	return errors.Join(d.tryToken(ctx, "the old secret", d.current, false), d.tryToken(ctx, "the file's secret", held.Secret, true))
}

func (d *demo) remove(ctx context.Context) error {
	if err := d.api.M2M.Delete(ctx, d.id); err != nil {
		return err
	}
	_, err := d.api.M2M.Get(ctx, d.id)
	if !errors.Is(err, stytch.ErrNotFound) {
		return fmt.Errorf("read the deleted client: %w, want ErrNotFound", err)
	}
	say("deleted; reading it now fails with:")
	say("%v", err)
	return nil
}

// tryToken requests an access token: the only proof that a secret works.
func (d *demo) tryToken(ctx context.Context, name string, s secret.String, works bool) error {
	got, err := d.api.M2M.Secrets.Probe(ctx, d.id, s)
	if err != nil {
		return err
	}
	if got != works {
		return fmt.Errorf("%s: accepted %v, want %v", name, got, works)
	}
	mark := "gets a token"
	if !works {
		mark = "is refused"
	}
	say("%-14s %s", name, mark)
	return nil
}
