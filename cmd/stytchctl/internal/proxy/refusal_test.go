package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/proxy"
)

// raw sends bytes as they are and returns all that comes back until the connection is closed.
func (f *fixture) raw(text string) string {
	f.t.Helper()
	conn, err := net.Dial("tcp", f.Addr().String())
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		f.t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		f.t.Fatalf("%q: %v", answer, err)
	}
	return string(answer)
}

func TestRefusals(t *testing.T) {
	f := start(t, nil, func(c *proxy.Config) {
		c.Routes[0].Prefix = "/api"
		c.Hosts = []string{"proxy.internal"}
	})
	own := f.Addr().String()
	for _, test := range []struct {
		line    string // of the request
		headers string
		status  int
		class   string // "" for what the server refuses by itself
	}{
		{"CONNECT api.internal:443", "Host: api.internal:443", 405, "method_not_allowed"},
		{"CONNECT 127.0.0.1:443", "Host: 127.0.0.1:443", 405, "method_not_allowed"},
		{"TRACE /api", "Host: localhost", 405, "method_not_allowed"},
		{"GET /api", "Host: evil.test", 421, "host_refused"},
		{"GET /api", "Host: localhost.evil.test", 421, "host_refused"},
		{"GET /api", "Host: 127.0.0.1.evil.test:9400", 421, "host_refused"},
		{"GET /api", "Host: 10.0.0.1", 421, "host_refused"},
		{"GET http://evil.test/api", "Host: localhost", 421, "host_refused"},
		{"GET /api", "Host: localhost\r\nHost: evil.test", 400, ""},
		{"GET /api", "Host: localhost\r\nSec-Fetch-Site: cross-site", 403, "cross_origin"},
		{"GET /api", "Host: localhost\r\nSec-Fetch-Site: same-site", 403, "cross_origin"},
		{"GET /api", "Host: localhost\r\nOrigin: https://evil.test", 403, "cross_origin"},
		{"GET /api", "Host: localhost:9400\r\nOrigin: http://localhost:3000", 403, "cross_origin"},
		{"GET /api", "Host: localhost\r\nOrigin: null", 403, "cross_origin"},
		{"GET /", "Host: localhost", 404, "no_route"},
		{"GET /apis", "Host: localhost", 404, "no_route"},
		{"OPTIONS *", "Host: localhost", 400, "path_refused"},
		{"GET /api/../admin", "Host: localhost", 400, "path_refused"},
		{"GET /api/./x", "Host: localhost", 400, "path_refused"},
		{"GET /api/%2e%2E/admin", "Host: localhost", 400, "path_refused"},
		{"GET /api/..%2fadmin", "Host: localhost", 400, "path_refused"},
		{"GET /api/..%5cadmin", "Host: localhost", 400, "path_refused"},
		{"GET /api/x/..", "Host: localhost", 400, "path_refused"},
		{"GET /api/..;a=b/admin", "Host: localhost", 400, "path_refused"},
		{"GET /api/..%3b/admin", "Host: localhost", 400, "path_refused"},
		{"GET /api/.;/admin", "Host: localhost", 400, "path_refused"},
		{"GET /api", "Host: localhost\r\nX-Large: " + strings.Repeat("a", 40<<10), 431, ""},
		{"POST /api", "Host: localhost\r\nContent-Length: 1\r\nContent-Length: 2", 400, ""},
		{"POST /api", "Host: localhost\r\nContent-Length: +1", 400, ""},
		{"POST /api", "Host: localhost\r\nContent-Length : 1", 400, ""},
		{"POST /api", "Host: localhost\r\nTransfer-Encoding: xchunked", 501, ""},
		{"POST /api", "Host: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity", 501, ""},
	} {
		text := f.raw(test.line + " HTTP/1.1\r\n" + test.headers + "\r\nConnection: close\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), nil)
		if err != nil {
			t.Errorf("%s, %s: %q: %v", test.line, test.headers, text, err)
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != test.status {
			t.Errorf("%s, %.60s: status %d, want %d", test.line, test.headers, resp.StatusCode, test.status)
		}
		if test.class != "" {
			f.wantProblem(reply{resp, string(body)}, test.status, test.class)
			if !strings.Contains(string(body), "Nothing was forwarded.") {
				t.Errorf("%s: %s", test.line, body)
			}
		}
		if test.status == 405 && resp.Header.Get("Allow") == "" {
			t.Errorf("%s: 405 without Allow", test.line)
		}
	}
	if n := len(f.upstream.requests()); n != 0 {
		t.Fatalf("%d requests were forwarded", n)
	}
	for _, headers := range []string{
		"Host: localhost", "Host: LOCALHOST:1", "Host: [::1]:9400", "Host: 127.1.2.3", "Host: proxy.internal", "Host: Proxy.Internal:80",
		"Host: " + own + "\r\nOrigin: http://" + own, "Host: localhost\r\nSec-Fetch-Site: none", "Host: localhost\r\nSec-Fetch-Site: same-origin",
	} {
		if text := f.raw("GET /api/..x/a...b HTTP/1.1\r\n" + headers + "\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(text, "HTTP/1.1 200") {
			t.Errorf("%s: %q", headers, text)
		}
	}
}

// Where two servers could disagree about the end of a request, what the upstream gets has one
// meaning: a request that is hidden in the body of another one stays there.
func TestSmuggling(t *testing.T) {
	const hidden = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
	chunked := func(body string) string { return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body) }
	for _, test := range []struct {
		name, headers, body string
		want                string // the body that the upstream gets
	}{
		{"both lengths", "Content-Length: 4\r\nTransfer-Encoding: chunked", chunked(hidden), hidden},
		{"both lengths, the other order", "Transfer-Encoding: chunked\r\nContent-Length: 4", chunked(hidden), hidden},
		{"a body of GET", fmt.Sprintf("Content-Length: %d", len(hidden)), hidden, hidden},
		{"a chunk with an extension", "Transfer-Encoding: chunked", fmt.Sprintf("%x;a=b\r\n%s\r\n0\r\n\r\n", len(hidden), hidden), hidden},
		{"equal lengths twice", fmt.Sprintf("Content-Length: %d\r\nContent-Length: %[1]d", len(hidden)), hidden, hidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			bodies := make(chan string, 10)
			f := start(t, func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				bodies <- string(body)
			}, nil)
			answer := f.raw("GET /outer HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + test.headers + "\r\n\r\n" + test.body)
			if !strings.HasPrefix(answer, "HTTP/1.1 200") || strings.Count(answer, "HTTP/1.1 ") != 1 {
				t.Errorf("answer %q", answer)
			}
			got := f.upstream.only(t)
			if body := <-bodies; got.URL.Path != "/outer" || body != test.want {
				t.Errorf("%s %q", got.URL.Path, body)
			}
			if got.ContentLength >= 0 && len(got.TransferEncoding) > 0 {
				t.Errorf("the upstream got both a length and %q", got.TransferEncoding)
			}
		})
	}
}
