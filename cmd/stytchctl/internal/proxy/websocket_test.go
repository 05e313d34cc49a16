package proxy_test

import (
	"bufio"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/proxy"
)

const handshake = "GET /chat HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

// echoSocket accepts an upgrade and returns what it gets, until the other side ends.
func echoSocket(ended chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || r.Header.Get("Connection") != "Upgrade" || r.ProtoMajor != 1 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		conn, stream, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		fmt.Fprintf(stream, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Authorized: %t\r\n\r\n",
			strings.HasPrefix(r.Header.Get("Authorization"), "Bearer "))
		_ = stream.Flush()
		_, _ = io.Copy(conn, stream)
		if ended != nil {
			close(ended)
		}
	}
}

// upgrade opens a WebSocket and exchanges one message.
func (f *fixture) upgrade() net.Conn {
	f.t.Helper()
	conn, err := net.Dial("tcp", f.Addr().String())
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.WriteString(conn, handshake)
	stream := bufio.NewReader(conn)
	resp, err := http.ReadResponse(stream, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("X-Authorized") != "true" || !strings.EqualFold(resp.Header.Get("Upgrade"), "websocket") {
		f.t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	for i := range 3 {
		message := fmt.Sprintf("message %d\n", i)
		_, _ = io.WriteString(conn, message)
		if got, err := stream.ReadString('\n'); got != message {
			f.t.Fatalf("%q, %v", got, err)
		}
	}
	return conn
}

func TestWebSocket(t *testing.T) {
	ended := make(chan struct{})
	f := start(t, echoSocket(ended), nil)
	conn := f.upgrade()
	f.wantMetric("stytchctl_proxy_requests_in_progress 1")
	conn.Close()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the upstream's side stays open")
	}
	f.wantMetric(`stytchctl_proxy_requests_total{code_class="1xx",route="/"} 1`)
}

// An upstream with HTTP/2 is reached by HTTP/1.1 for an upgrade, and by HTTP/2 for all else.
func TestWebSocketBesideHTTP2(t *testing.T) {
	f := prepare(t, nil)
	server := httptest.NewUnstartedServer(f.upstream.wrap(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			echoSocket(nil)(w, r)
			return
		}
		fmt.Fprint(w, r.Proto)
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	f.start(func(c *proxy.Config) { c.Routes[0].Upstream, c.RootCAs = server.URL, roots })
	if r := f.do("GET", "/", ""); r.text != "HTTP/2.0" {
		t.Errorf("%d %s", r.StatusCode, r.text)
	}
	f.upgrade().Close()
}

// A token that is rejected in a handshake is replaced like any other.
func TestWebSocketRepeat(t *testing.T) {
	var n atomic.Int64
	f := start(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			w.Header().Set("WWW-Authenticate", invalidToken)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		echoSocket(nil)(w, r)
	}, nil)
	f.upgrade()
	if n.Load() != 2 {
		t.Errorf("%d handshakes", n.Load())
	}
}

// Another protocol could carry requests with credentials of the caller's choice past the proxy.
func TestOtherUpgrades(t *testing.T) {
	f := start(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" || r.Header.Get("Connection") != "" {
			t.Errorf("Upgrade: %s, Connection: %s", r.Header.Get("Upgrade"), r.Header.Get("Connection"))
		}
	}, nil)
	for _, protocol := range []string{"h2c", "TLS/1.0", "foo", "websocket, h2c"} {
		text := f.raw("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: " + protocol + "\r\n\r\n")
		if !strings.HasPrefix(text, "HTTP/1.1 200") {
			t.Errorf("%s: %q", protocol, text)
		}
	}
}

func TestDrainClosesWebSockets(t *testing.T) {
	ended := make(chan struct{})
	f := start(t, echoSocket(ended), nil)
	conn := f.upgrade()
	if err := f.stop(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if !strings.Contains(f.log.String(), `"status":101`) {
		t.Error("Serve did not wait for the end of the WebSocket")
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the caller's side stays open")
	}
	<-ended
}
