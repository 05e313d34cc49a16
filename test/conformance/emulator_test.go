package conformance

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/contract"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

// A line is a client whose requests and responses are checked against the contract.
type line struct {
	api       *stytch.Client
	projectID string
	secret    string
	transport *contract.Transport
	attempts  *atomic.Int64
	mayMiss   []string // operations that need not succeed
}

func connect(tb testing.TB, base http.RoundTripper, address, projectID, secret string) line {
	tb.Helper()
	transport, err := contract.NewTransport(base)
	if err != nil {
		tb.Fatal(err)
	}
	transport.Prefix, transport.Strict = pathOf(address), true
	attempts := new(atomic.Int64)
	api, err := stytch.New(projectID, secret, stytch.WithBaseURL(address), stytch.WithHTTPClient(&http.Client{Transport: transport}),
		stytch.WithRetry(stytch.Retry{BaseDelay: time.Millisecond, MaxDelay: time.Millisecond}),
		stytch.WithObserver(func(context.Context, stytch.Attempt) { attempts.Add(1) }))
	if err != nil {
		tb.Fatal(err)
	}
	return line{api: api, projectID: projectID, secret: secret, transport: transport, attempts: attempts}
}

func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "" // no client was made with it
	}
	return u.EscapedPath()
}

func connectTo(tb testing.TB, server *emulator.Server) line {
	tb.Helper()
	return connect(tb, server.Client().Transport, server.URL, server.ProjectID, server.Secret)
}

// report fails on drift in either direction.
func (l line) report(t reporter) {
	t.Helper()
	for _, v := range l.transport.Violations() {
		t.Errorf("%v: fix the sender, or api/openapi.yaml if that is wrong", &v)
	}
	for _, operation := range l.transport.Missing() {
		if slices.Contains(l.mayMiss, operation) {
			t.Logf("observed: %s never succeeded for this project", operation)
			continue
		}
		t.Errorf("%s is in the contract and never succeeded: exercise it in test/conformance", operation)
	}
	t.Logf("%d requests, %d violations", l.attempts.Load(), len(l.transport.Violations()))
}

func TestEmulator(t *testing.T) {
	for name, options := range map[string][]emulator.Option{
		"default":             nil,
		"strict":              {emulator.WithStrict()},
		"without totals":      {emulator.WithTotals(false)},
		"of a live project":   {emulator.WithProject("project-live-11111111-1111-4111-8111-111111111111", "secret-live-of-the-emulator")},
		"with a full project": {seeds(250), emulator.WithConnectedApp(emulator.ConnectedAppSeed{Name: "conformance-of-another-run-1"})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := emulatortest.NewServer(t, append(options, registering)...)
			l := connectTo(t, server)
			before := inventory(t, server)
			t.Run("suite", func(t *testing.T) { Run(t, l.api, Options{}) })
			if after := inventory(t, server); !slices.Equal(before, after) {
				t.Errorf("%d clients and apps before the run and %d after it; want the same ones", len(before), len(after))
			}
			l.report(test{t})
		})
	}
}

// The live suite passes whatever the server does where Stytch documents nothing: it asserts nothing
// there, and the wrapper handles every variant.
func TestEmulatorWithOtherBehavior(t *testing.T) {
	for name, b := range map[string]emulator.Behavior{
		"none":                           {},
		"creation returns 201":           {CreateStatus: http.StatusCreated},
		"wrong methods are 404":          {WrongMethodStatus: http.StatusNotFound},
		"start replaces":                 {StartWhileRotating: emulator.Replace},
		"idle steps are ignored":         {FinishWhileIdle: emulator.Ignore},
		"next last four is absent":       {NextSecretAbsent: true},
		"null is ignored":                {NullOnUpdate: emulator.Ignore},
		"null is refused":                {NullOnUpdate: emulator.Refuse},
		"empty scopes are refused":       {EmptyScopes: emulator.Refuse},
		"the other name for a status":    {InvalidStatusType: "m2m_client_invalid_status"},
		"limit 0 is refused":             {ZeroLimit: emulator.Refuse},
		"limit 0 is an empty page":       {ZeroLimit: emulator.Empty},
		"a large limit is clamped":       {LargeLimit: emulator.Clamp},
		"a bad cursor is ignored":        {BadCursor: emulator.Ignore},
		"a search needs no body":         {EmptySearchBody: emulator.Allow},
		"scopes that are not held drop":  {UnheldScope: emulator.Drop},
		"invalid_client is 401":          {InvalidClientStatus: http.StatusUnauthorized},
		"inactive clients are 401":       {InactiveClientStatus: http.StatusUnauthorized},
		"inactive clients unauthorized":  {InactiveClientError: "unauthorized_client"},
		"inactive clients denied access": {InactiveClientError: "access_denied"},
		"no registration":                {},
		"registration returns 200":       {RegisterStatus: http.StatusOK},
		"M2M clients do not introspect":  {IntrospectM2M: emulator.Refuse},
		"tokens have ids":                {TokenID: true},
		"secrets of 44":                  {SecretLength: 44},
		"another creation method":        {CreationMethod: "DYNAMIC"},
		"all that differs": {
			CreateStatus: http.StatusCreated, StartWhileRotating: emulator.Replace, FinishWhileIdle: emulator.Ignore, NextSecretAbsent: true,
			NullOnUpdate: emulator.Refuse, EmptyScopes: emulator.Refuse, ZeroLimit: emulator.Empty, BadCursor: emulator.Ignore, UnheldScope: emulator.Drop,
			InvalidClientStatus: http.StatusUnauthorized, InactiveClientStatus: http.StatusUnauthorized, TokenID: true, SecretLength: 44,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b.DynamicRegistration = name != "no registration"
			l := connectTo(t, emulatortest.NewServer(t, emulator.WithBehavior(b), emulator.WithTotals(b.CreateStatus == 0)))
			if !b.DynamicRegistration {
				l.mayMiss = []string{"RegisterConnectedApp"}
			}
			l.transport.Strict = b.InactiveClientError == "" // the contract does not know the others
			Run(t, l.api, Options{Live: true})
			l.report(test{t})
		})
	}
}

// The base URL may have a path, and the issuer of tokens may be a custom domain.
func TestEmulatorBehindAPath(t *testing.T) {
	var behind http.Handler
	server := httptest.NewServer(http.StripPrefix("/proxy/of", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { behind.ServeHTTP(w, r) })))
	t.Cleanup(server.Close)
	e, err := emulator.New(emulator.WithIssuer(server.URL+"/proxy/of"), registering)
	if err != nil {
		t.Fatal(err)
	}
	behind = e
	projectID, projectSecret := e.Credentials()
	l := connect(t, server.Client().Transport, server.URL+"/proxy/of", projectID, projectSecret)
	Run(t, l.api, Options{Prefix: "behind"})
	l.report(test{t})
}

// registering turns on the dynamic client registration of a project.
var registering = emulator.WithBehavior(emulator.Behavior{DynamicRegistration: true})

// seeds adds clients, with names that a run must leave alone.
func seeds(n int) emulator.Option {
	return emulator.WithM2MClients(n, func(int) emulator.M2MClientSeed {
		return emulator.M2MClientSeed{Name: "conformance-of-another-run-1", Scopes: []string{"read:conformance"}}
	})
}

// inventory lists all clients and apps of a project, without using the counting transport.
func inventory(t *testing.T, server *emulator.Server) (ids []string) {
	t.Helper()
	api, err := stytch.New(server.ProjectID, server.Secret, stytch.WithBaseURL(server.URL), stytch.WithHTTPClient(server.Client()))
	if err != nil {
		t.Fatal(err)
	}
	for client, err := range api.M2M.Search(t.Context(), stytch.M2MSearch{}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, client.ClientID)
	}
	for app, err := range api.ConnectedApps.Search(t.Context(), stytch.ConnectedAppSearch{}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, app.ClientID)
	}
	return ids
}
