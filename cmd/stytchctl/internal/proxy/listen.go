package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	headerTimeout = 10 * time.Second // for the header of a request, and for a handshake
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10

	// The other listeners get small requests, and one of them waits for a token.
	shortTimeout = 40 * time.Second
)

// endpoint is a server with the listener that it has.
type endpoint struct {
	server   *http.Server
	listener net.Listener
	tls      bool
}

// newServer limits what a caller can hold: the time for a header, its size, an idle connection.
func newServer(h http.Handler, c Config, withTLS bool) *http.Server {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog:                     slog.NewLogLogger(c.Log.Handler(), slog.LevelWarn),
		DisableGeneralOptionsHandler: true, // OPTIONS * would be answered without a look at the caller
	}
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)
	if !withTLS {
		s.Protocols.SetUnencryptedHTTP2(true)
		return s
	}
	s.Protocols.SetHTTP2(true)
	s.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*c.Certificate}}
	if c.ClientCAs != nil {
		s.TLSConfig.ClientCAs, s.TLSConfig.ClientAuth = c.ClientCAs, tls.RequireAndVerifyClientCert
	}
	return s
}

// Listen opens the listeners of the proxy, so that callers can connect, and [Proxy.Addr] knows the
// ports. [Proxy.Serve] does it otherwise. After an error none is open.
func (p *Proxy) Listen(ctx context.Context) (err error) {
	if p.main.listener != nil {
		return nil
	}
	defer func() {
		if err != nil {
			p.closeListeners()
		}
	}()
	for _, e := range []struct {
		*endpoint
		address string
	}{{p.main, p.config.Listen}, {p.admin, p.config.Admin}} {
		if e.address == "" {
			continue
		}
		if e.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", e.address); err != nil {
			return fmt.Errorf("proxy: listen: %w: choose another address. Nothing was served", err)
		}
	}
	if path := p.config.TokenSocket; path != "" {
		if p.socket.listener, err = listenSocket(ctx, path); err != nil {
			return fmt.Errorf("proxy: listen: token socket: %w. Nothing was served", err)
		}
	}
	return nil
}

func (p *Proxy) closeListeners() {
	for _, e := range []*endpoint{p.main, p.admin, p.socket} {
		if e.listener != nil {
			_ = e.listener.Close()
			e.listener = nil
		}
	}
}

// Addr is the address that callers use; nil before [Proxy.Listen].
func (p *Proxy) Addr() net.Addr { return p.main.addr() }

// AdminAddr is the address of /healthz, /readyz and /metrics; nil before [Proxy.Listen] and without
// [Config] Admin.
func (p *Proxy) AdminAddr() net.Addr { return p.admin.addr() }

func (e *endpoint) addr() net.Addr {
	if e.listener == nil {
		return nil
	}
	return e.listener.Addr()
}

// serve returns when the server was shut down, or its listener failed.
func (e *endpoint) serve() error {
	var err error
	if e.tls {
		err = e.server.ServeTLS(e.listener, "", "")
	} else {
		err = e.server.Serve(e.listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("proxy: serve: %w", err)
}
