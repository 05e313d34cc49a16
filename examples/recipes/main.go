// Command recipes is the recipe for Go: create a client, get a token, verify it. The other files of
// this folder do the same in other languages. It reads STYTCH_PROJECT_ID, STYTCH_PROJECT_SECRET and
// STYTCH_BASE_URL, as stytchctl emulator serve prints them.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/token"
	"github.com/stytchkit/m2m/stytch/verify"
)

func main() {
	ctx, project, address := context.Background(), os.Getenv("STYTCH_PROJECT_ID"), os.Getenv("STYTCH_BASE_URL")
	api := must(stytch.FromEnv())
	client := must(api.M2M.Create(ctx, stytch.M2MCreate{ClientName: "from Go", Scopes: []string{"read:users"}}))
	source := must(token.New(project, token.Static(client.ClientID, client.ClientSecret), token.WithBaseURL(address)))
	access := must(source.Token(ctx))
	verifier := must(verify.New(project, verify.WithBaseURL(address)))
	claims := must(verifier.Verify(ctx, access.Value.Reveal()))
	fmt.Println(claims.ClientID == client.ClientID, claims.Scopes())
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
