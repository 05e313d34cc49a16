package stytch

import (
	"crypto/tls"
	"net"
	"net/http"
	"runtime"
	"time"
)

// Version is the version of this SDK, as it stands in the User-Agent header.
const Version = "0.1.0"

var userAgent = "stytch-m2m-go/" + Version + " (" + runtime.Version() + "; " + runtime.GOOS + ")"

// handshakeTimeout bounds connecting, and separately the TLS handshake.
const handshakeTimeout = 5 * time.Second

// newTransport differs from http.DefaultTransport where it hurts an API client: that one keeps two idle connections per
// host, so that more callers than two open a connection for nearly every request, TLS handshake included.
func newTransport(gate *dialGate) *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            gate.DialContext,
		DialTLSContext:         gate.DialTLSContext,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        gate.tls, // behind a proxy; otherwise the gate shakes hands
		TLSHandshakeTimeout:    handshakeTimeout,
		MaxIdleConns:           0, // no limit over all hosts: there is one
		MaxIdleConnsPerHost:    1024,
		IdleConnTimeout:        90 * time.Second,
		ResponseHeaderTimeout:  10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

func newDialGate() *dialGate {
	dialer := &net.Dialer{Timeout: handshakeTimeout, KeepAlive: 30 * time.Second}
	return &dialGate{
		dial: dialer.DialContext,
		tls:  &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}},
		hold: time.Second, holdShared: 250 * time.Millisecond,
	}
}

// useTransport takes what counts of the caller's http.Client. Requests go to its RoundTripper directly, which never follows a
// redirect: that would carry the secrets of a body to wherever the answer points. Cookies are left out too: the API has none.
func (c *Client) useTransport() {
	client := c.settings.http
	c.transport = client.Transport
	if c.transport == nil {
		c.transport = http.DefaultTransport
	}
	if client.Timeout > 0 {
		c.settings.attemptTimeout = min(c.settings.attemptTimeout, client.Timeout)
	}
}
