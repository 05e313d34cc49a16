package rotate_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/token"
)

// The secret of a running service changes. The service reads its credentials from a file, the
// rotation replaces that file, and the journal remembers how far it has come: after a crash, Run
// again.
func Example() {
	local, err := emulator.Start() // a local Stytch; leave WithBaseURL out to use the real one
	if err != nil {
		panic(err)
	}
	defer local.Close()
	api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
	check(err)
	ctx := context.Background()
	client, err := api.M2M.Create(ctx, stytch.M2MCreate{ClientName: "billing", Scopes: []string{"read:users"}})
	check(err)
	dir, err := os.MkdirTemp("", "rotate")
	check(err)
	defer os.RemoveAll(dir)

	// The service, with its first secret in a file.
	path := filepath.Join(dir, "billing.json")
	file := deliver.File(path)
	check(file.Deliver(ctx, rotate.Delivery{ClientID: client.ClientID, Secret: client.ClientSecret}))
	service, err := token.New(local.ProjectID, token.File(path), token.WithBaseURL(local.URL))
	check(err)
	defer service.Close()
	first, err := service.Token(ctx)
	check(err)

	// The rotation.
	journal, err := filejournal.New(filepath.Join(dir, "journal"), local.ProjectID)
	check(err)
	rotator, err := rotate.New(api.M2M.Secrets, file, journal, rotate.WithObserver(func(_ context.Context, e rotate.Event) {
		fmt.Println(e.To)
	}))
	check(err)
	check(rotator.Run(ctx, client.ClientID))

	// The service goes on, without a restart.
	service.Invalidate(first) // or wait until it expires
	_, err = service.Token(ctx)
	fmt.Println("a token by the new secret:", err == nil)
	works, err := api.M2M.Secrets.Probe(ctx, client.ClientID, client.ClientSecret)
	fmt.Println("the previous secret works:", works, err)
	// Output:
	// starting
	// started
	// delivered
	// verified
	// completing
	// completed
	// a token by the new secret: true
	// the previous secret works: false <nil>
}

// check is for examples.
func check(err error) {
	if err != nil {
		panic(err)
	}
}
