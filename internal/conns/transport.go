// Package conns is an HTTP transport that opens as many connections as there are requests in
// progress, and no more.
//
// [http.Transport] starts to dial for every request that finds no idle connection. If another
// connection becomes idle first, the request takes that one, but the dial continues and its
// connection is surplus. When many callers start at once, as after a deployment, that nearly
// doubles the connections, each with its own TLS handshake. [Transport] holds a dial back until it
// is needed, and drops it when its request was served by another connection.
//
// Use it in three steps:
//
//	caller := transport.Enter(ctx)
//	defer caller.Leave() // once the body has been read
//	resp, err := transport.RoundTrip(req.WithContext(caller))
package conns

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// handshakeTimeout bounds connecting, and separately the TLS handshake.
const handshakeTimeout = 5 * time.Second

// Transport is an [http.RoundTripper] for one host. It opens no connection before its first request
// and is safe for concurrent use.
type Transport struct {
	// TLS applies to all connections. Change it before the first request only.
	TLS *tls.Config

	http *http.Transport
	gate gate
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// New returns a transport that requires TLS 1.2, uses the proxy of the environment, and keeps an
// idle connection for every concurrent caller. http.DefaultTransport keeps two per host, so that
// with more callers nearly every request opens a connection.
func New() *Transport {
	dialer := &net.Dialer{Timeout: handshakeTimeout, KeepAlive: 30 * time.Second}
	t := &Transport{
		TLS:  &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}},
		gate: gate{hold: time.Second, holdShared: 250 * time.Millisecond},
		dial: dialer.DialContext,
	}
	t.http = &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            t.dialPlain,
		DialTLSContext:         t.dialTLS,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        t.TLS, // for HTTPS through a proxy; otherwise dialTLS does the handshake
		TLSHandshakeTimeout:    handshakeTimeout,
		MaxIdleConns:           0, // no limit over all hosts: there is one
		MaxIdleConnsPerHost:    1024,
		IdleConnTimeout:        90 * time.Second,
		ResponseHeaderTimeout:  10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
	return t
}

// RoundTrip sends one request. Without a [Caller] as its context, the request's dial is never held
// back.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	return t.http.RoundTrip(req)
}

// CloseIdleConnections closes the connections that no request is using. The transport stays usable.
func (t *Transport) CloseIdleConnections() { t.http.CloseIdleConnections() }

// Caller is one request in progress. It is the context to send the request with, so that a dial can
// be traced back to the request it was started for.
type Caller struct {
	context.Context
	gate   *gate
	ticket ticket
}

// Enter begins a request. Leave must be called after its body has been read.
func (t *Transport) Enter(ctx context.Context) *Caller {
	t.gate.enter()
	return &Caller{Context: ctx, gate: &t.gate}
}

// Leave ends a request. Dials that are still held back for it are dropped.
func (c *Caller) Leave() { c.gate.leave(&c.ticket) }

type callerKey struct{}

// Value returns the caller itself for this package's own key.
func (c *Caller) Value(key any) any {
	if key == (callerKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// dialPlain connects for plain HTTP and to proxies. Its context has the values of the request's
// context, but does not end with it.
func (t *Transport) dialPlain(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := t.open(ctx, network, address)
	if err == nil {
		t.gate.negotiated("http/1.1")
	}
	return conn, err
}

// dialTLS connects for HTTPS without a proxy. It does the handshake right away, to learn the
// protocol.
func (t *Transport) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	plain, err := t.open(ctx, network, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	config := t.TLS.Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(address)
	}
	conn := tls.Client(plain, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		plain.Close()
		return nil, &net.OpError{Op: "dial", Net: network, Addr: plain.RemoteAddr(), Err: err}
	}
	protocol := conn.ConnectionState().NegotiatedProtocol
	if protocol == "" {
		protocol = "http/1.1"
	}
	t.gate.negotiated(protocol)
	return conn, nil
}

// open dials once the gate lets it.
func (t *Transport) open(ctx context.Context, network, address string) (net.Conn, error) {
	var held *ticket
	if caller, ok := ctx.Value(callerKey{}).(*Caller); ok {
		held = &caller.ticket
	}
	if !t.gate.pass(ctx, held) {
		return nil, context.Canceled // the request no longer needs it
	}
	conn, err := t.dial(ctx, network, address)
	if err != nil {
		t.gate.closed()
		return nil, err
	}
	return &gatedConn{Conn: conn, gate: &t.gate}, nil
}
