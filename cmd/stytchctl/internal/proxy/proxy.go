package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"

	"github.com/stytchkit/m2m/internal/guard"
)

// ErrCut is returned by [Proxy.Serve] if requests had not ended within the time to drain.
var ErrCut = errors.New("proxy: serve: requests had not ended in time and were cut")

// afterCut is how long Serve waits for requests whose connections it has closed.
const afterCut = 2 * time.Second

// A Proxy forwards requests with a token. Create it with [New]. It serves once.
type Proxy struct {
	config Config
	tokens *tokens
	routes []*route
	status *admin

	main, admin, socket *endpoint
	requests            sync.WaitGroup // in progress, WebSockets included
}

// New returns a proxy that has opened nothing and requested nothing. Its error is a [*ConfigError]
// or, for what concerns the token, [token.ErrInvalidArgument].
func New(config Config) (*Proxy, error) {
	c, err := config.check()
	if err != nil {
		return nil, err
	}
	routes, err := newRoutes(c.Routes)
	if err != nil {
		return nil, err
	}
	if c.TokenSocket != "" {
		if err := checkSocketPath(c.TokenSocket); err != nil {
			return nil, err
		}
	}
	t, err := newTokens(c)
	if err != nil {
		return nil, fmt.Errorf("proxy: New: %w. Nothing was opened", err)
	}
	p := &Proxy{config: c, tokens: t, routes: routes, status: &admin{tokens: t}}
	counts := newCounts(t)
	for _, rt := range routes {
		rt.connect(c, t, counts.of(rt.label()))
	}
	admission := admission{hosts: c.Hosts, anyHost: c.Certificate != nil && len(c.Hosts) == 0}
	callers := &handler{routes: routes, admission: admission, limit: c.MaxBodyReplay, counts: counts, log: c.Log}
	withTLS := c.Certificate != nil
	p.main = &endpoint{server: newServer(p.counted(callers), c, withTLS), tls: withTLS}
	p.admin = &endpoint{server: newServer(p.status.handler(admission, counts), c, withTLS), tls: withTLS}
	p.socket = &endpoint{server: newServer(&socket{tokens: t, log: c.Log}, c, false)}
	for _, e := range []*endpoint{p.admin, p.socket} {
		e.server.ReadTimeout, e.server.WriteTimeout = shortTimeout, shortTimeout
	}
	return p, nil
}

// connect makes what forwards the requests of a route.
func (rt *route) connect(c Config, t *tokens, counts *routeCounts) {
	u := newUpstream(c.RootCAs, c.UpstreamTimeout, counts)
	rt.counts, rt.close = counts, u.closeIdle
	rt.proxy = &httputil.ReverseProxy{
		Rewrite:        rt.rewrite,
		Transport:      t.Transport(u, rt.upstream.Host),
		FlushInterval:  headerDelay,
		ErrorLog:       log.New(io.Discard, "", 0), // it may repeat what an upstream sent; the exchange has the cleaned text
		BufferPool:     buffers,
		ModifyResponse: responded,
		ErrorHandler:   failed,
	}
}

// counted lets Serve wait for the requests that Shutdown does not know: those of WebSockets.
func (p *Proxy) counted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.requests.Add(1)
		defer p.requests.Done()
		h.ServeHTTP(w, r)
	})
}

// Serve forwards requests until ctx ends or a listener fails. Then it accepts no more, lets those
// in progress end within the time to drain, closes WebSockets, and returns nil, or [ErrCut] if some
// had to be cut. Its first request to Stytch is for a token, so that wrong credentials are seen
// before a caller needs one.
func (p *Proxy) Serve(ctx context.Context) error {
	if err := p.Listen(ctx); err != nil {
		return err
	}
	defer p.close()
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	ended := make(chan error, 3)
	var group sync.WaitGroup
	for _, e := range []*endpoint{p.main, p.admin, p.socket} {
		if e.listener == nil {
			continue
		}
		e.server.BaseContext = func(net.Listener) context.Context { return base }
		group.Go(func() { ended <- e.serve() })
	}
	group.Go(func() { _, _ = p.tokens.Token(base) }) // a failure is in the log, and seen by /readyz
	var err error
	select {
	case <-ctx.Done():
	case err = <-ended:
	}
	err = errors.Join(err, p.drain(cut))
	group.Wait()
	return err
}

// drain ends the servers. cut cancels what is still in progress.
func (p *Proxy) drain(cut func()) error {
	p.status.draining.Store(true)
	limit, cancel := context.WithTimeout(context.Background(), p.config.DrainTimeout)
	defer cancel()
	var err error
	if shutdown(limit, p.main.server, p.socket.server) {
		err = ErrCut
	}
	cut()
	guard.Wait(&p.requests, afterCut)
	shutdown(limit, p.admin.server)
	return err
}

// shutdown reports whether a server had requests in progress when the limit was reached.
func shutdown(limit context.Context, servers ...*http.Server) bool {
	late := make(chan bool)
	for _, s := range servers {
		go func() {
			if err := s.Shutdown(limit); err == nil {
				late <- false
				return
			}
			_ = s.Close()
			late <- true
		}()
	}
	cut := false
	for range servers {
		cut = <-late || cut
	}
	return cut
}

// close frees what New made.
func (p *Proxy) close() {
	p.closeListeners()
	_ = p.tokens.Close()
	for _, rt := range p.routes {
		rt.close()
	}
}
