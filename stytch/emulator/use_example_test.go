package emulator_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
	"github.com/stytchkit/m2m/stytch/verify"
)

var worker = emulator.M2MClientSeed{ClientID: "worker", Secret: "Correct-Horse-9", Scopes: []string{"read:users"}}

// A program that starts its own Stytch. Only the address differs from the real one.
func ExampleStart() {
	local, err := emulator.Start(emulator.WithM2MClient(worker))
	if err != nil {
		log.Fatal(err)
	}
	defer local.Close()

	api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
	if err != nil {
		log.Fatal(err)
	}
	client, err := api.M2M.Get(context.Background(), "worker")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.ClientID, client.Scopes)
	// Output: worker [read:users]
}

// The client is created, but its response is lost. What would your program do?
func ExampleWithFaults() {
	local, err := emulator.Start(emulator.WithFaults(emulator.DropResponse("CreateM2MClient").Times(1)))
	if err != nil {
		log.Fatal(err)
	}
	defer local.Close()
	api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
	if err != nil {
		log.Fatal(err)
	}

	_, err = api.M2M.Create(context.Background(), stytch.M2MCreate{ClientName: "billing", Scopes: []string{"read:users"}})
	fmt.Println("unknown:", errors.Is(err, stytch.ErrOutcomeUnknown))
	for client, err := range api.M2M.Search(context.Background(), stytch.M2MSearch{}) {
		fmt.Println("there is", client.ClientName, err)
	}
	// Output:
	// unknown: true
	// there is billing <nil>
}

// The log of requests says why one was refused, which Stytch does not.
func ExampleEmulator_Requests() {
	local, err := emulator.Start(emulator.WithM2MClient(worker))
	if err != nil {
		log.Fatal(err)
	}
	defer local.Close()

	source, err := token.New(local.ProjectID, token.Static("worker", secret.New("Wrong-Horse-9")), token.WithBaseURL(local.URL))
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()
	_, err = source.Token(context.Background())
	fmt.Println(errors.Is(err, token.ErrInvalidClient))
	for _, r := range local.Requests() {
		fmt.Println(r.Status, r.ErrorType, "-", r.Reason)
	}
	fmt.Println("billed:", local.TokensMinted("worker"))
	// Output:
	// true
	// 400 invalid_client - the secret does not match the secret of the client "worker" (last four "se-9"; no rotation is in progress)
	// billed: 0
}

// A verifier must refuse tokens that Stytch would not issue: make one from the claims of a good
// one.
func ExampleEmulator_Sign() {
	local, err := emulator.Start(emulator.WithM2MClient(worker))
	if err != nil {
		log.Fatal(err)
	}
	defer local.Close()
	verifier, err := verify.New(local.ProjectID, verify.WithBaseURL(local.URL))
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close()

	for _, change := range []func(claims map[string]any){
		func(map[string]any) {},
		func(claims map[string]any) {
			issued := time.Now().Add(-2 * time.Hour).Unix()
			claims["iat"], claims["nbf"], claims["exp"] = issued, issued, issued+3600
		},
		func(claims map[string]any) { claims["aud"] = "another-project" },
		func(claims map[string]any) { claims["sub"] = "user-test-1" },
	} {
		claims, err := local.Claims("worker", "read:users")
		if err != nil {
			log.Fatal(err)
		}
		change(claims)
		raw, err := local.Sign(claims)
		if err != nil {
			log.Fatal(err)
		}
		_, err = verifier.Verify(context.Background(), raw)
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// verify: token expired: exp has passed
	// verify: audience not accepted: see WithAudiences
	// verify: kind of token not accepted: the subject is not an M2M client
}

// Stytch changes its signing key. The tokens of both keys must be accepted until the old key is
// retired.
func ExampleEmulator_RotateSigningKey() {
	local, err := emulator.Start(emulator.WithM2MClient(worker))
	if err != nil {
		log.Fatal(err)
	}
	defer local.Close()
	verifier, err := verify.New(local.ProjectID, verify.WithBaseURL(local.URL))
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close()
	accepted := func() bool {
		claims, err := local.Claims("worker")
		if err != nil {
			log.Fatal(err)
		}
		raw, err := local.Sign(claims)
		if err != nil {
			log.Fatal(err)
		}
		_, err = verifier.Verify(context.Background(), raw)
		return err == nil
	}

	fmt.Println("accepted:", accepted())
	local.RotateSigningKey()
	fmt.Println("accepted after the change:", accepted())
	fmt.Println("keys:", len(local.Keys()))
	// Output:
	// accepted: true
	// accepted after the change: true
	// keys: 2
}
