package conns

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"slices"
)

// pool is a set of connections that lives and is left together.
type pool struct {
	transport *Transport // its settings
	http      *http.Transport
	gate      gate
}

func newPool(t *Transport) *pool {
	p := &pool{transport: t, gate: gate{hold: t.hold, holdShared: t.holdShared}}
	p.http = &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            p.dialPlain,
		DialTLSContext:         p.dialTLS,
		ForceAttemptHTTP2:      slices.Contains(t.TLS.NextProtos, "h2"), // it would add h2 to a list without it
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: t.pingAfter, PingTimeout: t.pingTimeout},
		TLSClientConfig:        t.TLS, // for HTTPS through a proxy; otherwise dialTLS does the handshake
		TLSHandshakeTimeout:    handshakeTimeout,
		MaxIdleConns:           0, // no limit over all hosts: there is one
		MaxIdleConnsPerHost:    1024,
		IdleConnTimeout:        t.IdleTimeout,
		MaxResponseHeaderBytes: 64 << 10,
	}
	return p
}

// empty reports that nothing uses the pool, and that it has no connection.
func (p *pool) empty() bool {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	return p.gate.conns == 0 && p.gate.requests == 0
}

// dialPlain connects for plain HTTP and to proxies. Its context has the values of the request's
// context, but does not end with it.
func (p *pool) dialPlain(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := p.open(ctx, network, address)
	if err == nil {
		p.gate.negotiated("http/1.1")
	}
	return conn, err
}

// dialTLS connects for HTTPS without a proxy. It does the handshake right away, to learn the
// protocol.
func (p *pool) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	plain, err := p.open(ctx, network, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	config := p.transport.TLS.Clone()
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
	p.gate.negotiated(protocol)
	return conn, nil
}

// open dials once the gate lets it.
func (p *pool) open(ctx context.Context, network, address string) (net.Conn, error) {
	var held *ticket
	if caller, ok := ctx.Value(callerKey{}).(*Caller); ok && caller.pool == p {
		held = &caller.ticket
	}
	if !p.gate.pass(ctx, held) {
		return nil, context.Canceled // the request no longer needs it
	}
	conn, err := p.transport.dial(ctx, network, address)
	if err != nil {
		p.gate.closed()
		return nil, err
	}
	return &gatedConn{Conn: conn, gate: &p.gate}, nil
}
