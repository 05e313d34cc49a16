package proxy

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections are in memory, so that time can be the test's.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// serveInMemory runs a server of the proxy and returns what opens a connection to it.
func serveInMemory(t *testing.T, h http.Handler) func() net.Conn {
	t.Helper()
	listener := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := newServer(h, Config{Log: slog.New(slog.DiscardHandler)}, false)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
	return func() net.Conn {
		ours, theirs := net.Pipe()
		listener.conns <- theirs
		return ours
	}
}

// A caller that stops in the middle of something is left after the time that this may take.
func TestSlowCallers(t *testing.T) {
	for _, test := range []struct {
		name  string
		send  string
		after time.Duration
		want  string // that the answer begins with
	}{
		{"nothing is sent", "", headerTimeout, ""},
		{"half a header", "GET / HTTP/1.1\r\nHost: local", headerTimeout, ""},
		{"half a body", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc", maxBodyWait, "HTTP/1.1 408"},
		{"no further request", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", idleTimeout, "HTTP/1.1 200"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dial := serveInMemory(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					x := &exchange{}
					if err := x.prepareBody(w, r, DefaultBodyReplay); err != nil {
						problemOf(withExchange(r.Context(), x), err).write(w)
					}
				}))
				conn := dial()
				begin := time.Now()
				_, _ = io.WriteString(conn, test.send)
				answer, _ := io.ReadAll(conn)
				if took := time.Since(begin); took < test.after || took > test.after+time.Second {
					t.Errorf("left after %v, want %v", took, test.after)
				}
				if !strings.HasPrefix(string(answer), test.want) {
					t.Errorf("%q, want %s", answer, test.want)
				}
			})
		})
	}
}

// A caller that does not read holds a response for a minute after its last piece, however long the
// response takes.
func TestCallerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pieces = 5
		failed := make(chan error, 1)
		dial := serveInMemory(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rw := newResponse(w, r, &exchange{})
			for range 2 * pieces {
				if _, err := io.WriteString(rw, "a piece\n"); err != nil {
					failed <- err
					return
				}
				time.Sleep(10 * time.Minute) // of a response that is slow itself
			}
			failed <- nil
		}))
		conn := dial()
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReaderSize(conn, 16), nil)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReaderSize(resp.Body, 16)
		for range pieces {
			if line, err := lines.ReadString('\n'); line != "a piece\n" {
				t.Fatalf("%q, %v", line, err)
			}
		}
		begin := time.Now()
		if err := <-failed; err == nil {
			t.Error("a caller that does not read was served to the end")
		}
		if took := time.Since(begin); took > 10*time.Minute+maxWriteWait+time.Second {
			t.Errorf("given up after %v", took)
		}
	})
}

// The time of an upstream begins again while the caller is sending, and ends with the response.
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, expired := &exchange{}, make(chan time.Time, 1)
		x.extend() // before it began
		x.wait(time.Minute, func() { expired <- time.Now() })
		for range 5 {
			time.Sleep(59 * time.Second)
			x.extend()
		}
		last := time.Now()
		if took := (<-expired).Sub(last); took != time.Minute {
			t.Errorf("expired after %v", took)
		}
		x.wait(time.Minute, func() { t.Error("expired after the response") })
		x.stopWaiting()
		x.extend()
		time.Sleep(time.Hour)
	})
}
