package stytch

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"sync"
	"time"
)

// dialGate keeps a transport from opening more connections than there are requests under way, and more than it needs where
// one connection serves many (HTTP/2).
//
// http.Transport begins to dial for every request that finds no idle connection. If another connection becomes idle first,
// the request takes that one, while the dial goes on and its connection is spare. When many callers start at once, as after
// a deploy, that nearly doubles the connections, each with its TLS handshake. The gate holds a dial back until it is really
// needed, and drops it when its request ended on another one.
type dialGate struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	tls  *tls.Config

	// How long a dial is held back at most, and how long where one connection serves many: see patience.
	hold, holdShared time.Duration

	mu       sync.Mutex
	requests int       // under way
	conns    int       // open or being dialed
	protocol string    // negotiated by the first connection; "" until it stands
	waiting  []*waiter // dials that are held back, oldest first
}

// waiter is a dial that is held back. Its channel yields true when it may go on, false when its request needs it no more.
type waiter struct{ proceed chan bool }

// streamsPerConn is how many requests an HTTP/2 connection is trusted with: what servers commonly allow.
const streamsPerConn = 100

// allowed is how many connections the requests under way justify. Until the first one stands, the protocol is not known.
func (g *dialGate) allowed() int {
	switch g.protocol {
	case "":
		return 1
	case "h2":
		return 1 + g.requests/streamsPerConn
	}
	return max(1, g.requests)
}

// release lets as many dials go on as are allowed. Callers hold mu.
func (g *dialGate) release() {
	for len(g.waiting) > 0 && g.conns < g.allowed() {
		w := g.waiting[0]
		g.waiting = slices.Delete(g.waiting, 0, 1)
		g.conns++
		w.proceed <- true
	}
}

func (g *dialGate) enter() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests++
	g.release()
}

func (g *dialGate) leave(p *probe) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests--
	p.ended = true
	for _, w := range p.waiters { // dials that were held back for it
		if i := slices.Index(g.waiting, w); i >= 0 {
			g.waiting = slices.Delete(g.waiting, i, i+1)
			w.proceed <- false
		}
	}
}

// negotiated notes what the first connection speaks.
func (g *dialGate) negotiated(protocol string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.protocol == "" {
		g.protocol = protocol
		g.release()
	}
}

func (g *dialGate) closed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.conns--; g.conns == 0 {
		g.protocol = "" // whoever answers next may speak another one
	}
	g.release()
}

// DialContext is the transport's for plain HTTP and for proxies. Its context carries the values, though not the end, of the
// request's.
func (g *dialGate) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := g.open(ctx, network, address)
	if err == nil {
		g.negotiated("http/1.1")
	}
	return conn, err
}

// DialTLSContext is the transport's for HTTPS without a proxy. It shakes hands at once, to know the protocol.
func (g *dialGate) DialTLSContext(ctx context.Context, network, address string) (net.Conn, error) {
	plain, err := g.open(ctx, network, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	config := g.tls.Clone()
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
	g.negotiated(protocol)
	return conn, nil
}

// open dials when it may.
func (g *dialGate) open(ctx context.Context, network, address string) (net.Conn, error) {
	p, _ := ctx.Value(probeKey{}).(*probe)
	if !g.pass(ctx, p) {
		return nil, context.Canceled // nobody waits for it any more
	}
	conn, err := g.dial(ctx, network, address)
	if err != nil {
		g.closed()
		return nil, err
	}
	return &gatedConn{Conn: conn, gate: g}, nil
}

// patience is how long a dial is held back at most: the gate saves connections, but it must never be why a request fails. The
// dial that the others wait for may hang. And where HTTP/2 shares a connection, a dial means that the transport found it
// closing or full, unless it is only just being shared.
func (g *dialGate) patience() time.Duration {
	if g.protocol == "h2" {
		return g.holdShared
	}
	return g.hold
}

// pass waits until the dial may go on, which counts it as a connection.
func (g *dialGate) pass(ctx context.Context, p *probe) bool {
	g.mu.Lock()
	if g.conns < g.allowed() && len(g.waiting) == 0 || p == nil {
		g.conns++
		g.mu.Unlock()
		return true
	}
	if p.ended { // and nobody would let it go
		g.mu.Unlock()
		return false
	}
	w := &waiter{proceed: make(chan bool, 1)}
	g.waiting = append(g.waiting, w)
	p.waiters = append(p.waiters, w)
	patience := time.NewTimer(g.patience())
	defer patience.Stop()
	g.mu.Unlock()

	proceed := false
	select {
	case ok := <-w.proceed:
		return ok
	case <-patience.C:
		proceed = true
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, w); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		if proceed {
			g.conns++
		}
		return proceed
	}
	if ok := <-w.proceed; ok && !proceed { // it was let go at the same moment
		g.conns--
		g.release()
	} else {
		proceed = ok
	}
	return proceed
}

type gatedConn struct {
	net.Conn
	gate *dialGate
	once sync.Once
}

func (c *gatedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.gate.closed) // and not before: the next one may be dialed now
	return err
}
