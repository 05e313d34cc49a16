package emulator

import (
	"net/http"
	"strings"

	"github.com/stytchkit/m2m/api"
	"github.com/stytchkit/m2m/gen/server"
)

// An Emulator is one Stytch project in memory, as an [http.Handler]. Create it with [New]. It is
// safe for concurrent use. It starts no goroutine, opens no port and reads no file, so it needs no
// Close.
type Emulator struct {
	service service
	routes  router
}

// New returns a project that is empty unless options add clients or apps. It fails with an error
// matching [ErrInvalidArgument] if an option is nil or its value cannot be used; no error contains
// a secret. The signing key is generated later, for the first token or key set.
func New(opts ...Option) (*Emulator, error) {
	set, err := newSettings(opts)
	if err != nil {
		return nil, err
	}
	return set.newEmulator()
}

func (set *settings) newEmulator() (*Emulator, error) {
	state, err := set.newState()
	if err != nil {
		return nil, err
	}
	e := &Emulator{service: service{state: state, log: requestLog{clock: state.clock}}}
	for _, fault := range set.faults {
		e.service.faults.add(fault)
	}
	e.routes = router{noMatch: e.serveUnknownRoute, noMethod: e.serveUnknownMethod}
	e.routes.HandleFunc("GET /health", e.serveHealth)
	e.routes.HandleFunc("GET /openapi.yaml", e.serveContract)
	server.HandlerWithOptions(&e.service, server.StdHTTPServerOptions{BaseRouter: &e.routes})
	return e, nil
}

// newState builds the project with its seeds.
func (set *settings) newState() (*state, error) {
	id, secret := set.projectID, set.secret
	if id == "" {
		id, secret = "project-test-"+newUUID(), "secret-test-"+newSecretText(36)
	}
	behavior, err := set.behavior.filled()
	if err != nil {
		return nil, err
	}
	s := newState(id, secret, behavior, set.signingKey)
	s.template = set.template
	s.clock, s.strict, s.noTotals = set.clock, set.strict, set.noTotals
	if set.issuer != "" {
		s.issuer = set.issuer
	}
	for _, f := range set.clients {
		for i := range f.n {
			if err := f.seed(i).addTo(s); err != nil {
				return nil, invalidArgument("M2M client seed %d: %w", i, err)
			}
		}
	}
	for i, seed := range set.apps {
		if err := seed.addTo(s); err != nil {
			return nil, invalidArgument("Connected App seed %d: %w", i, err)
		}
	}
	return s, nil
}

// ServeHTTP responds to one request. A fault that ends the connection hijacks it from w, or panics
// with [http.ErrAbortHandler] if w does not support that, as [http.Server] expects. Any other
// caller must recover that panic.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.routes.ServeHTTP(w, r) }

// Credentials returns the id and the secret of the project: the user name and the password of HTTP
// Basic.
func (e *Emulator) Credentials() (projectID, secret string) {
	return e.service.state.id, e.service.state.reveal()
}

// TokensMinted returns how many access tokens were issued to a client, or to all clients for "".
// Tokens whose response was dropped by a fault count: Stytch would bill them.
func (e *Emulator) TokensMinted(clientID string) int { return e.service.state.minted.count(clientID) }

// Requests returns the last 1,024 requests, oldest first. A request is listed before its response
// is sent.
func (e *Emulator) Requests() []Request { return e.service.log.all() }

// Inject adds a fault and returns a function that removes it, which may be called more than once.
// It panics with an error matching [ErrInvalidArgument] if the fault is invalid: a fault that never
// applies would let a test pass for the wrong reason.
func (e *Emulator) Inject(f Fault) (remove func()) {
	if err := f.check(); err != nil {
		panic(err)
	}
	return e.service.faults.add(f)
}

// Sign signs any claims with the current signing key, including those that Stytch would never
// issue. It fails with an error matching [ErrInvalidArgument] if the claims cannot be encoded as
// JSON.
func (e *Emulator) Sign(claims map[string]any) (string, error) {
	return e.service.state.keys.sign(claims)
}

// RotateSigningKey generates a new signing key and returns its id. Earlier keys stay listed, so
// that their tokens remain valid, until [Emulator.RetireSigningKey]. It takes a few hundred
// milliseconds.
func (e *Emulator) RotateSigningKey() (kid string) {
	kid, err := e.service.state.keys.rotate()
	if err != nil {
		panic("emulator: generate a signing key: " + err.Error()) // the system has no randomness
	}
	return kid
}

// RetireSigningKey removes a key from the key set. It fails with an error matching
// [ErrInvalidArgument] for the current key and for one that is not listed.
func (e *Emulator) RetireSigningKey(kid string) error { return e.service.state.keys.retire(kid) }

func (e *Emulator) exchange(w http.ResponseWriter, r *http.Request) *exchange {
	return newExchange(w, r, e.service.state.env, &e.service.log)
}

func (e *Emulator) serveHealth(w http.ResponseWriter, r *http.Request) {
	e.exchange(w, r).send(response{status: http.StatusOK, contentType: "application/json", body: []byte(`{"status":"ok"}`)})
}

func (e *Emulator) serveContract(w http.ResponseWriter, r *http.Request) {
	e.exchange(w, r).send(response{status: http.StatusOK, contentType: "application/yaml", body: api.OpenAPI})
}

func (e *Emulator) serveUnknownRoute(w http.ResponseWriter, r *http.Request) {
	x := e.exchange(w, r)
	x.send(x.failure(fail("route_not_found")))
}

func (e *Emulator) serveUnknownMethod(w http.ResponseWriter, r *http.Request, allowed []string) {
	if e.service.state.behavior.WrongMethodStatus != http.StatusMethodNotAllowed {
		e.serveUnknownRoute(w, r)
		return
	}
	x := e.exchange(w, r)
	refused := fail("method_not_allowed")
	oauth := strings.HasPrefix(r.URL.Path, "/v1/public/")
	if oauth && e.service.state.behavior.TokenErrorFormat == oauthFormat {
		refused.kind, refused.oauth = "invalid_request", true
	}
	refusal := x.failure(refused)
	refusal.noStore = oauth
	refusal.allow = strings.Join(allowed, ", ")
	x.send(refusal)
}
