// Package server serves a local Stytch over HTTP: the API of Stytch, the admin API, and the
// console. It listens on a loopback address unless another one is given, and bounds what clients
// can make it hold.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/instance"
	"github.com/stytchkit/m2m/stytch/secret"
)

// Limits of a server. What takes longer or is larger ends its connection, not the server.
const (
	maxConnections = 1024
	maxHeader      = 32 << 10
)

// timeouts bound how long clients can keep the server busy.
type timeouts struct {
	header, read, idle time.Duration
	write              time.Duration // of each write: a fault may delay a response by hours
	drain              time.Duration // of what is in progress at the end
}

var standard = timeouts{
	header: 5 * time.Second, read: 60 * time.Second, idle: 60 * time.Second, write: 30 * time.Second, drain: 5 * time.Second,
}

// ErrNeedsToken is what errors.Is finds when an address that others can reach has an admin API
// without a token.
var ErrNeedsToken = errors.New("server: the admin API needs a token")

// A Config describes a server.
type Config struct {
	Address    string        // host:port; without a host, 127.0.0.1
	Hosts      []string      // further names that clients may use for this server
	TLS        *tls.Config   // nil for HTTP
	AdminToken secret.String // zero for none
	NoAdmin    bool          // serve neither the admin API, but for its probes, nor the console

	// Console makes the handler below /_emulator/, or is nil. It guards itself with the token, if
	// there is one, and shows the address.
	Console func(*Server) (http.Handler, error)

	// OnBug is called with the stack of a request that a bug ended, if it is not nil.
	OnBug func(stack []byte)
}

// A Server is listening. [Server.Serve] accepts.
type Server struct {
	instance *instance.Instance
	config   Config
	token    token
	hosts    hosts
	listener net.Listener
	http     *http.Server
	timeouts timeouts
	ending   chan struct{}
}

// Listen opens the address. No request is accepted before [Server.Serve].
func Listen(ctx context.Context, i *instance.Instance, config Config) (*Server, error) {
	address := config.Address
	if strings.HasPrefix(address, ":") {
		address = "127.0.0.1" + address
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("server: listen: %w", err)
	}
	s := &Server{
		instance: i, config: config, token: newToken(config.AdminToken),
		listener: listener, timeouts: standard, ending: make(chan struct{}),
	}
	s.hosts = newHosts(!s.Loopback(), config.Hosts)
	if !s.Loopback() && !s.token.required && !config.NoAdmin {
		_ = listener.Close()
		return nil, fmt.Errorf("%w: %s can be reached from other machines", ErrNeedsToken, listener.Addr())
	}
	handler, err := s.handler()
	if err != nil {
		_ = listener.Close()
		return nil, err
	}
	s.http = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: s.timeouts.header,
		ReadTimeout:       s.timeouts.read,
		IdleTimeout:       s.timeouts.idle,
		MaxHeaderBytes:    maxHeader,
		TLSConfig:         config.TLS,
		ErrorLog:          log.New(discard{}, "", 0), // about connections of others; requests are in the request log
	}
	return s, nil
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// Serve serves until ctx ends. Then it finishes what is in progress, for at most five seconds.
func (s *Server) Serve(ctx context.Context) error {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	tasks.Go(s.instance.WarmUp)

	stopped := make(chan error, 1)
	limited := netutil.LimitListener(s.listener, maxConnections)
	tasks.Go(func() {
		if s.config.TLS != nil {
			stopped <- s.http.ServeTLS(limited, "", "")
			return
		}
		stopped <- s.http.Serve(limited)
	})
	select {
	case err := <-stopped:
		return fmt.Errorf("server: %w", err)
	case <-ctx.Done():
	}
	s.instance.End()
	close(s.ending)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeouts.drain)
	defer cancel()
	if err := s.http.Shutdown(drain); err != nil {
		_ = s.http.Close() // a request that outlasts the limit is cut off
	}
	return nil
}

// Close ends a server that never served.
func (s *Server) Close() error { return s.listener.Close() }

// Instance is what it serves.
func (s *Server) Instance() *instance.Instance { return s.instance }

// Loopback reports whether only this machine can reach the server.
func (s *Server) Loopback() bool {
	addr, ok := s.listener.Addr().(*net.TCPAddr)
	return ok && addr.IP.IsLoopback()
}

// URL is the address for clients on this machine.
func (s *Server) URL() string {
	scheme := "http"
	if s.config.TLS != nil {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(s.listener.Addr().String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// AdminURL is the address of the admin API, "" without one.
func (s *Server) AdminURL() string {
	if s.config.NoAdmin {
		return ""
	}
	return s.URL() + admin.Base
}

// NeedsToken reports whether the admin API and the console need a token.
func (s *Server) NeedsToken() bool { return s.token.required }

// CheckToken reports whether a text is the admin token.
func (s *Server) CheckToken(text string) bool { return !s.token.required || s.token.matches(text) }

// Ending is closed when the server begins to end. Responses without an end watch it.
func (s *Server) Ending() <-chan struct{} { return s.ending }
