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

// newTransport differs from http.DefaultTransport where it hurts an API client: that one keeps two idle connections per
// host, so that more callers than two open a connection for nearly every request, TLS handshake included.
func newTransport(gate *dialGate) *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            gate.DialContext,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    5 * time.Second,
		MaxIdleConns:           0, // no limit over all hosts: there is one
		MaxIdleConnsPerHost:    1024,
		IdleConnTimeout:        90 * time.Second,
		ResponseHeaderTimeout:  10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

func newDialGate() *dialGate {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &dialGate{dial: dialer.DialContext}
}

// withoutRedirects copies the client and stops it from following redirects, because a redirected request would carry the
// secrets of its body to wherever the answer points. Cookies go too: the API has none.
func withoutRedirects(client *http.Client) *http.Client {
	c := *client
	c.Jar = nil
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}
