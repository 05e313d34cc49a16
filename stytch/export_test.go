package stytch

import (
	"crypto/x509"
	"net/http"
	"time"
)

// OwnTransport is the transport that a client makes for itself.
func (c *Client) OwnTransport() *http.Transport { return c.transport.(*http.Transport) }

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
