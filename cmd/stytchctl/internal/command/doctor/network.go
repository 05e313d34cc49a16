package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// stepTimeout bounds each step on the network.
const stepTimeout = 5 * time.Second

// checkReachability takes the way to the API step by step, so that the one that fails is known.
func (e *examination) checkReachability(ctx context.Context) bool {
	target, direct := e.base, true
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: e.base})
	switch {
	case err != nil:
		e.add("proxy", fault, "the environment names a proxy that is not an address", "correct HTTPS_PROXY or HTTP_PROXY")
		return false
	case proxy != nil:
		target, direct = proxy, false
		e.good("proxy", "requests go through %s, as HTTPS_PROXY or HTTP_PROXY says", proxy.Host)
	default:
		e.good("proxy", "none is used for %s", e.base.Host)
	}
	if !e.checkName(ctx, target.Hostname()) {
		e.add("connection", skipped, "the name does not resolve", "")
		e.add("TLS", skipped, "the name does not resolve", "")
		return false
	}
	if !e.checkConnection(ctx, target) {
		e.add("TLS", skipped, "there is no connection", "")
		return false
	}
	if !direct {
		e.add("TLS", skipped, "the proxy stands between: see the key set", "")
		return true
	}
	return e.checkTLS(ctx, target)
}

func (e *examination) checkName(ctx context.Context, host string) bool {
	const check = "name"
	if net.ParseIP(host) != nil {
		e.good(check, "%s is an address", host)
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	found, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		e.fail(check, err, "check the address, the network and the DNS server of this machine")
		return false
	}
	e.good(check, "%s is %s", host, strings.Join(found[:min(3, len(found))], ", "))
	return true
}

// addressOf is the host and port of a URL.
func addressOf(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "http":
		port = "80"
	default:
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

func (e *examination) checkConnection(ctx context.Context, target *url.URL) bool {
	start := e.app.Now()
	dialer := net.Dialer{Timeout: stepTimeout}
	connection, err := dialer.DialContext(ctx, "tcp", addressOf(target))
	if err != nil {
		e.fail("connection", err, "check the port, firewalls, and whether a proxy is needed (HTTPS_PROXY)")
		return false
	}
	_ = connection.Close()
	e.good("connection", "%s answers after %v", addressOf(target), e.app.Now().Sub(start).Round(time.Millisecond))
	return true
}

func (e *examination) checkTLS(ctx context.Context, target *url.URL) bool {
	const check = "TLS"
	if target.Scheme == "http" {
		e.add(check, good, "not used: the address is on this machine", "")
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}
	connection, err := dialer.DialContext(ctx, "tcp", addressOf(target))
	if err != nil {
		e.fail(check, err, adviceForTLS(err))
		return false
	}
	defer connection.Close()
	state := connection.(*tls.Conn).ConnectionState()
	e.good(check, "%s, certificate until %s", tls.VersionName(state.Version), state.PeerCertificates[0].NotAfter.UTC().Format(time.DateOnly))
	return true
}

// adviceForTLS says what usually is behind an error of TLS.
func adviceForTLS(err error) string {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	switch {
	case errors.As(err, &unknown):
		return "a firewall or proxy may open the connection: install its certificate, or name it with SSL_CERT_FILE"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "check the clock of this machine; if it is right, the certificate of the server has expired"
	case errors.As(err, &name):
		return "another server answers under this name: check the address and the DNS server"
	}
	return "something between does not speak TLS: check the address and whether a proxy is needed"
}
