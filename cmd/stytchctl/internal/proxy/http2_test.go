package proxy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/proxy"
)

// authority issues certificates for tests.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pool        *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{pool: x509.NewCertPool()}
	a.certificate = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	issued := a.issue(t, a.certificate)
	a.certificate, a.key = issued.Leaf, issued.PrivateKey.(*ecdsa.PrivateKey)
	a.pool.AddCert(a.certificate)
	return a
}

// issue signs a template, with its own key if the authority has none yet.
func (a *authority) issue(t *testing.T, template *x509.Certificate) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer := a.key
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func (a *authority) leaf(t *testing.T, usage x509.ExtKeyUsage) *tls.Certificate {
	return a.issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{usage},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	})
}

// Remote callers show a certificate, and speak HTTP/2.
func TestRemoteCallers(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	f := start(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Trailer", "X-Sum")
		fmt.Fprintf(w, "%s %s %s", r.Header.Get("X-Forwarded-Proto"), body, r.Trailer.Get("X-Check"))
		w.Header().Set("X-Sum", "42")
	}, func(c *proxy.Config) {
		c.Listen, c.AllowRemote, c.Certificate, c.ClientCAs = "0.0.0.0:0", true, ca.leaf(t, x509.ExtKeyUsageServerAuth), ca.pool
	})
	_, port, _ := net.SplitHostPort(f.Addr().String())
	_, adminPort, _ := net.SplitHostPort(f.AdminAddr().String())
	for _, test := range []struct {
		name        string
		certificate *tls.Certificate
		ok          bool
	}{
		{"a certificate of the CA", ca.leaf(t, x509.ExtKeyUsageClientAuth), true},
		{"a certificate of a server", ca.leaf(t, x509.ExtKeyUsageServerAuth), false},
		{"a certificate of another CA", other.leaf(t, x509.ExtKeyUsageClientAuth), false},
		{"no certificate", nil, false},
	} {
		config := &tls.Config{RootCAs: ca.pool}
		if test.certificate != nil {
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return test.certificate, nil }
		}
		transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
		req, _ := http.NewRequestWithContext(t.Context(), "POST", "https://127.0.0.1:"+port+"/", io.NopCloser(strings.NewReader("body")))
		req.Trailer = http.Header{"X-Check": {"good"}}
		resp, err := transport.RoundTrip(req)
		_, adminErr := transport.RoundTrip(get(t, "https://127.0.0.1:"+adminPort+"/healthz"))
		if (err == nil) != test.ok || (adminErr == nil) != test.ok {
			t.Errorf("%s: %v, admin %v", test.name, err, adminErr)
		}
		if err == nil {
			text, _ := io.ReadAll(resp.Body)
			if resp.Proto != "HTTP/2.0" || string(text) != "https body good" || resp.Trailer.Get("X-Sum") != "42" {
				t.Errorf("%s %q %v", resp.Proto, text, resp.Trailer)
			}
		}
		transport.CloseIdleConnections()
	}
	if n := len(f.upstream.requests()); n != 1 {
		t.Errorf("%d requests were forwarded", n)
	}
	if resp, err := http.Get("http://127.0.0.1:" + port + "/"); err == nil && resp.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP: %d", resp.StatusCode)
	}
}

func get(t *testing.T, url string) *http.Request {
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// On the loopback interface, HTTP/2 needs no TLS, as gRPC clients expect.
func TestPlainHTTP2(t *testing.T) {
	f := start(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", body, r.Trailer.Get("X-Check"))
	}, nil)
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	for range 20 {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", f.url+"/", io.NopCloser(strings.NewReader("body")))
		req.Trailer = http.Header{"X-Check": {"good"}}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.Proto != "HTTP/2.0" || string(text) != "body good" {
			t.Errorf("%s %q", resp.Proto, text)
		}
	}
}
