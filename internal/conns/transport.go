// Package conns is an HTTP transport that opens as many connections as there are requests in
// progress, and no more, and that leaves a connection that has died without a word.
//
// [http.Transport] starts to dial for every request that finds no idle connection. If another
// connection becomes idle first, the request takes that one, but the dial continues and its
// connection is surplus. When many callers start at once, as after a deployment, that nearly
// doubles the connections, each with its own TLS handshake. [Transport] holds a dial back until it
// is needed, and drops it when its request was served by another connection.
//
// A NAT gateway or firewall may forget a connection without telling either end. HTTP/2 shares one
// connection, so every request would wait on it for its whole timeout, until the kernel gives the
// connection up after many minutes. [Transport] pings a connection that has been silent for
// [PingAfter], closes it after [PingTimeout] without an answer, and sends nothing more over the
// connections of a request that ran into its deadline.
//
// As an [http.RoundTripper] it needs no more. To hold dials back, use it in three steps:
//
//	caller := transport.Enter(ctx)
//	defer caller.Leave() // once the body has been read
//	resp, err := transport.RoundTrip(req.WithContext(caller))
package conns

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// handshakeTimeout bounds connecting, and separately the TLS handshake.
	handshakeTimeout = 5 * time.Second

	// PingAfter is how long an HTTP/2 connection may be silent before a ping. With PingTimeout it
	// finds a dead one within five seconds, whether it is in use or idle: less than the usual
	// timeout of a request, so that a repeated one still succeeds.
	PingAfter = 3 * time.Second
	// PingTimeout is how long to wait for the response to a ping.
	PingTimeout = 2 * time.Second
)

// Transport is an [http.RoundTripper] for one host. It opens no connection before its first request
// and is safe for concurrent use. Change its fields before the first request only.
type Transport struct {
	TLS         *tls.Config   // of all connections; NextProtos without "h2" for HTTP/1.1 alone
	IdleTimeout time.Duration // after which an unused connection is closed; 90 s by default

	pingAfter, pingTimeout time.Duration
	hold, holdShared       time.Duration // see gate
	dial                   func(ctx context.Context, network, address string) (net.Conn, error)

	// The buffers of a connection hold the secrets and tokens that went over it. Reflection, and so
	// anything that prints a struct, does not look behind a func.
	pools func() *pools
}

// pools are the connections to use, and those that requests are still using but no new one will.
type pools struct {
	mu      sync.Mutex
	current *pool // nil before the first request
	left    []*pool
}

// New returns a transport that requires TLS 1.2, uses the proxy of the environment, and keeps an
// idle connection for every concurrent caller. http.DefaultTransport keeps two per host, so that
// with more callers nearly every request opens a connection.
func New() *Transport {
	dialer := &net.Dialer{Timeout: handshakeTimeout, KeepAlive: 30 * time.Second}
	all := new(pools)
	return &Transport{
		TLS:         &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}},
		IdleTimeout: 90 * time.Second,
		pingAfter:   PingAfter, pingTimeout: PingTimeout,
		hold: time.Second, holdShared: 250 * time.Millisecond,
		dial:  dialer.DialContext,
		pools: func() *pools { return all },
	}
}

// pool is the one for new requests.
func (t *Transport) pool() *pool {
	all := t.pools()
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.current == nil {
		all.current = newPool(t)
	}
	return all.current
}

// suspect leaves the pool of a request that got no response in time: its connection may be dead,
// and with HTTP/2 it is the one of all requests. Those in progress are not disturbed. If the server
// was merely slow, this costs a new connection.
func (t *Transport) suspect(p *pool) {
	all := t.pools()
	all.mu.Lock()
	if all.current == p {
		all.current = nil
		all.left = append(slices.DeleteFunc(all.left, (*pool).empty), p)
	}
	all.mu.Unlock()
	p.http.CloseIdleConnections()
}

// RoundTrip sends one request. Without a [Caller] as its context, the request's dial is never held
// back.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if caller, ok := req.Context().Value(callerKey{}).(*Caller); ok && caller.transport == t {
		return caller.pool.http.RoundTrip(req) // Leave looks at the deadline
	}
	p := t.pool()
	resp, err := p.http.RoundTrip(req)
	if err != nil && timedOut(req.Context()) {
		t.suspect(p)
	}
	return resp, err
}

func timedOut(ctx context.Context) bool { return errors.Is(ctx.Err(), context.DeadlineExceeded) }

// CloseIdleConnections closes the connections that no request is using. The transport stays usable.
func (t *Transport) CloseIdleConnections() {
	all := t.pools()
	all.mu.Lock()
	defer all.mu.Unlock()
	all.left = slices.DeleteFunc(all.left, (*pool).empty)
	for _, p := range all.left {
		p.http.CloseIdleConnections()
	}
	if all.current != nil {
		all.current.http.CloseIdleConnections()
	}
}

// Caller is one request in progress. It is the context to send the request with, so that a dial can
// be traced back to the request it was started for.
type Caller struct {
	context.Context
	transport *Transport
	pool      *pool
	ticket    ticket
}

// Enter begins a request. Leave must be called after its body has been read, and before its context
// is canceled.
func (t *Transport) Enter(ctx context.Context) *Caller {
	c := &Caller{Context: ctx, transport: t, pool: t.pool()}
	c.pool.gate.enter()
	return c
}

// Leave ends a request. Dials that are still held back for it are dropped.
func (c *Caller) Leave() {
	c.pool.gate.leave(&c.ticket)
	if timedOut(c.Context) {
		c.transport.suspect(c.pool)
	}
}

type callerKey struct{}

// Value returns the caller itself for this package's own key.
func (c *Caller) Value(key any) any {
	if key == (callerKey{}) {
		return c
	}
	return c.Context.Value(key)
}
