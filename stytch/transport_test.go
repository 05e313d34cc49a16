package stytch_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
)

// loopback is a real server that counts the connections it is opened.
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

// client is one with its own transport, which is closed in the end.
func (s *loopback) client(t *testing.T, options ...stytch.Option) *stytch.Client {
	t.Helper()
	c := newClient(t, append([]stytch.Option{stytch.WithBaseURL(s.URL)}, options...)...)
	if s.TLS != nil {
		c.TrustRoots(rootsOf(s.Server))
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func serveGet(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, success(operation.GetM2MClient))
}

// crowd lets callers begin together and make some calls each, and returns the first error.
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

// Errors of any shape leave the connection usable.
func TestErrorsKeepTheConnection(t *testing.T) {
	requests := heavy.Count(30, 1000)
	long := bytes.Repeat([]byte("x"), 300<<10)
	body := errorJSON(404, "m2m_client_not_found")
	for name, respond := range map[string]func(w http.ResponseWriter){
		"short": func(w http.ResponseWriter) { writeError(w, "application/json", 404, []byte(body)) },
		"empty": func(w http.ResponseWriter) { w.WriteHeader(500) },
		"chunked": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(404)
			for i := range len(body) {
				_, _ = io.WriteString(w, body[i:i+1])
				if i%50 == 0 {
					_ = http.NewResponseController(w).Flush()
				}
			}
		},
		"long": func(w http.ResponseWriter) {
			writeError(w, "application/json", 404, []byte(strings.Replace(body, "A message.", string(long), 1)))
		},
		"long and chunked": func(w http.ResponseWriter) {
			w.WriteHeader(502)
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(long)
		},
		"not JSON": func(w http.ResponseWriter) { writeError(w, "text/html", 502, long[:2000]) },
		"redirect": func(w http.ResponseWriter) {
			w.Header().Set("Location", "/")
			writeError(w, "text/html", 307, long[:500])
		},
		"200 HTML": func(w http.ResponseWriter) { writeError(w, "text/html", 200, long) },
	} {
		t.Run(name, func(t *testing.T) {
			server := listen(t, "plain", func(w http.ResponseWriter, _ *http.Request) { respond(w) })
			c := server.client(t, once())
			for range requests {
				_, err := c.M2M.Get(t.Context(), "a")
				var got *stytch.Error
				if !errors.As(err, &got) {
					t.Fatal(err)
				}
			}
			if opened := server.opened.Load(); opened != 1 {
				t.Errorf("%d errors opened %d connections", requests, opened)
			}
		})
	}
}

func writeError(w http.ResponseWriter, contentType string, status int, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func TestTLS(t *testing.T) {
	for _, c := range []struct {
		name      string
		configure func(*tls.Config)
		trusted   bool
		works     bool
		attempts  int
	}{
		{"1.3", func(*tls.Config) {}, true, true, 1},
		{"1.2", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, true, true, 1},
		{"1.1", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, true, false, 3},
		{"1.0", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 }, true, false, 3},
		{"not trusted", func(*tls.Config) {}, false, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var handled atomic.Int64
			server := listen(t, "tls", func(w http.ResponseWriter, r *http.Request) {
				handled.Add(1)
				op, _ := operation.Match(r.Method, r.URL.EscapedPath())
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, success(op))
			}, func(s *httptest.Server) { s.TLS = &tls.Config{}; c.configure(s.TLS) })
			attempts := 0
			client := newClient(t, stytch.WithBaseURL(server.URL), stytch.WithObserver(func(context.Context, stytch.Attempt) { attempts++ }),
				stytch.WithRetry(stytch.Retry{BaseDelay: 1}))
			defer client.CloseIdleConnections()
			if c.trusted {
				client.TrustRoots(rootsOf(server.Server))
			}
			_, err := client.M2M.Secrets.Start(t.Context(), "a") // a handshake that fails leaves nothing in doubt
			if (err == nil) != c.works || (handled.Load() > 0) != c.works || errors.Is(err, stytch.ErrOutcomeUnknown) {
				t.Errorf("%v after %d requests", err, handled.Load())
			}
			if attempts != c.attempts {
				t.Errorf("%d attempts, want %d", attempts, c.attempts)
			}
			if err != nil {
				checkText(t, err)
			}
		})
	}
}

// Without a server every operation is retried, and every outcome is known.
func TestNoServer(t *testing.T) {
	server := httptest.NewServer(nil)
	address := server.URL
	server.Close()
	for _, e := range endpoints {
		attempts := 0
		c := newClient(t, stytch.WithBaseURL(address), stytch.WithRetry(stytch.Retry{BaseDelay: 1}),
			stytch.WithObserver(func(context.Context, stytch.Attempt) { attempts++ }))
		_, err := e.raw(t.Context(), rawOn(t, c), "a")
		var failure *stytch.Error
		if err == nil || attempts != 3 || errors.As(err, &failure) || errors.Is(err, stytch.ErrOutcomeUnknown) {
			t.Errorf("%s: %v after %d attempts", e.op.ID, err, attempts)
		}
	}
}

// What the server lost or never saw is distinguished on a real connection, too.
func TestLostOnTheWire(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var requests atomic.Int64
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			buffer := make([]byte, 1<<16)
			if n, _ := conn.Read(buffer); n > 0 {
				requests.Add(1)
			}
			conn.Close()
		}
	}()
	for _, e := range endpoints {
		requests.Store(0)
		c := newClient(t, stytch.WithBaseURL("http://"+listener.Addr().String()), stytch.WithRetry(stytch.Retry{BaseDelay: 1}))
		_, err := e.raw(t.Context(), rawOn(t, c), "a")
		want := int64(3)
		if e.op.Safety == operation.ShownOnce {
			want = 1
		}
		if got := requests.Load(); err == nil || got != want || errors.Is(err, stytch.ErrOutcomeUnknown) != (want == 1) {
			t.Errorf("%s: %v after %d requests, want %d", e.op.ID, err, got, want)
		}
		c.CloseIdleConnections()
	}
}

// After CloseIdleConnections everything that calls have started is gone.
func TestNoGoroutineStays(t *testing.T) {
	for _, mode := range []string{"plain", "tls", "http2"} {
		t.Run(mode, func(t *testing.T) {
			server := listen(t, mode, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/hang") {
					<-r.Context().Done()
					panic(http.ErrAbortHandler) // a response could still overtake the end of the caller's context
				}
				serveGet(w, r)
			})
			before := runtime.NumGoroutine()
			c := server.client(t, stytch.WithRetry(stytch.Retry{MaxAttempts: 1}))
			if err := crowd(16, 5, func() error { _, err := c.M2M.Get(t.Context(), "a"); return err }); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if _, err := c.M2M.Get(ctx, "hang"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			drain(t, before, c.CloseIdleConnections)
			if _, err := c.M2M.Get(t.Context(), "a"); err != nil {
				t.Errorf("the client is not usable any more: %v", err)
			}
		})
	}
}

// drain lets go until there are no more goroutines than before. Once is not enough: net/http gives
// up a canceled HTTP/2 stream a little after the call has returned, and a connection with a stream
// is not idle.
func drain(t *testing.T, before int, letGo func()) {
	t.Helper()
	tick, end := time.NewTicker(5*time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	for {
		letGo()
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
