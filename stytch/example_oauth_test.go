package stytch_test

import (
	"context"
	"fmt"
	"log"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
)

// An app registers itself, without the secret of the project, and later asks about its token.
func ExampleOAuth() {
	local, err := emulator.Start(emulator.WithBehavior(emulator.Behavior{DynamicRegistration: true}))
	if err != nil {
		log.Fatal(err)
	}
	defer local.Close()

	ctx := context.Background()
	oauth, err := stytch.NewOAuth(local.ProjectID, stytch.WithBaseURL(local.URL)) // against Stytch: WithProjectDomain
	if err != nil {
		log.Fatal(err)
	}
	app, err := oauth.Register(ctx, stytch.AppRegistration{
		ClientName: "add-on", RedirectURIs: []string{"https://addon.example.com/callback"},
		TokenEndpointAuthMethod: gen.TokenEndpointAuthMethodClientSecretBasic,
	})
	if err != nil {
		log.Fatal(err)
	}
	claims, err := local.Claims(app.ClientID, "openid") // a token that a user gave to the app
	if err != nil {
		log.Fatal(err)
	}
	issued, err := local.Sign(claims)
	if err != nil {
		log.Fatal(err)
	}
	token := stytch.TokenRequest{Token: secret.New(issued), ClientID: app.ClientID, ClientSecret: app.ClientSecret}
	before, err := oauth.Introspect(ctx, token)
	if err != nil {
		log.Fatal(err)
	}
	if err := oauth.Revoke(ctx, token); err != nil {
		log.Fatal(err)
	}
	after, err := oauth.Introspect(ctx, token)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("active:", before, "then", after)
	// Output: active: true then false
}
