// Command mcp is a server of the Model Context Protocol behind Stytch Connected Apps. Clients find
// the authorization server in the description of the resource, users grant them access there, and
// their access tokens are verified here.
//
// It needs STYTCH_PROJECT_ID and STYTCH_DOMAIN (https://..., the authorization server) and listens
// on 127.0.0.1:8080.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/stytchkit/m2m/stytch/verify"
)

const scope = "openid"

// newHandler serves the protocol at /mcp and the description of the resource beside it. address is
// where clients reach the server.
func newHandler(v *verify.Verifier, address, authorizationServer string) (http.Handler, error) {
	resource, err := verify.NewProtectedResource(verify.Resource{
		URL: address + "/mcp", AuthorizationServers: []string{authorizationServer}, Scopes: []string{scope}, Name: "Example",
	})
	if err != nil {
		return nil, err
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "example", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "whoami", Description: "Returns who is asking."}, whoami)
	streamable := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)

	protect := v.Protect(verify.Protection{Scopes: []string{scope}, ResourceMetadata: resource.MetadataURL()})
	mux := http.NewServeMux()
	mux.Handle(resource.Path(), resource)
	mux.Handle("/mcp", protect(auth.RequireBearerToken(tokenInfo, &auth.RequireBearerTokenOptions{ClockSkew: 5 * time.Minute})(streamable)))
	return mux, nil
}

// tokenInfo gives the MCP SDK the user of a request, so that no user can continue the session of
// another. The token is already verified: protect has put its claims into the context, and has
// checked its time with a leeway of its own.
func tokenInfo(ctx context.Context, _ string, _ *http.Request) (*auth.TokenInfo, error) {
	claims, ok := verify.ClaimsFromContext(ctx)
	if !ok {
		return nil, auth.ErrInvalidToken
	}
	return &auth.TokenInfo{
		UserID: claims.Subject, Scopes: claims.Scopes(), Expiration: claims.ExpiresAt, Extra: map[string]any{"claims": claims},
	}, nil
}

type nothing struct{}

func whoami(_ context.Context, r *mcp.CallToolRequest, _ nothing) (*mcp.CallToolResult, any, error) {
	claims := r.Extra.TokenInfo.Extra["claims"].(verify.Claims)
	text := "user " + claims.Subject + " by app " + claims.ClientID
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil, nil
}

func main() {
	v, err := verify.New(os.Getenv("STYTCH_PROJECT_ID"), verify.WithConnectedApps())
	if err != nil {
		log.Fatal(err)
	}
	handler, err := newHandler(v, "http://127.0.0.1:8080", os.Getenv("STYTCH_DOMAIN"))
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: "127.0.0.1:8080", Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}
