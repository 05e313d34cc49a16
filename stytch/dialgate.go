package stytch

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptrace"
	"slices"
	"sync"
	"sync/atomic"
)

// dialGate keeps a transport from opening more connections than there are requests under way, and more than it needs where
// one connection serves many (HTTP/2).
//
// http.Transport begins to dial for every request that finds no idle connection. If another connection becomes idle first,
// the request takes that one, while the dial goes on and its connection is spare. When many callers start at once, as after
// a deploy, that nearly doubles the connections, each with its TLS handshake. The gate holds a dial back until it is really
// needed, and lets go of it when its request got a connection in another way.
type dialGate struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)

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
	g.drop(p)
}

// drop ends the dial that was held back for a request. Callers hold mu.
func (g *dialGate) drop(p *probe) {
	for _, w := range p.waiters {
		if i := slices.Index(g.waiting, w); i >= 0 {
			g.waiting = slices.Delete(g.waiting, i, i+1)
			w.proceed <- false
		}
	}
	p.waiters = nil
}

// connected notes that a request has its connection.
func (g *dialGate) connected(p *probe, conn net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.protocol == "" {
		g.protocol = "http/1.1"
		if t, ok := conn.(*tls.Conn); ok && t.ConnectionState().NegotiatedProtocol == "h2" {
			g.protocol = "h2"
		}
	}
	g.drop(p)
	g.release()
}

func (g *dialGate) closed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.conns--; g.conns == 0 {
		g.protocol = "" // whoever answers next may speak another one
	}
	g.release()
}

// DialContext is the transport's. Its context carries the values, though not the end, of the request's.
func (g *dialGate) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
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

// pass waits until the dial may go on, which counts it as a connection.
func (g *dialGate) pass(ctx context.Context, p *probe) bool {
	g.mu.Lock()
	if g.conns < g.allowed() && len(g.waiting) == 0 || p == nil {
		g.conns++
		g.mu.Unlock()
		return true
	}
	if p.got.Load() || p.ended.Load() {
		g.mu.Unlock()
		return false
	}
	w := &waiter{proceed: make(chan bool, 1)}
	g.waiting = append(g.waiting, w)
	p.waiters = append(p.waiters, w)
	g.mu.Unlock()

	select {
	case ok := <-w.proceed:
		return ok
	case <-ctx.Done():
		g.mu.Lock()
		defer g.mu.Unlock()
		if i := slices.Index(g.waiting, w); i >= 0 {
			g.waiting = slices.Delete(g.waiting, i, i+1)
		} else if <-w.proceed { // it was let go at the same moment
			g.conns--
			g.release()
		}
		return false
	}
}

type gatedConn struct {
	net.Conn
	gate *dialGate
	once sync.Once
}

func (c *gatedConn) Close() error {
	c.once.Do(c.gate.closed)
	return c.Conn.Close()
}

// probe follows one attempt through the transport: whether the request can have left, and which dial was begun for it. It is
// the attempt's context, so that the transport hands it to the dial.
type probe struct {
	context.Context
	gate    *dialGate   // nil with a transport of the caller's
	waiters []*waiter   // guarded by gate.mu
	asked   atomic.Bool // for a connection
	got     atomic.Bool // a connection
	ended   atomic.Bool
	trace   httptrace.ClientTrace
}

type probeKey struct{}

func (p *probe) Value(key any) any {
	if key == (probeKey{}) {
		return p
	}
	return p.Context.Value(key)
}

// begin returns the context to send the request with. end must be called when its body has been read.
func (p *probe) begin() context.Context {
	p.trace.GetConn = func(string) { p.asked.Store(true) }
	p.trace.GotConn = func(info httptrace.GotConnInfo) {
		p.got.Store(true)
		if p.gate != nil {
			p.gate.connected(p, info.Conn)
		}
	}
	if p.gate != nil {
		p.gate.enter()
	}
	return httptrace.WithClientTrace(p, &p.trace)
}

func (p *probe) end() {
	p.ended.Store(true)
	if p.gate != nil {
		p.gate.leave(p)
	}
}

// notSent reports that the server cannot have seen the request, because it never had a connection. Silence of a transport
// that knows nothing of httptrace counts as "may have been sent".
func (p *probe) notSent() bool { return p.asked.Load() && !p.got.Load() }
