package conns

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
)

// nat is a path to a server that can forget its connections: from then on it takes what is sent
// over them, and answers nothing. New connections work.
type nat struct {
	net.Listener
	generation atomic.Int64
}

func newNAT(t *testing.T, server *loopback) *nat {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &nat{Listener: listener}
	var group sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	keep := func(c net.Conn) net.Conn {
		mu.Lock()
		defer mu.Unlock()
		open = append(open, c)
		return c
	}
	group.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			backend, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				client.Close()
				continue
			}
			born := n.generation.Load()
			for _, way := range [][2]net.Conn{{keep(client), keep(backend)}, {backend, client}} {
				group.Go(func() { n.forward(way[0], way[1], born) })
			}
		}
	})
	t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		group.Wait()
	})
	return n
}

func (n *nat) forward(from, to net.Conn, born int64) {
	buffer := make([]byte, 32<<10)
	for {
		size, err := from.Read(buffer)
		if n.generation.Load() != born {
			if err != nil {
				return // the other end does not learn of it
			}
			continue
		}
		if err != nil {
			to.Close()
			return
		}
		if _, err := to.Write(buffer[:size]); err != nil {
			return
		}
	}
}

func (n *nat) forget() { n.generation.Add(1) }

// through is a peer that reaches the server over a NAT.
func (n *nat) through(t *testing.T, server *loopback) peer {
	t.Helper()
	p := server.peer(t)
	p.url = strings.Replace(server.URL, server.Listener.Addr().String(), n.Addr().String(), 1)
	p.pingAfter, p.pingTimeout = 250*time.Millisecond, 250*time.Millisecond
	return p
}

// plain sends a request as any user of an http.RoundTripper does.
func (p peer) plain(ctx context.Context, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
	if err != nil {
		return err
	}
	resp, err := p.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// A connection that died without a word fails at most one request of each caller, and for no longer
// than a ping takes, or than the request's own deadline.
func TestDeadConnection(t *testing.T) {
	for _, mode := range []string{"tls", "http2"} {
		for name, send := range map[string]func(peer, context.Context, string) error{"caller": peer.attempt, "plain": peer.plain} {
			for _, test := range []struct {
				name              string
				ping, pingTimeout time.Duration
				timeout           time.Duration // of a request
				within            time.Duration
				heavy, http2      bool
			}{
				{name: "found by a ping", ping: 250 * time.Millisecond, pingTimeout: 250 * time.Millisecond, timeout: 20 * time.Second, within: 10 * time.Second, http2: true},
				{name: "found by a ping as it is set", ping: PingAfter, pingTimeout: PingTimeout, timeout: 10 * time.Second, within: 6 * time.Second, http2: true, heavy: true},
				{name: "found by a deadline", timeout: time.Second, within: 10 * time.Second},
			} {
				if mode == "tls" && test.http2 {
					continue // HTTP/1.1 has no ping: only a deadline finds it
				}
				t.Run(mode+"/"+name+"/"+test.name, func(t *testing.T) {
					if test.heavy {
						heavy.Only(t)
					}
					t.Parallel()
					server := listen(t, mode, serve)
					nat := newNAT(t, server)
					p := nat.through(t, server)
					p.pingAfter, p.pingTimeout = test.ping, test.pingTimeout
					const callers = 8
					if err := crowd(callers, 2, func() error { return send(p, t.Context(), "/") }); err != nil {
						t.Fatal(err)
					}
					get := func() error {
						ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
						defer cancel()
						return send(p, ctx, "/")
					}
					nat.forget()
					begin := time.Now()
					var failed [callers]int
					var group sync.WaitGroup
					for i := range callers {
						group.Go(func() {
							for range 3 {
								if err := get(); err != nil {
									failed[i]++
								}
							}
						})
					}
					group.Wait()
					for i, n := range failed {
						if n > 1 {
							t.Errorf("caller %d: %d of 3 requests failed", i, n)
						}
					}
					if took := time.Since(begin); took > test.within {
						t.Errorf("%v until all requests succeeded again", took)
					}
				})
			}
		}
	}
}

// An idle connection that died is found before it is used.
func TestDeadIdleConnection(t *testing.T) {
	server := listen(t, "http2", serve)
	nat := newNAT(t, server)
	p := nat.through(t, server)
	if err := p.plain(t.Context(), "/"); err != nil {
		t.Fatal(err)
	}
	nat.forget()
	tick, end := time.NewTicker(5*time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	for conns := 1; conns > 0; conns, _ = p.counts() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("the connection is still there")
		}
	}
	if err := p.plain(t.Context(), "/"); err != nil {
		t.Error(err)
	}
}

// A request that runs into its deadline disturbs no other one, and what it left is closed.
func TestSlowRequest(t *testing.T) {
	for _, mode := range []string{"tls", "http2"} {
		t.Run(mode, func(t *testing.T) {
			release, arrived := make(chan struct{}), make(chan struct{})
			server := listen(t, mode, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/hang":
					<-r.Context().Done()
				case "/slow":
					close(arrived)
					<-release
				}
				serve(w, r)
			})
			p := server.peer(t)
			slow := make(chan error, 1)
			go func() { slow <- p.attempt(t.Context(), "/slow") }()
			<-arrived
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			defer cancel()
			if err := p.attempt(ctx, "/hang"); err == nil {
				t.Error("no error")
			}
			if err := p.attempt(t.Context(), "/"); err != nil { // over another connection
				t.Error(err)
			}
			close(release)
			if err := <-slow; err != nil {
				t.Errorf("the slow request was disturbed: %v", err)
			}
			if opened := server.opened.Load(); opened < 2 {
				t.Errorf("%d connections: the next request used the suspect one", opened)
			}
			tick, end := time.NewTicker(5*time.Millisecond), time.After(20*time.Second)
			defer tick.Stop()
			for conns := 1; conns > 0; conns, _ = p.counts() {
				p.CloseIdleConnections()
				select {
				case <-tick.C:
				case <-end:
					t.Fatal("a connection was not closed")
				}
			}
		})
	}
}

// The settings in use find a dead connection within five seconds.
func TestLiveness(t *testing.T) {
	transport := New()
	h2 := transport.pool().http.HTTP2
	if h2.SendPingTimeout != 3*time.Second || h2.PingTimeout != 2*time.Second {
		t.Errorf("pings after %v, closes after %v more", h2.SendPingTimeout, h2.PingTimeout)
	}
}
