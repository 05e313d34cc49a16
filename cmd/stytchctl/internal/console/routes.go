package console

import (
	"fmt"
	"net/http"

	"github.com/stytchkit/m2m/stytch"
)

// New makes a console. It reads nothing and starts nothing.
func New(config Config) (*Console, error) {
	api, err := stytch.New(config.ProjectID, config.ProjectSecret.Reveal(),
		stytch.WithBaseURL("http://localhost"), stytch.WithHTTPClient(&http.Client{Transport: local{config.API}}),
		stytch.WithRetry(stytch.Retry{MaxAttempts: 1}))
	if err != nil {
		return nil, fmt.Errorf("console: new: %w", err)
	}
	c := &Console{
		config: config, api: api, admin: adminAPI{config.Admin}, views: newViews(),
		notices: newNotices(), sessions: newSessions(config.Authorize, config.Address),
	}
	c.handler = protect(c.routes())
	return c, nil
}

// routes are the pages. All but the assets and the sign-in need a session where there is an admin
// token.
func (c *Console) routes() http.Handler {
	pages := http.NewServeMux()
	handle := func(pattern string, h func(http.ResponseWriter, *http.Request)) { pages.HandleFunc(pattern, h) }
	handle("GET "+Root+"{$}", c.overview)
	handle("POST "+Root+"secret", c.showSecret)
	for _, k := range []*kind{m2mClients, connectedApps} {
		base := Root + k.path
		handle("GET "+base, c.list(k))
		handle("GET "+base+"/new", c.newForm(k))
		handle("POST "+base+"/new", c.create(k))
		handle("GET "+base+"/{id}", c.detail(k))
		handle("POST "+base+"/{id}", c.update(k))
		handle("POST "+base+"/{id}/delete", c.remove(k))
		handle("POST "+base+"/{id}/rotation", c.rotate(k))
	}
	handle("GET "+Root+"requests", c.requests)
	handle("POST "+Root+"requests/clear", c.clearRequests)
	handle("GET "+Root+"requests/stream", c.streamRequests)
	handle("GET "+Root+"requests/{id}", c.request)
	handle("GET "+Root+"tokens", c.tokens)
	handle("POST "+Root+"tokens/mint", c.mint)
	handle("POST "+Root+"tokens/read", c.readToken)
	handle("GET "+Root+"keys", c.keys)
	handle("POST "+Root+"keys/rotate", c.rotateKey)
	handle("POST "+Root+"keys/remove", c.removeKey)
	handle("GET "+Root+"faults", c.faults)
	handle("POST "+Root+"faults", c.addFault)
	handle("POST "+Root+"faults/remove", c.removeFault)
	handle("GET "+Root+"clock", c.clock)
	handle("POST "+Root+"clock", c.setClock)
	handle("GET "+Root+"behavior", c.behavior)
	handle("POST "+Root+"behavior", c.setBehavior)
	handle("GET "+Root+"data", c.data)
	handle("GET "+Root+"data/export", c.export)
	handle("POST "+Root+"data/import", c.importState)
	handle("POST "+Root+"data/reset", c.reset)
	handle("GET "+Root+"reference", c.reference)
	handle(Root, c.notFound)

	all := http.NewServeMux()
	all.HandleFunc("GET "+Root+"assets/{file}", serveAsset)
	all.HandleFunc("GET "+Root+"sign-in", c.signInForm)
	all.HandleFunc("POST "+Root+"sign-in", c.signIn)
	all.HandleFunc("POST "+Root+"sign-out", c.signOut)
	all.Handle(Root, c.sessions.require(pages, c.forbid))
	return all
}
