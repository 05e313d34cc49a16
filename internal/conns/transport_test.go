package conns

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// loopback is a real server that counts the connections it accepts.
type loopback struct {
	*httptest.Server
	opened atomic.Int64
}

// listen starts a loopback server: plain, tls or http2.
func listen(t *testing.T, mode string, handler http.HandlerFunc, configure ...func(*httptest.Server)) *loopback {
	t.Helper()
	s := &loopback{Server: httptest.NewUnstartedServer(handler)}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.opened.Add(1)
		}
	}
	s.EnableHTTP2 = mode == "http2"
	for _, change := range configure {
		change(s.Server)
	}
	if mode == "plain" {
		s.Start()
	} else {
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	return s
}

// peer is a transport that talks to one server.
type peer struct {
	*Transport
	url string
}

func (s *loopback) peer(t *testing.T) peer {
	t.Helper()
	p := peer{New(), s.URL}
	if s.TLS != nil {
		roots := x509.NewCertPool()
		roots.AddCert(s.Certificate())
		p.TLS.RootCAs = roots
	}
	t.Cleanup(p.CloseIdleConnections)
	return p
}

// get sends one request the way package stytch does, again if the server closed the connection.
func (p peer) get(ctx context.Context, path string) error {
	var err error
	for range 3 {
		if err = p.attempt(ctx, path); err == nil || ctx.Err() != nil {
			break
		}
	}
	return err
}

func (p peer) attempt(ctx context.Context, path string) error {
	caller := p.Enter(ctx)
	defer caller.Leave()
	req, err := http.NewRequestWithContext(caller, http.MethodGet, p.url+path, nil)
	if err != nil {
		return err
	}
	resp, err := p.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	return err
}

// counts are the connections that the gates count, and the dials they hold back.
func (p peer) counts() (conns, waiting int) {
	all := p.pools()
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, pool := range append([]*pool{all.current}, all.left...) {
		if pool != nil {
			pool.gate.mu.Lock()
			conns, waiting = conns+pool.gate.conns, waiting+len(pool.gate.waiting)
			pool.gate.mu.Unlock()
		}
	}
	return conns, waiting
}

// watch calls f with the number of connections, open or being dialed, whenever there is one more.
func (p peer) watch(f func(conns int64)) {
	var conns atomic.Int64
	dial := p.dial
	p.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
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

func serve(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a short body") }

// An upgrade, as of a WebSocket, needs HTTP/1.1 with a server that prefers HTTP/2.
func TestOneProtocol(t *testing.T) {
	for want, offered := range map[string][]string{"HTTP/2.0": {"h2", "http/1.1"}, "HTTP/1.1": {"http/1.1"}} {
		got := ""
		p := listen(t, "http2", func(_ http.ResponseWriter, r *http.Request) { got = r.Proto }).peer(t)
		p.TLS.NextProtos = offered
		if err := p.plain(t.Context(), "/"); err != nil || got != want {
			t.Errorf("%q: %s, %v", offered, got, err)
		}
	}
}

// crowd starts callers together, each of which makes some calls, and returns the first error.
func crowd(callers, calls int, call func() error) error {
	var group sync.WaitGroup
	begin := make(chan struct{})
	failed := make(chan error, callers)
	for range callers {
		group.Go(func() {
			<-begin
			for range calls {
				if err := call(); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	close(begin)
	group.Wait()
	close(failed)
	return <-failed
}

// There are never more connections at a time than callers, and with HTTP/2 there is one. Nor is one
// opened in place of another; but a single round may see that, because net/http drops slow
// handshakes and connections on a busy machine.
func TestConnections(t *testing.T) {
	for _, mode := range []string{"plain", "tls", "http2"} {
		for _, callers := range []int64{1, 16, 64} {
			t.Run(fmt.Sprintf("%s/%d callers", mode, callers), func(t *testing.T) {
				most := callers
				if mode == "http2" {
					most = 1
				}
				fewest := int64(math.MaxInt64)
				for round := range 3 {
					server := listen(t, mode, serve)
					p := server.peer(t)
					p.hold, p.holdShared = time.Hour, time.Hour // longer than the test, however slow the machine is
					var peak atomic.Int64
					p.watch(func(conns int64) {
						for seen := peak.Load(); conns > seen && !peak.CompareAndSwap(seen, conns); seen = peak.Load() {
						}
					})
					if err := crowd(int(callers), 10, func() error { return p.get(t.Context(), "/") }); err != nil {
						t.Fatal(err)
					}
					if peak.Load() > most || peak.Load() == 0 {
						t.Errorf("round %d: %d connections at a time, want at most %d", round, peak.Load(), most)
					}
					if fewest = min(fewest, server.opened.Load()); fewest <= most {
						break
					}
				}
				if fewest > most {
					t.Errorf("%d connections were opened in the best of three rounds, want at most %d", fewest, most)
				}
			})
		}
	}
}

// What the other tests call HTTP/2 is HTTP/2.
func TestProtocols(t *testing.T) {
	for mode, want := range map[string]string{"plain": "HTTP/1.1", "tls": "HTTP/1.1", "http2": "HTTP/2.0"} {
		var proto atomic.Value
		server := listen(t, mode, func(w http.ResponseWriter, r *http.Request) { proto.Store(r.Proto); serve(w, r) })
		if err := server.peer(t).get(t.Context(), "/"); err != nil || proto.Load() != want {
			t.Errorf("%s: %v, %v", mode, proto.Load(), err)
		}
	}
}

// A server that takes only a few requests per connection gets more connections, and all requests
// succeed.
func TestFullConnections(t *testing.T) {
	server := listen(t, "http2", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		serve(w, r)
	}, func(s *httptest.Server) { s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 2} })
	p := server.peer(t)
	if err := crowd(16, 5, func() error { return p.attempt(t.Context(), "/") }); err != nil {
		t.Error(err)
	}
}

// A server that closes its connections, idle or after each response, costs connections, not calls.
func TestClosedConnections(t *testing.T) {
	for _, mode := range []string{"plain", "tls", "http2"} {
		t.Run(mode, func(t *testing.T) {
			server := listen(t, mode, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Connection", "close") // HTTP/2: GOAWAY
				serve(w, r)
			})
			p := server.peer(t)
			get := func() error { return p.get(t.Context(), "/") }
			if err := crowd(8, 5, get); err != nil {
				t.Error(err)
			}
			server.CloseClientConnections()
			if err := crowd(8, 2, get); err != nil {
				t.Error(err)
			}
		})
	}
}

// A dial that fails is not counted as a connection.
func TestNoServer(t *testing.T) {
	server := listen(t, "plain", serve)
	p := server.peer(t)
	server.Close()
	if err := p.get(t.Context(), "/"); err == nil {
		t.Error("no error without a server")
	}
	if conns, waiting := p.counts(); conns != 0 || waiting != 0 {
		t.Errorf("the gate counts %d connections and holds %d dials", conns, waiting)
	}
}

// After CloseIdleConnections nothing is left of what requests have started.
func TestNoGoroutineStays(t *testing.T) {
	for _, mode := range []string{"plain", "tls", "http2"} {
		t.Run(mode, func(t *testing.T) {
			server := listen(t, mode, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/hang") {
					<-r.Context().Done()
					return
				}
				serve(w, r)
			})
			before := runtime.NumGoroutine()
			p := server.peer(t)
			if err := crowd(16, 5, func() error { return p.get(t.Context(), "/") }); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if err := p.get(ctx, "/hang"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			drain(t, before, p.CloseIdleConnections)
			if conns, waiting := p.counts(); conns != 0 || waiting != 0 {
				t.Errorf("the gate counts %d connections and holds %d dials", conns, waiting)
			}
			if err := p.get(t.Context(), "/"); err != nil {
				t.Errorf("the transport is not usable any more: %v", err)
			}
		})
	}
}

// drain closes connections until there are no more goroutines than before. Once is not enough:
// net/http ends a canceled HTTP/2 stream a little after the call has returned, and a connection
// with a stream is not idle.
func drain(t *testing.T, before int, closeIdle func()) {
	t.Helper()
	tick, end := time.NewTicker(5*time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	for {
		closeIdle()
		select {
		case <-tick.C:
			if runtime.NumGoroutine() <= before {
				return
			}
		case <-end:
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines more than before:\n%s", runtime.NumGoroutine()-before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
