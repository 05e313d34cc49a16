package emulator

import (
	"net/http"
	"strings"

	"github.com/stytchkit/m2m/api"
	"github.com/stytchkit/m2m/gen/server"
)

// routes returns a router with the operations of the contract and what belongs to the emulator
// itself.
func (s *service) routes() *router {
	rt := &router{noMethod: s.serveUnknownMethod}
	rt.noMatch = func(w http.ResponseWriter, r *http.Request) { s.serveUnknownRoute(w, r, rt) }
	rt.HandleFunc("GET /health", s.serveHealth)
	rt.HandleFunc("GET /openapi.yaml", s.serveContract)
	server.HandlerWithOptions(s, server.StdHTTPServerOptions{BaseRouter: rt})
	return rt
}

func (s *service) exchange(w http.ResponseWriter, r *http.Request) *exchange {
	return newExchange(w, r, s.state, s.log)
}

func (s *service) serveHealth(w http.ResponseWriter, r *http.Request) {
	s.exchange(w, r).send(response{status: http.StatusOK, contentType: "application/json", body: []byte(`{"status":"ok"}`)})
}

func (s *service) serveContract(w http.ResponseWriter, r *http.Request) {
	s.exchange(w, r).send(response{status: http.StatusOK, contentType: "application/yaml", body: api.OpenAPI})
}

func (s *service) serveUnknownRoute(w http.ResponseWriter, r *http.Request, rt *router) {
	x := s.exchange(w, r)
	x.send(x.failure(fail("route_not_found").why("%s", rt.nearest(r))))
}

func (s *service) serveUnknownMethod(w http.ResponseWriter, r *http.Request, allowed []string) {
	x := s.exchange(w, r)
	if x.behavior.WrongMethodStatus != http.StatusMethodNotAllowed {
		x.send(x.failure(fail("route_not_found").why("%s", wrongMethod(r, allowed))))
		return
	}
	refused := fail("method_not_allowed").why("%s", wrongMethod(r, allowed))
	oauth := strings.Contains(r.URL.Path, "/oauth2/") && !strings.HasSuffix(r.URL.Path, "/register")
	if oauth && x.behavior.TokenErrorFormat == oauthFormat {
		refused.kind, refused.oauth = "invalid_request", true
	}
	refusal := x.failure(refused)
	refusal.noStore = oauth
	refusal.allow = strings.Join(allowed, ", ")
	x.send(refusal)
}
