package stytch_test

import (
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
)

// The credentials of the clients in these tests. The secret is a canary: no text may hold it.
const (
	canaryProject = "project-test-00000000-0000-4000-8000-000000000001"
	canarySecret  = "canary-4f1d9c-secret-test"
)

// projectDomain is where Client.OAuth of these tests sends its requests.
const projectDomain = "example.customers.stytch.dev"

var canaryHeader = base64.StdEncoding.EncodeToString([]byte(canaryProject + ":" + canarySecret))

// quotes reports whether a text holds the project's Authorization header or the secret, even a good
// part of it.
func quotes(text string) bool {
	return strings.Contains(text, canarySecret[:10]) || strings.Contains(text, canaryHeader)
}

// wire is a transport in memory: no socket, no goroutine, no httptrace. It keeps what it was sent.
type wire struct {
	respond func(n int, r *http.Request) (*http.Response, error) // n counts from 1

	mu   sync.Mutex
	sent []sentRequest
}

type sentRequest struct {
	method, target, host, body string
	header                     http.Header
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	s := sentRequest{method: r.Method, target: r.URL.RequestURI(), host: r.URL.Host, header: r.Header.Clone()}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body.Close()
		s.body = string(body)
	}
	w.mu.Lock()
	w.sent = append(w.sent, s)
	n := len(w.sent)
	w.mu.Unlock()
	return w.respond(n, r)
}

func (w *wire) requests() []sentRequest {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]sentRequest(nil), w.sent...)
}

// always gives the same response to every request.
func always(status int, contentType, body string) *wire {
	return &wire{respond: func(int, *http.Request) (*http.Response, error) { return reply(status, contentType, body), nil }}
}

func reply(status int, contentType, body string) *http.Response {
	header := http.Header{}
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

func replyJSON(status int, body string) *http.Response {
	return reply(status, "application/json", body)
}

// clientOn makes a client whose requests go to a RoundTripper.
func clientOn(tb testing.TB, transport http.RoundTripper, options ...stytch.Option) *stytch.Client {
	tb.Helper()
	return newClient(tb, append([]stytch.Option{stytch.WithHTTPClient(&http.Client{Transport: transport}), stytch.WithProjectDomain(projectDomain)}, options...)...)
}

func newClient(tb testing.TB, options ...stytch.Option) *stytch.Client {
	tb.Helper()
	c, err := stytch.New(canaryProject, canarySecret, options...)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// once is the option of tests that look at one attempt.
func once() stytch.Option { return stytch.WithRetry(stytch.Retry{MaxAttempts: 1}) }

// rawOn puts the generated client on top of a client.
func rawOn(tb testing.TB, c *stytch.Client) *gen.Client {
	tb.Helper()
	raw, err := gen.NewClient(c.BaseURL(), gen.WithHTTPClient(c))
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

func decodingOn(tb testing.TB, c *stytch.Client) *gen.ClientWithResponses {
	tb.Helper()
	raw, err := gen.NewClientWithResponses(c.BaseURL(), gen.WithHTTPClient(c))
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

const requestIDText = "request-id-test-b05c992f"

// success is a success of an operation. Its secrets are made up here.
func success(op *operation.Operation) string {
	envelope := `"request_id":"` + requestIDText + `","status_code":200}`
	const client = `"client_description":"","client_id":"a","client_name":"n","client_secret_last_four":"last","next_client_secret_last_four":null,"scopes":["s"],"status":"active","trusted_metadata":{}`
	const app = `"client_id":"a","client_name":"n","client_type":"first_party","client_secret_last_four":"last","next_client_secret_last_four":null,"redirect_urls":[],"status":"active"`
	switch op.ID {
	case "CreateM2MClient":
		return `{"m2m_client":{"client_secret":"made-up-secret-last",` + client + `},` + envelope
	case "StartM2MClientSecretRotation":
		return `{"m2m_client":{"next_client_secret":"made-up-secret-next",` + client + `},` + envelope
	case "CreateConnectedApp":
		return `{"connected_app":{"client_secret":"made-up-secret-last",` + app + `},` + envelope
	case "StartConnectedAppSecretRotation":
		return `{"connected_app":{"next_client_secret":"made-up-secret-next",` + app + `},` + envelope
	case "SearchM2MClients":
		return `{"m2m_clients":[{` + client + `}],"results_metadata":{"next_cursor":null,"total":1},` + envelope
	case "SearchConnectedApps":
		return `{"connected_apps":[{` + app + `}],"results_metadata":{"next_cursor":null,"total":1},` + envelope
	case "DeleteM2MClient", "DeleteConnectedApp":
		return `{"client_id":"a",` + envelope
	case "RegisterConnectedApp":
		return `{"client_id":"a","client_name":"n","client_secret":"made-up-secret-last","token_endpoint_auth_method":"client_secret_basic",` + envelope
	case "IntrospectToken", "IntrospectTokenOnProjectDomain":
		return `{"active":true,"client_id":"a","sub":"a",` + envelope
	case "RevokeToken", "RevokeTokenOnProjectDomain":
		return `{` + envelope
	case "GetOpenIDConfiguration", "GetOpenIDConfigurationOnProjectDomain", "GetAuthorizationServerMetadata", "GetAuthorizationServerMetadataOnProjectDomain":
		return `{"issuer":"https://` + projectDomain + `",` + envelope
	case "IssueM2MToken", "IssueM2MTokenOnProjectDomain":
		return `{"access_token":"made.up.token","expires_in":3600,"token_type":"bearer",` + envelope
	case "GetJWKS", "GetB2BJWKS", "GetWellKnownJWKS", "GetWellKnownJWKSOnProjectDomain":
		return `{"keys":[],` + envelope
	}
	if strings.Contains(op.ID, "M2M") {
		return `{"m2m_client":{` + client + `},` + envelope
	}
	return `{"connected_app":{` + app + `},` + envelope
}

func errorJSON(status int, kind string) string {
	return fmt.Sprintf(`{"status_code":%d,"request_id":%q,"error_type":%q,"error_message":"A message.","error_url":"https://stytch.com/docs/api/errors/%d#%s"}`,
		status, requestIDText, kind, status, kind)
}

// closable notes that it was closed.
type closable struct {
	io.Reader
	closed bool
}

func (c *closable) Close() error { c.closed = true; return nil }

// emptyJar is a cookie jar that must not be used.
type emptyJar struct{}

func (emptyJar) SetCookies(*url.URL, []*http.Cookie) { panic("cookies are set") }
func (emptyJar) Cookies(*url.URL) []*http.Cookie     { panic("cookies are asked for") }

// rootsOf is what a client must trust to talk to a TLS server of httptest.
func rootsOf(server *httptest.Server) *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return roots
}
