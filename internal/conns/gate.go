package conns

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"
)

// gate decides when a dial may start. It counts requests in progress and connections, open or being
// dialed.
type gate struct {
	// How long a dial is held back at most, and how long where one connection serves many requests:
	// see patience.
	hold, holdShared time.Duration

	mu       sync.Mutex
	requests int       // in progress
	conns    int       // open or being dialed
	protocol string    // negotiated by the first connection; "" until then
	waiting  []*waiter // dials that are held back, oldest first
}

// waiter is a dial that is held back. Its channel yields true when the dial may start, false when
// it is not needed.
type waiter struct{ proceed chan bool }

// ticket is what the gate knows about one request. The gate's mu guards it.
type ticket struct {
	waiters []*waiter // dials that were held back for the request
	ended   bool
}

// streamsPerConn is the number of concurrent requests that servers commonly allow on one HTTP/2
// connection.
const streamsPerConn = 100

// allowed is how many connections the requests in progress justify. Until the first connection
// stands, the protocol is unknown.
func (g *gate) allowed() int {
	switch g.protocol {
	case "":
		return 1
	case "h2":
		return 1 + g.requests/streamsPerConn
	}
	return max(1, g.requests)
}

// release starts as many waiting dials as are allowed. Callers hold mu.
func (g *gate) release() {
	for len(g.waiting) > 0 && g.conns < g.allowed() {
		w := g.waiting[0]
		g.waiting = slices.Delete(g.waiting, 0, 1)
		g.conns++
		w.proceed <- true
	}
}

func (g *gate) enter() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests++
	g.release()
}

func (g *gate) leave(t *ticket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests--
	t.ended = true
	for _, w := range t.waiters {
		if i := slices.Index(g.waiting, w); i >= 0 {
			g.waiting = slices.Delete(g.waiting, i, i+1)
			w.proceed <- false
		}
	}
}

// negotiated records the protocol of the first connection.
func (g *gate) negotiated(protocol string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.protocol == "" {
		g.protocol = protocol
		g.release()
	}
}

// closed records the end of a connection, or of a dial that failed.
func (g *gate) closed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.conns--; g.conns == 0 {
		g.protocol = "" // the next server may speak another one
	}
	g.release()
}

// patience is how long a dial is held back at most. The gate saves connections, but must never be
// the reason that a request fails: the dial that the others wait for may hang. Where HTTP/2 shares
// a connection, a dial means that the transport found the connection closing or full, or that it
// has only just become available.
func (g *gate) patience() time.Duration {
	if g.protocol == "h2" {
		return g.holdShared
	}
	return g.hold
}

// pass waits until a dial may start, and then counts it as a connection. It reports false if the
// dial is not needed. A nil ticket never waits.
func (g *gate) pass(ctx context.Context, t *ticket) bool {
	g.mu.Lock()
	if g.conns < g.allowed() && len(g.waiting) == 0 || t == nil {
		g.conns++
		g.mu.Unlock()
		return true
	}
	if t.ended { // nothing would ever release it
		g.mu.Unlock()
		return false
	}
	w := &waiter{proceed: make(chan bool, 1)}
	g.waiting = append(g.waiting, w)
	t.waiters = append(t.waiters, w)
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
	if ok := <-w.proceed; ok && !proceed { // it was released at the same moment
		g.conns--
		g.release()
	} else {
		proceed = ok
	}
	return proceed
}

// gatedConn is a connection that the gate counts.
type gatedConn struct {
	net.Conn
	gate *gate
	once sync.Once
}

// Close closes the connection and then lets the gate allow the next one.
func (c *gatedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.gate.closed)
	return err
}
