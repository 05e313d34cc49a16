package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/verify"
)

const (
	user  = "user-test-00000000-0000-4000-8000-000000000001"
	other = "user-test-00000000-0000-4000-8000-000000000002"
	app   = "connected-app-test-00000000-0000-4000-8000-000000000001"

	authorizationServer = "https://login.example.com"
)

// start runs the server against an emulator.
func start(t *testing.T) (*emulator.Server, *httptest.Server) {
	t.Helper()
	stytch := emulatortest.NewServer(t)
	v, err := verify.New(stytch.ProjectID, verify.WithConnectedApps(), verify.WithBaseURL(stytch.URL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	api := httptest.NewUnstartedServer(nil)
	handler, err := newHandler(v, "http://"+api.Listener.Addr().String(), authorizationServer)
	if err != nil {
		t.Fatal(err)
	}
	api.Config.Handler = handler
	api.Start()
	t.Cleanup(api.Close)
	return stytch, api
}

// sign makes an access token of a Connected App, or of an M2M client if app is empty.
func sign(t *testing.T, stytch *emulator.Server, app, subject, scope string) string {
	t.Helper()
	now := time.Now().Unix()
	claims := map[string]any{
		"iss": "stytch.com/" + stytch.ProjectID, "aud": []string{stytch.ProjectID}, "sub": subject, "scope": scope,
		"iat": now, "nbf": now, "exp": now + 3600,
	}
	if app != "" {
		claims["client_id"], claims["jti"] = app, strings.Repeat("a", 44)
	}
	token, err := stytch.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// bearer sends a token with every request.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

func connect(t *testing.T, api *httptest.Server, token string) (*mcp.ClientSession, error) {
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1.0.0"}, nil)
	return client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: api.URL + "/mcp", HTTPClient: &http.Client{Transport: bearer(token)}, MaxRetries: -1, DisableStandaloneSSE: true,
	}, nil)
}

func TestCallTool(t *testing.T) {
	stytch, api := start(t)
	session, err := connect(t, api, sign(t, stytch, app, user, "openid"))
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "whoami"})
	if err != nil {
		t.Fatal(err)
	}
	text, ok := result.Content[0].(*mcp.TextContent)
	if want := "user " + user + " by app " + app; !ok || text.Text != want {
		t.Errorf("%v, want %q", result.Content[0], want)
	}
}

func TestRefused(t *testing.T) {
	stytch, api := start(t)
	for _, test := range []struct {
		name, token string
		status      int
		challenge   string
	}{
		{"no token", "", 401, `scope="openid", resource_metadata="`},
		{"bad token", "x.y.z", 401, `error="invalid_token"`},
		{"token of an M2M client", sign(t, stytch, "", "m2m-client-test-00000000-0000-4000-8000-000000000001", "openid"), 401, `error_description="This API does not accept`},
		{"no scope", sign(t, stytch, app, user, "profile"), 403, `error="insufficient_scope"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := post(t, api, test.token, "")
			if challenge := response.Header.Get("WWW-Authenticate"); response.StatusCode != test.status || !strings.Contains(challenge, test.challenge) {
				t.Errorf("%d %s, want %d with %s", response.StatusCode, challenge, test.status, test.challenge)
			}
			if test.token != "" {
				if session, err := connect(t, api, test.token); err == nil {
					session.Close()
					t.Error("a client of the SDK connects")
				}
			}
		})
	}
}

// A session belongs to the user who started it.
func TestSessionOfAnotherUser(t *testing.T) {
	stytch, api := start(t)
	session, err := connect(t, api, sign(t, stytch, app, user, "openid"))
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if session.ID() == "" {
		t.Fatal("the session has no id")
	}
	if response := post(t, api, sign(t, stytch, app, other, "openid"), session.ID()); response.StatusCode != http.StatusForbidden {
		t.Errorf("%d, want 403", response.StatusCode)
	}
	if response := post(t, api, sign(t, stytch, app, user, "openid"), session.ID()); response.StatusCode != http.StatusOK {
		t.Errorf("%d for the user's own session, want 200", response.StatusCode)
	}
}

// From the challenge to the authorization server, as an MCP client goes that knows only the
// address.
func TestDiscovery(t *testing.T) {
	_, api := start(t)
	_, rest, _ := strings.Cut(post(t, api, "", "").Header.Get("WWW-Authenticate"), `resource_metadata="`)
	address, _, _ := strings.Cut(rest, `"`)
	if want := api.URL + "/.well-known/oauth-protected-resource/mcp"; address != want {
		t.Fatalf("the description is at %q, want %q", address, want)
	}
	response, err := api.Client().Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var description struct {
		Resource             string   `json:"resource"`
		AuthorizationServers []string `json:"authorization_servers"`
	}
	if err := json.NewDecoder(response.Body).Decode(&description); err != nil {
		t.Fatal(err)
	}
	if description.Resource != api.URL+"/mcp" || len(description.AuthorizationServers) != 1 || description.AuthorizationServers[0] != authorizationServer {
		t.Errorf("%+v", description)
	}
}

// post asks for the list of tools, without the SDK.
func post(t *testing.T, api *httptest.Server, token, session string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, api.URL+"/mcp", strings.NewReader(`{"jsonrpc":"2.0","id":7,"method":"tools/list"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if session != "" {
		request.Header.Set("Mcp-Session-Id", session)
	}
	response, err := api.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response
}
