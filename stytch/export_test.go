package stytch

import (
	"context"
	"crypto/x509"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// TrustRoots lets a client talk to a test server over TLS by its own transport.
func (c *Client) TrustRoots(roots *x509.CertPool) { c.settings.gate.tls.RootCAs = roots }

// GatedConns is how many connections the dial gate of a client counts, and how many dials it holds back.
func (c *Client) GatedConns() (conns, waiting int) {
	gate := c.settings.gate
	gate.mu.Lock()
	defer gate.mu.Unlock()
	return gate.conns, len(gate.waiting)
}

// HoldDials lets the dial gate of a client hold dials back for longer than a test takes, however slow the machine is.
func (c *Client) HoldDials(d time.Duration) { c.settings.gate.hold, c.settings.gate.holdShared = d, d }

// WatchConns tells f how many connections a client has, open or being dialed, whenever there is one more.
func (c *Client) WatchConns(f func(conns int64)) {
	var conns atomic.Int64
	dial := c.settings.gate.dial
	c.settings.gate.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		f(conns.Add(1))
		conn, err := dial(ctx, network, address)
		if err != nil {
			conns.Add(-1)
			return nil, err
		}
		return &watchedConn{Conn: conn, closed: sync.OnceFunc(func() { conns.Add(-1) })}, nil
	}
}

type watchedConn struct {
	net.Conn
	closed func()
}

func (c *watchedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}
