package awssecrets_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	awssecrets "github.com/stytchkit/m2m/contrib/awssecrets"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/secret"
)

// The secret of a client is in Secrets Manager, where a rotation replaces it.
func Example() {
	local, err := emulator.Start() // a local Stytch; leave WithBaseURL out to use the real one
	if err != nil {
		panic(err)
	}
	defer local.Close()
	cloud, stop := startServer() // stands in for AWS
	defer stop()
	api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
	check(err)
	ctx := context.Background()
	client, err := api.M2M.Create(ctx, stytch.M2MCreate{ClientName: "billing", Scopes: []string{"read:users"}})
	check(err)
	dir, err := os.MkdirTemp("", "rotate")
	check(err)
	defer os.RemoveAll(dir)
	journal, err := filejournal.New(filepath.Join(dir, "journal"), local.ProjectID)
	check(err)

	deliverer, err := awssecrets.New(connect(cloud), // secretsmanager.NewFromConfig(config)
		func(clientID string) string { return "stytch/" + clientID }, awssecrets.WithCreate(secretsmanager.CreateSecretInput{}))
	check(err)
	check(deliverer.Deliver(ctx, rotate.Delivery{ClientID: client.ClientID, Secret: client.ClientSecret})) // the first one
	rotator, err := rotate.New(api.M2M.Secrets, deliverer, journal)
	check(err)
	check(rotator.Run(ctx, client.ClientID))

	held, err := deliverer.Read(ctx, client.ClientID)
	check(err)
	works, err := api.M2M.Secrets.Probe(ctx, client.ClientID, held.Secret)
	fmt.Println("what Secrets Manager holds works:", works, err)
	works, err = api.M2M.Secrets.Probe(ctx, client.ClientID, client.ClientSecret)
	fmt.Println("the previous secret works:", works, err)
	// Output:
	// what Secrets Manager holds works: true <nil>
	// the previous secret works: false <nil>
}

// check is for examples.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// Before a rotation: can the secret of each client be read and written? Nothing is changed.
func ExampleDeliverer_Check() {
	cloud, stop := startServer() // stands in for AWS
	defer stop()
	ctx := context.Background()
	deliverer, err := awssecrets.New(connect(cloud), func(clientID string) string { return "stytch/" + clientID })
	check(err)
	fmt.Println("missing:", errors.Is(deliverer.Check(ctx, "billing"), awssecrets.ErrMissing))

	creating, err := awssecrets.New(connect(cloud), func(clientID string) string { return "stytch/" + clientID },
		awssecrets.WithCreate(secretsmanager.CreateSecretInput{Description: aws.String("an M2M client of Stytch")}))
	check(err)
	check(creating.Deliver(ctx, rotate.Delivery{ClientID: "billing", Secret: secret.Generate()}))
	fmt.Println("ready:", deliverer.Check(ctx, "billing") == nil)
	// Output:
	// missing: true
	// ready: true
}
