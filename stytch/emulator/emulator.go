package emulator

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/stytchkit/m2m/api"
	"github.com/stytchkit/m2m/gen/server"
)

// maxBody is the largest request body that is read. A larger one is answered with 413.
const maxBody = 1 << 20

// An Emulator is one Stytch project in memory, as an [http.Handler]. Make it with [New]. It is safe for concurrent use,
// starts no goroutine, opens no port and reads no file; it ends when it is no longer referenced.
type Emulator struct {
	project *project
	routes  *router
	faults  faultPlan
	log     requestLog
}

// New makes a project: an empty one, unless options seed it. It fails if an option is nil or refuses its value; no
// error text holds a secret. The signing key is not made here but when the first token or key set is asked for.
func New(opts ...Option) (*Emulator, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	p, err := newProject(cfg)
	if err != nil {
		return nil, err
	}
	e := &Emulator{project: p, routes: newRouter(p.behavior.WrongMethodStatus)}
	for _, fault := range cfg.faults {
		e.faults.add(fault)
	}
	e.routes.HandleFunc("GET /health", serveHealth)
	e.routes.HandleFunc("GET /openapi.yaml", serveContract)
	server.HandlerWithOptions(
		server.NewStrictHandler(p, []server.StrictMiddlewareFunc{e.dispatch}),
		server.StdHTTPServerOptions{BaseRouter: e.routes})
	return e, nil
}

// ServeHTTP answers one request. A fault that loses the connection takes it over where w allows that, and panics with
// [http.ErrAbortHandler] where it does not, as [http.Server] expects; whatever else calls ServeHTTP has to recover it.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{emulator: e, w: w, r: r, requestID: "request-id-" + e.project.env + "-" + newUUID()}
	// The whole body is read before anything else: only then does net/http notice that a client went away.
	c.body, c.bodyErr = io.ReadAll(http.MaxBytesReader(w, bodyOf(r), maxBody))

	// The generated server gets a bare request. It routes, names the operation and checks the answer's type; the body is
	// read by the operations themselves, because the generated models cannot tell null from absent, turn numbers into
	// float64 and match names in any case.
	bare := &http.Request{Method: r.Method, URL: r.URL, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}
	e.routes.ServeHTTP(w, bare.WithContext(context.WithValue(r.Context(), callKey{}, c)))
}

func bodyOf(r *http.Request) io.ReadCloser {
	if r.Body == nil {
		return http.NoBody
	}
	return r.Body
}

// Credentials returns the id and the secret of the project: the user name and the password of HTTP Basic.
func (e *Emulator) Credentials() (projectID, secret string) { return e.project.id, e.project.reveal() }

// TokensMinted returns how many access tokens were issued to a client, or to all clients for "". A token counts even if
// a fault lost the answer: that is what it would cost.
func (e *Emulator) TokensMinted(clientID string) int { return e.project.minted.count(clientID) }

// Requests returns the latest requests, oldest first, at most 1,024 of them. A request is there before its answer is
// sent.
func (e *Emulator) Requests() []Request { return e.log.all() }

// Inject adds a fault and returns a function that removes it, which may be called more than once. It panics with an error
// matching [ErrInvalidArgument] if the fault is invalid: a fault that never applies would let a test pass for the wrong
// reason.
func (e *Emulator) Inject(f Fault) (remove func()) {
	if err := f.check(); err != nil {
		panic(err)
	}
	return e.faults.add(f)
}

func serveHealth(_ http.ResponseWriter, r *http.Request) {
	callOf(r.Context()).send(answer{status: http.StatusOK, contentType: "application/json", body: []byte(`{"status":"ok"}`)})
}

func serveContract(_ http.ResponseWriter, r *http.Request) {
	callOf(r.Context()).send(answer{status: http.StatusOK, contentType: "application/yaml", body: api.OpenAPI})
}
