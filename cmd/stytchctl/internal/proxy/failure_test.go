package proxy_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/proxy"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

// tcp is an upstream that does with each connection what serve does.
func tcp(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

func TestUpstreamFailures(t *testing.T) {
	untrusted := httptest.NewUnstartedServer(nil)
	untrusted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	untrusted.StartTLS()
	defer untrusted.Close()
	read := func(c net.Conn) { _, _ = http.ReadRequest(bufio.NewReader(c)) }
	for _, test := range []struct {
		name     string
		upstream string
		status   int
		class    string
		detail   string
	}{
		{"down", "http://127.0.0.1:1", 502, "upstream_unreachable", "Nothing was forwarded."},
		{"a certificate of no one", untrusted.URL, 502, "upstream_tls", "Nothing was forwarded."},
		{"plain HTTP where TLS is expected", "https" + strings.TrimPrefix(tcp(t, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }), "http"), 502, "upstream_tls", ""},
		{"closes without a response", tcp(t, read), 502, "upstream_failed", "may have carried out"},
		{"echoes the request", tcp(t, func(c net.Conn) { _, _ = io.Copy(c, c) }), 502, "upstream_failed", ""},
		{"echoes it as a header", tcp(t, func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n ")
			_, _ = io.Copy(c, c)
		}), 502, "upstream_failed", ""},
		{"repeats a header as its status", tcp(t, func(c net.Conn) {
			if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.WriteString(c, "HTTP/1.1 "+r.Header.Get("X-Canary")+"\r\n\r\n")
			}
		}), 502, "upstream_failed", ""},
		{"responds too late", tcp(t, func(c net.Conn) { read(c); read(c) }), 504, "upstream_timeout", "may have carried out"},
		{"upgrades without being asked", tcp(t, func(c net.Conn) {
			read(c)
			_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: a-canary-in-a-header\r\n\r\n")
		}), 502, "upstream_failed", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := start(t, nil, func(c *proxy.Config) {
				if c.Routes[0].Upstream = test.upstream; test.status == http.StatusGatewayTimeout {
					c.UpstreamTimeout = 300 * time.Millisecond
				}
			})
			r := f.do("GET", "/some/path?with=query-of-the-caller", "", "X-Canary", "a-canary-in-a-header")
			f.wantProblem(r, test.status, test.class)
			if !strings.Contains(r.text, test.detail) {
				t.Errorf("%s", r.text)
			}
			f.stop()
			for _, canary := range []string{"with=query", "a-canary-in-a-header", "eyJ"} {
				if strings.Contains(f.log.String(), canary) || strings.Contains(r.text, canary) {
					t.Errorf("%s is in the log or the response: %s", canary, f.log)
				}
			}
			if !strings.Contains(f.log.String(), `"class":"`+test.class+`","error":"`) {
				t.Errorf("the log does not say why: %s", f.log)
			}
		})
	}
}

// A response that ends early must not look like one that is complete.
func TestCutResponse(t *testing.T) {
	f := start(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "some of it")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}, nil)
	if r, err := f.try("GET", "/", nil); err == nil {
		t.Errorf("%d %q", r.StatusCode, r.text)
	}
	waitFor(t, "it is logged", func() bool { return strings.Contains(f.log.String(), `"class":"aborted","error":"`) })
}

// A caller that leaves is no failure of anyone, and frees the upstream.
func TestCallerLeaves(t *testing.T) {
	arrived, left := make(chan struct{}), make(chan struct{})
	f := start(t, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(left)
	}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, "GET", f.url+"/", nil)
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := client.Do(req); err == nil {
		t.Error("no error")
	}
	select {
	case <-left:
	case <-time.After(10 * time.Second):
		t.Fatal("the upstream still works for a caller that left")
	}
	waitFor(t, "it is logged", func() bool { return strings.Contains(f.log.String(), `"class":"canceled"`) })
	if strings.Contains(f.log.String(), `"level":"WARN"`) {
		t.Error(f.log)
	}
	f.wantMetric(`stytchctl_proxy_requests_total{code_class="canceled",route="/"} 1`)
}

// A caller that leaves in the middle of its body, whether that is read first or forwarded.
func TestCallerLeavesInBody(t *testing.T) {
	for name, header := range map[string]string{"read first": "Content-Length: 10", "forwarded": "Content-Length: 1000000", "chunked": "Transfer-Encoding: chunked"} {
		t.Run(name, func(t *testing.T) {
			f := start(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }, nil)
			conn, err := net.Dial("tcp", f.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: localhost\r\n"+header+"\r\n\r\n5\r\nab")
			conn.Close()
			waitFor(t, "it is logged", func() bool { return strings.Contains(f.log.String(), `"class":"canceled"`) })
		})
	}
}

// Without a token nothing is forwarded, and the class says why.
func TestNoToken(t *testing.T) {
	unreadable := filepath.Join(t.TempDir(), "credentials.json")
	for _, test := range []struct {
		name   string
		change func(*proxy.Config)
		faults []emulator.Fault
		status int
		class  string
	}{
		{name: "the endpoint is down", change: func(c *proxy.Config) { c.BaseURL = "http://127.0.0.1:1" }, status: 502, class: "token_unavailable"},
		{name: "the endpoint fails", faults: []emulator.Fault{emulator.HTML("", 503)}, status: 502, class: "token_unavailable"},
		{name: "the endpoint is overloaded", faults: []emulator.Fault{emulator.RateLimited("", "7")}, status: 502, class: "token_rate_limited"},
		{name: "the endpoint redirects", faults: []emulator.Fault{emulator.HTML("", 302)}, status: 502, class: "token_unavailable"},
		{name: "a wrong secret", change: func(c *proxy.Config) { c.Credentials = token.Static(clientID, secret.New("Wrong-Horse-Battery-1")) }, status: 502, class: "token_refused"},
		{name: "a scope of others", change: func(c *proxy.Config) { c.Scopes = []string{"admin:all"} }, status: 502, class: "token_scope"},
		{name: "no credentials", change: func(c *proxy.Config) { c.Credentials = token.File(unreadable) }, status: 502, class: "token_credentials"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := prepare(t, nil)
			for _, fault := range test.faults {
				f.stytch.Inject(fault)
			}
			f.start(test.change)
			r := f.do("POST", "/", "body", "Authorization", "Bearer "+callersToken)
			f.wantProblem(r, test.status, test.class)
			if !strings.Contains(r.text, "Nothing was forwarded.") || len(f.upstream.requests()) != 0 {
				t.Errorf("%s, %d requests", r.text, len(f.upstream.requests()))
			}
			if test.class == "token_rate_limited" && r.Header.Get("Retry-After") != "7" {
				t.Errorf("Retry-After %q", r.Header.Get("Retry-After"))
			}
			waitFor(t, "the log says why", func() bool { return strings.Contains(f.log.String(), `"msg":"no token"`) })
		})
	}
}

// Credentials that are repaired are used without a restart.
func TestCredentialsChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials.json")
	f := start(t, nil, func(c *proxy.Config) { c.Credentials = token.File(path) })
	f.wantProblem(f.do("GET", "/", ""), 502, "token_credentials")
	if err := os.WriteFile(path, []byte(`{"client_id":"`+clientID+`","client_secret":"`+clientSecret+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the file is read again", func() bool { return f.do("GET", "/", "").StatusCode == 200 })
}

func TestBudget(t *testing.T) {
	f := start(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", invalidToken)
		w.WriteHeader(http.StatusUnauthorized)
	}, func(c *proxy.Config) { c.Budget = 1 })
	if r := f.do("GET", "/", ""); r.StatusCode != http.StatusUnauthorized { // of the upstream: a second token was not to be had
		t.Fatal(r.StatusCode)
	}
	r := f.do("GET", "/", "")
	f.wantProblem(r, http.StatusServiceUnavailable, "token_budget")
	if after, err := strconv.Atoi(r.Header.Get("Retry-After")); err != nil || after < 3500 || after > 3600 {
		t.Errorf("Retry-After %q, want an hour", r.Header.Get("Retry-After"))
	}
	if n := len(f.upstream.requests()); n != 1 || f.stytch.TokensMinted(clientID) != 1 {
		t.Errorf("%d requests, %d tokens", n, f.stytch.TokensMinted(clientID))
	}
	if _, metrics := f.probe("/metrics"); strings.Contains(metrics, "stytchctl_proxy_token_over_budget_total 0") {
		t.Error("the metrics do not count what the budget refused")
	}
}
