package stytch_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
)

// localStytch starts a local Stytch and returns a client for it. In a test, emulatortest.NewServer
// does the first half.
func localStytch(options []stytch.Option, seeds ...emulator.Option) (api *stytch.Client, stop func()) {
	local, err := emulator.Start(seeds...)
	if err != nil {
		log.Fatal(err)
	}
	api, err = stytch.New(local.ProjectID, local.Secret, append(options, stytch.WithBaseURL(local.URL))...)
	if err != nil {
		log.Fatal(err)
	}
	return api, func() { _ = local.Close() }
}

// A client of a local Stytch. Against Stytch itself, leave out the emulator and the base URL.
func Example() {
	local, err := emulator.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer local.Close()

	ctx := context.Background()
	api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
	if err != nil {
		log.Fatal(err)
	}
	created, err := api.M2M.Create(ctx, stytch.M2MCreate{ClientName: "billing", Scopes: []string{"write:invoices"}})
	if err != nil {
		log.Fatal(err)
	}
	// The secret is never shown again: created.ClientSecret.Reveal() is the way to it.
	fmt.Println("secret:", created.ClientSecret)

	client, err := api.M2M.Get(ctx, created.ClientID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.ClientName, client.Status, client.Scopes)
	// Output:
	// secret: [REDACTED]
	// billing active [write:invoices]
}

// With an id and a secret of its own, which the caller stores first, Create may be repeated: after
// a lost response, a crash or a restart it ends with one client, whose secret is known.
func ExampleM2M_Create_ownSecret() {
	api, stop := localStytch(nil, emulator.WithFaults(emulator.DropResponse("CreateM2MClient").Times(1)))
	defer stop()

	chosen := secret.Generate()
	request := stytch.M2MCreate{ClientID: "billing", ClientSecret: secret.Outgoing(chosen), Scopes: []string{"write:invoices"}}
	for range 2 {
		created, err := api.M2M.Create(context.Background(), request)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(created.ClientID, created.ClientSecret.Equal(chosen))
	}
	page, err := api.M2M.SearchPage(context.Background(), stytch.M2MSearch{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("clients:", page.Total)
	// Output:
	// billing true
	// billing true
	// clients: 1
}

func ExampleM2M_Search() {
	api, stop := localStytch(nil, emulator.WithM2MClients(250, func(i int) emulator.M2MClientSeed {
		return emulator.M2MClientSeed{Name: fmt.Sprint("worker ", i), Scopes: []string{[]string{"read:jobs", "write:jobs"}[i%2]}}
	}))
	defer stop()

	found := 0
	for client, err := range api.M2M.Search(context.Background(), stytch.M2MSearch{
		Filter:   stytch.All(stytch.HasScope("write:jobs")),
		Limit:    100,
		Prefetch: true,
		OnPage:   func(p stytch.PageInfo) { fmt.Println("a page of", p.Total) },
	}) {
		if err != nil {
			log.Fatal(err)
		}
		if found++; found == 1 {
			fmt.Println("first:", client.ClientName)
		}
	}
	fmt.Println("found:", found)
	// Output:
	// a page of 125
	// first: worker 1
	// a page of 125
	// found: 125
}

// Fields that are not set stay as they are. Metadata is merged: a key with null is removed.
func ExampleM2M_Update() {
	api, stop := localStytch(nil, emulator.WithM2MClient(emulator.M2MClientSeed{
		ClientID: "billing", Name: "Billing", Description: "to be emptied", Scopes: []string{"write:invoices"},
		Metadata: map[string]any{"plan": "free", "old": true, "team": "payments"},
	}))
	defer stop()

	change, err := stytch.NewMetadata(map[string]any{"plan": "pro", "old": nil})
	if err != nil {
		log.Fatal(err)
	}
	client, err := api.M2M.Update(context.Background(), "billing", stytch.M2MUpdate{
		ClientDescription: stytch.Set(""),
		Scopes:            stytch.List("read:invoices", "write:invoices"),
		TrustedMetadata:   stytch.Set(change),
	})
	if err != nil {
		log.Fatal(err)
	}
	var meta struct{ Plan, Team string }
	if err := client.TrustedMetadata.Decode(&meta); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %q %v %+v\n", client.ClientName, client.ClientDescription, client.Scopes, meta)
	// Output: Billing "" [read:invoices write:invoices] {Plan:pro Team:payments}
}

// Clear sends null, whose meaning Stytch does not document; the local Stytch empties the field by
// default.
func ExampleClear() {
	api, stop := localStytch(nil, emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "billing", Name: "Billing", Description: "d", Scopes: []string{"a"}}))
	defer stop()

	client, err := api.M2M.Update(context.Background(), "billing", stytch.M2MUpdate{ClientDescription: stytch.Clear[string]()})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %q\n", client.ClientName, client.ClientDescription)
	// Output: Billing ""
}

// A rotation without an outage: both secrets are accepted between Start and Complete.
func ExampleSecrets() {
	api, stop := localStytch(nil, emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "billing", Secret: "an-imported-first-one", Scopes: []string{"a"}}))
	defer stop()
	ctx, secrets := context.Background(), api.M2M.Secrets

	next, err := secrets.Start(ctx, "billing")
	if err != nil {
		log.Fatal(err)
	}
	// Deliver next.Reveal() to where the client runs, and see that it works there.
	pending, err := secrets.LastFour(ctx, "billing")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("next:", next, "rotating:", pending.Rotating(), "still accepted: …"+pending.Current)

	if err := secrets.Complete(ctx, "billing"); err != nil { // or Cancel
		log.Fatal(err)
	}
	fmt.Println("again:", errors.Is(secrets.Complete(ctx, "billing"), stytch.ErrNotRotating))
	// Output:
	// next: [REDACTED] rotating: true still accepted: …-one
	// again: true
}

func ExampleError() {
	api, stop := localStytch(nil)
	defer stop()

	_, err := api.M2M.Get(context.Background(), "nobody")
	var e *stytch.Error
	switch {
	case errors.Is(err, stytch.ErrNotFound) && errors.As(err, &e):
		fmt.Println(e.Operation, e.StatusCode, e.Type, e.RequestID != "")
	case errors.Is(err, stytch.ErrOutcomeUnknown):
		fmt.Println("it may have happened:", err)
	case err != nil:
		fmt.Println(err)
	}

	_, err = api.M2M.Get(context.Background(), "..")
	fmt.Println(errors.Is(err, stytch.ErrInvalidArgument), err)
	// Output:
	// GetM2MClient 404 m2m_client_not_found true
	// true stytch: GetM2MClient: client id must not be a dot segment
}

func ExampleWithResponse() {
	api, stop := localStytch(nil, emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "billing", Scopes: []string{"a"}}))
	defer stop()

	var response stytch.Response
	if _, err := api.M2M.Get(stytch.WithResponse(context.Background(), &response), "billing"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.StatusCode, response.Header.Get("Content-Type"), response.RequestID != "")
	// Output: 200 application/json true
}

func ExampleWithObserver() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey { // for the example
			return slog.Attr{}
		}
		return a
	}}))
	observe := stytch.WithObserver(func(ctx context.Context, a stytch.Attempt) {
		logger.DebugContext(ctx, "stytch", "operation", a.Operation, "attempt", a.Number, "status", a.StatusCode)
	})
	api, stop := localStytch([]stytch.Option{observe}, emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "billing", Scopes: []string{"a"}}),
		emulator.WithFaults(emulator.HTML("GetM2MClient", 502).Times(1)))
	defer stop()

	if _, err := api.M2M.Get(context.Background(), "billing"); err != nil {
		log.Fatal(err)
	}
	// Output:
	// level=DEBUG msg=stytch operation=GetM2MClient attempt=1 status=502
	// level=DEBUG msg=stytch operation=GetM2MClient attempt=2 status=200
}

// The generated client reaches what the wrapper does not wrap, with the same retries, limits and
// errors.
func ExampleClient_Do() {
	api, stop := localStytch(nil)
	defer stop()

	raw, err := gen.NewClientWithResponses(api.BaseURL(), gen.WithHTTPClient(api))
	if err != nil {
		log.Fatal(err)
	}
	keys, err := raw.GetJWKSWithResponse(context.Background(), api.ProjectID())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(keys.JSON200.Keys[0].Alg)
	// Output: RS256
}
