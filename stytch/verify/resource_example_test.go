package verify_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/stytchkit/m2m/stytch/verify"
)

// An API for clients that find its authorization server by themselves, as MCP has it.
func ExampleProtectedResource() {
	v, err := verify.New("project-test-00000000-0000-4000-8000-000000000001", verify.WithConnectedApps())
	if err != nil {
		panic(err)
	}
	defer v.Close()
	resource, err := verify.NewProtectedResource(verify.Resource{
		URL:                  "https://api.example.com/mcp",
		AuthorizationServers: []string{"https://login.example.com"},
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle(resource.Path(), resource)
	mux.Handle("/mcp", v.Protect(verify.Protection{ResourceMetadata: resource.MetadataURL()})(http.NotFoundHandler()))

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/mcp", nil))
	fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))

	w = httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/.well-known/oauth-protected-resource/mcp", nil))
	fmt.Println(w.Code, w.Body)
	// Output:
	// 401 Bearer realm="api", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/mcp"
	// 200 {"resource":"https://api.example.com/mcp","authorization_servers":["https://login.example.com"],"bearer_methods_supported":["header"]}
}
