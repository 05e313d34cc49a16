package stytch_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

// endpoint is one operation and the ways to call it: by the wrapper (nil where it has no method),
// by the generated client over the Doer, and by the generated client that decodes.
type endpoint struct {
	op       *operation.Operation
	wrapper  func(ctx context.Context, c *stytch.Client, id string) error
	raw      func(ctx context.Context, c *gen.Client, id string) (*http.Response, error)
	decoding func(ctx context.Context, c *gen.ClientWithResponses, id string) error
}

// takesClientID reports whether a client id stands in the path.
func (e endpoint) takesClientID() bool { return strings.Contains(e.op.Path, "{client_id}") }

func must[T any](_ T, err error) error { return err }

var (
	m2mCreate = stytch.M2MCreate{Scopes: []string{"s"}}
	appCreate = stytch.ConnectedAppCreate{ClientType: stytch.FirstParty}
	m2mUpdate = stytch.M2MUpdate{ClientName: stytch.Set("n")}
	appUpdate = stytch.ConnectedAppUpdate{ClientName: stytch.Set("n")}
	rotation0 = gen.SecretRotationRequest{}

	registration0 = stytch.AppRegistration{RedirectURIs: []string{"https://a.example/cb"}, TokenEndpointAuthMethod: "client_secret_basic"}
	tokenOfApp    = stytch.TokenRequest{Token: secret.New("a.token.of-the-app"), ClientID: "a", ClientSecret: secret.New("a-secret-of-the-app")}
)

const (
	formType  = "application/x-www-form-urlencoded"
	tokenForm = "token=a.token.of-the-app&client_id=a"
)

var endpoints = []endpoint{
	{operation.CreateM2MClient,
		func(ctx context.Context, c *stytch.Client, _ string) error { return must(c.M2M.Create(ctx, m2mCreate)) },
		func(ctx context.Context, c *gen.Client, _ string) (*http.Response, error) {
			return c.CreateM2MClient(ctx, m2mCreate)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, _ string) error {
			return must(c.CreateM2MClientWithResponse(ctx, m2mCreate))
		}},
	{operation.GetM2MClient,
		func(ctx context.Context, c *stytch.Client, id string) error { return must(c.M2M.Get(ctx, id)) },
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.GetM2MClient(ctx, id)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.GetM2MClientWithResponse(ctx, id))
		}},
	{operation.SearchM2MClients,
		func(ctx context.Context, c *stytch.Client, _ string) error {
			return must(c.M2M.SearchPage(ctx, stytch.M2MSearch{}))
		},
		func(ctx context.Context, c *gen.Client, _ string) (*http.Response, error) {
			return c.SearchM2MClients(ctx, gen.SearchM2MClientsRequest{})
		},
		func(ctx context.Context, c *gen.ClientWithResponses, _ string) error {
			return must(c.SearchM2MClientsWithResponse(ctx, gen.SearchM2MClientsRequest{}))
		}},
	{operation.UpdateM2MClient,
		func(ctx context.Context, c *stytch.Client, id string) error {
			return must(c.M2M.Update(ctx, id, m2mUpdate))
		},
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.UpdateM2MClient(ctx, id, m2mUpdate)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.UpdateM2MClientWithResponse(ctx, id, m2mUpdate))
		}},
	{operation.DeleteM2MClient,
		func(ctx context.Context, c *stytch.Client, id string) error { return c.M2M.Delete(ctx, id) },
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.DeleteM2MClient(ctx, id)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.DeleteM2MClientWithResponse(ctx, id))
		}},
	{operation.StartM2MClientSecretRotation,
		func(ctx context.Context, c *stytch.Client, id string) error {
			return must(c.M2M.Secrets.Start(ctx, id))
		},
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.StartM2MClientSecretRotation(ctx, id, rotation0)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.StartM2MClientSecretRotationWithResponse(ctx, id, rotation0))
		}},
	{operation.CompleteM2MClientSecretRotation,
		func(ctx context.Context, c *stytch.Client, id string) error { return c.M2M.Secrets.Complete(ctx, id) },
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.CompleteM2MClientSecretRotation(ctx, id, rotation0)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.CompleteM2MClientSecretRotationWithResponse(ctx, id, rotation0))
		}},
	{operation.CancelM2MClientSecretRotation,
		func(ctx context.Context, c *stytch.Client, id string) error { return c.M2M.Secrets.Cancel(ctx, id) },
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.CancelM2MClientSecretRotation(ctx, id, rotation0)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.CancelM2MClientSecretRotationWithResponse(ctx, id, rotation0))
		}},

	{operation.CreateConnectedApp,
		func(ctx context.Context, c *stytch.Client, _ string) error {
			return must(c.ConnectedApps.Create(ctx, appCreate))
		},
		func(ctx context.Context, c *gen.Client, _ string) (*http.Response, error) {
			return c.CreateConnectedApp(ctx, appCreate)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, _ string) error {
			return must(c.CreateConnectedAppWithResponse(ctx, appCreate))
		}},
	{operation.GetConnectedApp,
		func(ctx context.Context, c *stytch.Client, id string) error {
			return must(c.ConnectedApps.Get(ctx, id))
		},
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.GetConnectedApp(ctx, id)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.GetConnectedAppWithResponse(ctx, id))
		}},
	{operation.SearchConnectedApps,
		func(ctx context.Context, c *stytch.Client, _ string) error {
			return must(c.ConnectedApps.SearchPage(ctx, stytch.ConnectedAppSearch{}))
		},
		func(ctx context.Context, c *gen.Client, _ string) (*http.Response, error) {
			return c.SearchConnectedApps(ctx, gen.SearchConnectedAppsRequest{})
		},
		func(ctx context.Context, c *gen.ClientWithResponses, _ string) error {
			return must(c.SearchConnectedAppsWithResponse(ctx, gen.SearchConnectedAppsRequest{}))
		}},
	{operation.UpdateConnectedApp,
		func(ctx context.Context, c *stytch.Client, id string) error {
			return must(c.ConnectedApps.Update(ctx, id, appUpdate))
		},
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.UpdateConnectedApp(ctx, id, appUpdate)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.UpdateConnectedAppWithResponse(ctx, id, appUpdate))
		}},
	{operation.DeleteConnectedApp,
		func(ctx context.Context, c *stytch.Client, id string) error { return c.ConnectedApps.Delete(ctx, id) },
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.DeleteConnectedApp(ctx, id)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.DeleteConnectedAppWithResponse(ctx, id))
		}},
	{operation.StartConnectedAppSecretRotation,
		func(ctx context.Context, c *stytch.Client, id string) error {
			return must(c.ConnectedApps.Secrets.Start(ctx, id))
		},
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.StartConnectedAppSecretRotation(ctx, id, rotation0)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.StartConnectedAppSecretRotationWithResponse(ctx, id, rotation0))
		}},
	{operation.CompleteConnectedAppSecretRotation,
		func(ctx context.Context, c *stytch.Client, id string) error {
			return c.ConnectedApps.Secrets.Complete(ctx, id)
		},
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.CompleteConnectedAppSecretRotation(ctx, id, rotation0)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.CompleteConnectedAppSecretRotationWithResponse(ctx, id, rotation0))
		}},
	{operation.CancelConnectedAppSecretRotation,
		func(ctx context.Context, c *stytch.Client, id string) error {
			return c.ConnectedApps.Secrets.Cancel(ctx, id)
		},
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.CancelConnectedAppSecretRotation(ctx, id, rotation0)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.CancelConnectedAppSecretRotationWithResponse(ctx, id, rotation0))
		}},

	{operation.RegisterConnectedApp,
		func(ctx context.Context, c *stytch.Client, _ string) error {
			return must(c.OAuth.Register(ctx, registration0))
		},
		func(ctx context.Context, c *gen.Client, _ string) (*http.Response, error) {
			return c.RegisterConnectedApp(ctx, registration0)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, _ string) error {
			return must(c.RegisterConnectedAppWithResponse(ctx, registration0))
		}},
	{operation.IntrospectTokenOnProjectDomain,
		func(ctx context.Context, c *stytch.Client, _ string) error {
			return must(c.OAuth.Introspect(ctx, tokenOfApp))
		},
		func(ctx context.Context, c *gen.Client, _ string) (*http.Response, error) {
			return c.IntrospectTokenOnProjectDomainWithBody(ctx, formType, strings.NewReader(tokenForm))
		},
		func(ctx context.Context, c *gen.ClientWithResponses, _ string) error {
			return must(c.IntrospectTokenOnProjectDomainWithBodyWithResponse(ctx, formType, strings.NewReader(tokenForm)))
		}},
	{operation.RevokeTokenOnProjectDomain,
		func(ctx context.Context, c *stytch.Client, _ string) error { return c.OAuth.Revoke(ctx, tokenOfApp) },
		func(ctx context.Context, c *gen.Client, _ string) (*http.Response, error) {
			return c.RevokeTokenOnProjectDomainWithBody(ctx, formType, strings.NewReader(tokenForm))
		},
		func(ctx context.Context, c *gen.ClientWithResponses, _ string) error {
			return must(c.RevokeTokenOnProjectDomainWithBodyWithResponse(ctx, formType, strings.NewReader(tokenForm)))
		}},
	{operation.IntrospectToken, nil,
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.IntrospectTokenWithBody(ctx, id, formType, strings.NewReader(tokenForm))
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.IntrospectTokenWithBodyWithResponse(ctx, id, formType, strings.NewReader(tokenForm)))
		}},
	{operation.RevokeToken, nil,
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.RevokeTokenWithBody(ctx, id, formType, strings.NewReader(tokenForm))
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.RevokeTokenWithBodyWithResponse(ctx, id, formType, strings.NewReader(tokenForm)))
		}},

	{operation.IssueM2MTokenOnProjectDomain, nil,
		func(ctx context.Context, c *gen.Client, _ string) (*http.Response, error) {
			return c.IssueM2MTokenOnProjectDomainWithFormdataBody(ctx, tokenRequest)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, _ string) error {
			return must(c.IssueM2MTokenOnProjectDomainWithFormdataBodyWithResponse(ctx, tokenRequest))
		}},
	{operation.GetOpenIDConfiguration, nil,
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.GetOpenIDConfiguration(ctx, id)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.GetOpenIDConfigurationWithResponse(ctx, id))
		}},
	{operation.GetOpenIDConfigurationOnProjectDomain, nil,
		func(ctx context.Context, c *gen.Client, _ string) (*http.Response, error) {
			return c.GetOpenIDConfigurationOnProjectDomain(ctx)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, _ string) error {
			return must(c.GetOpenIDConfigurationOnProjectDomainWithResponse(ctx))
		}},
	{operation.GetAuthorizationServerMetadata, nil,
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.GetAuthorizationServerMetadata(ctx, id)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.GetAuthorizationServerMetadataWithResponse(ctx, id))
		}},
	{operation.GetAuthorizationServerMetadataOnProjectDomain, nil,
		func(ctx context.Context, c *gen.Client, _ string) (*http.Response, error) {
			return c.GetAuthorizationServerMetadataOnProjectDomain(ctx)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, _ string) error {
			return must(c.GetAuthorizationServerMetadataOnProjectDomainWithResponse(ctx))
		}},
	{operation.GetWellKnownJWKS, nil,
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.GetWellKnownJWKS(ctx, id)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.GetWellKnownJWKSWithResponse(ctx, id))
		}},
	{operation.GetWellKnownJWKSOnProjectDomain, nil,
		func(ctx context.Context, c *gen.Client, _ string) (*http.Response, error) {
			return c.GetWellKnownJWKSOnProjectDomain(ctx)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, _ string) error {
			return must(c.GetWellKnownJWKSOnProjectDomainWithResponse(ctx))
		}},
	{operation.IssueM2MToken, nil,
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.IssueM2MTokenWithFormdataBody(ctx, id, tokenRequest)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.IssueM2MTokenWithFormdataBodyWithResponse(ctx, id, tokenRequest))
		}},
	{operation.GetJWKS, nil,
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) { return c.GetJWKS(ctx, id) },
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.GetJWKSWithResponse(ctx, id))
		}},
	{operation.GetB2BJWKS, nil,
		func(ctx context.Context, c *gen.Client, id string) (*http.Response, error) {
			return c.GetB2BJWKS(ctx, id)
		},
		func(ctx context.Context, c *gen.ClientWithResponses, id string) error {
			return must(c.GetB2BJWKSWithResponse(ctx, id))
		}},
}

var tokenRequest = gen.IssueM2MTokenRequest{GrantType: gen.IssueM2MTokenRequestGrantTypeClientCredentials, ClientID: "a"}

// way is one way to make a call, as in a table.
type way struct {
	name string
	call func(ctx context.Context, tb testing.TB, c *stytch.Client, id string) error
}

// ways are all the ways to call an endpoint. The raw one reads and closes the body.
func (e endpoint) ways() []way {
	list := []way{
		{"generated", func(ctx context.Context, tb testing.TB, c *stytch.Client, id string) error {
			resp, err := e.raw(ctx, rawOn(tb, c), id)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			var body bytes.Buffer
			_, err = body.ReadFrom(resp.Body)
			return err
		}},
		{"generated, decoding", func(ctx context.Context, tb testing.TB, c *stytch.Client, id string) error {
			return e.decoding(ctx, decodingOn(tb, c), id)
		}},
	}
	if e.wrapper != nil {
		list = append(list, way{"wrapper", func(ctx context.Context, _ testing.TB, c *stytch.Client, id string) error {
			return e.wrapper(ctx, c, id)
		}})
	}
	return list
}

// eachWayOf runs a test for every way to call every endpoint.
func eachWayOf(t *testing.T, list []endpoint, test func(t *testing.T, e endpoint, call func(context.Context, *stytch.Client, string) error)) {
	t.Helper()
	for _, e := range list {
		for _, w := range e.ways() {
			t.Run(e.op.ID+"/"+w.name, func(t *testing.T) {
				test(t, e, func(ctx context.Context, c *stytch.Client, id string) error { return w.call(ctx, t, c, id) })
			})
		}
	}
}

func TestEndpointsAreAll(t *testing.T) {
	listed := map[*operation.Operation]bool{}
	for _, e := range endpoints {
		listed[e.op] = true
		if e.wrapper == nil && e.op.ProjectAuth {
			t.Errorf("%s: a management operation has no method of the wrapper", e.op.ID)
		}
	}
	for _, op := range operation.All {
		if !listed[op] {
			t.Errorf("%s is new: add it to endpoints, so that all tests cover it", op.ID)
		}
	}
	eachWayOf(t, endpoints, func(t *testing.T, e endpoint, call func(context.Context, *stytch.Client, string) error) {
		w := always(200, "application/json", success(e.op))
		if err := call(t.Context(), clientOn(t, w), "a"); err != nil {
			t.Fatal(err)
		}
		if sent := w.requests(); len(sent) != 1 || sent[0].method != e.op.Method || sent[0].target != e.op.URL("a") {
			t.Errorf("sent %d requests, or another one than %s %s", len(sent), e.op.Method, e.op.URL("a"))
		}
	})
}
