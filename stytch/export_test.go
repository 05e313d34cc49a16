package stytch

import "crypto/x509"

// TrustRoots lets a client with its own transport talk to a TLS test server.
func (c *Client) TrustRoots(roots *x509.CertPool) { c.sender.settings.conns.TLS.RootCAs = roots }
