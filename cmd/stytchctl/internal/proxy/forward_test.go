package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/proxy"
)

// What an upstream gets is a request with a token that it can verify, and nothing that the caller
// claims about itself.
func TestForward(t *testing.T) {
	upstream := &api{scope: "read:users", next: func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Upstream", "yes")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(append([]byte("got "), body...))
	}}
	f := start(t, upstream.serve, nil)
	upstream.trust(f)
	r := f.do("POST", "/users?b=2&a=%zz;c", "a body",
		"Authorization", "Bearer "+callersToken, "Proxy-Authorization", "Basic "+callersToken,
		"Forwarded", "for=1.2.3.4", "X-Forwarded-For", "1.2.3.4", "X-Forwarded-Host", "evil.test", "X-Forwarded-Proto", "gopher",
		"X-Forwarded-User", "root", "X_forwarded_for", "1.2.3.4", "X_real_ip", "1.2.3.4", "X-Real-Ip", "1.2.3.4", "X-Request-Id", "r1", "Cookie", "c=1")
	if r.StatusCode != http.StatusCreated || r.text != "got a body" || r.Header.Get("X-Upstream") != "yes" {
		t.Errorf("%d %q", r.StatusCode, r.text)
	}
	got := f.upstream.only(t)
	if got.RequestURI != "/users?b=2&a=%zz;c" {
		t.Errorf("request URI %q", got.RequestURI)
	}
	if want := strings.TrimPrefix(f.upstream.server.URL, "http://"); got.Host != want {
		t.Errorf("Host %q, want that of the upstream", got.Host)
	}
	for name, want := range map[string]string{
		"Proxy-Authorization": "", "Forwarded": "", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": f.Addr().String(),
		"X-Forwarded-Proto": "http", "X-Forwarded-User": "", "X_forwarded_for": "", "X_real_ip": "", "X-Real-Ip": "", "X-Request-Id": "r1", "Cookie": "c=1",
	} {
		if value := strings.Join(got.Header[name], "|"); value != want {
			t.Errorf("%s: %q, want %q", name, value, want)
		}
	}
	if values := got.Header["Authorization"]; len(values) != 1 || strings.Contains(values[0], callersToken) {
		t.Error("the upstream got the Authorization of the caller")
	}
}

func TestRoutes(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "other "+r.RequestURI)
	}))
	defer other.Close()
	f := start(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "main "+r.RequestURI) }, func(c *proxy.Config) {
		main := c.Routes[0].Upstream
		c.Routes = []proxy.Route{
			{Prefix: "/a", Upstream: main + "/v1"}, {Prefix: "/a/b/", Upstream: other.URL}, {Prefix: "/c", Upstream: main + "/c/"},
		}
	})
	for _, test := range []struct{ path, want string }{
		{"/a", "main /v1"},
		{"/a/", "main /v1/"},
		{"/a/x?q=1", "main /v1/x?q=1"},
		{"/a/x%2Fy", "main /v1/x%2Fy"},
		{"/a//x", "main /v1//x"},
		{"/a/b", "other /"},
		{"/a/b?", "other /?"},
		{"/a/b/x", "other /x"},
		{"/a/bc", "main /v1/bc"},
		{"/a%2Fb", ""},
		{"/c/d", "main /c/d"},
		{"/ab", ""},
		{"/", ""},
	} {
		r := f.do("GET", test.path, "")
		if test.want == "" {
			f.wantProblem(r, http.StatusNotFound, "no_route")
		} else if r.text != test.want {
			t.Errorf("%s: %d %q, want %q", test.path, r.StatusCode, r.text, test.want)
		}
	}
}

// A redirect is for the caller to judge: following it would carry the token elsewhere.
func TestRedirect(t *testing.T) {
	elsewhere := newRecorder(t, nil)
	f := start(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.server.URL+"/there", http.StatusTemporaryRedirect)
	}, nil)
	r := f.do("POST", "/", "body")
	if r.StatusCode != http.StatusTemporaryRedirect || r.Header.Get("Location") != elsewhere.server.URL+"/there" {
		t.Errorf("%d to %q", r.StatusCode, r.Header.Get("Location"))
	}
	if n := len(elsewhere.requests()); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
}

func TestHopByHop(t *testing.T) {
	f := start(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "X-Hop")
		w.Header().Set("X-Hop", "1")
		w.Header().Set("Keep-Alive", "timeout=1")
		w.Header().Set("X-End", "1")
	}, nil)
	r := f.do("GET", "/", "", "Connection", "X-Hop, Authorization, X-Forwarded-For", "X-Hop", "1", "Keep-Alive", "timeout=1",
		"Te", "trailers, gzip", "Upgrade", "h2c", "Http2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA", "X-End", "1")
	got := f.upstream.only(t)
	for name, want := range map[string]string{"X-Hop": "", "Keep-Alive": "", "Te": "trailers", "Upgrade": "", "Connection": "", "X-End": "1", "X-Forwarded-For": "127.0.0.1"} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("request: %s: %q, want %q", name, value, want)
		}
	}
	if !strings.HasPrefix(got.Header.Get("Authorization"), "Bearer ") {
		t.Error("the caller could remove the token with Connection")
	}
	for name, want := range map[string]string{"X-Hop": "", "Keep-Alive": "", "X-End": "1"} {
		if value := r.Header.Get(name); value != want {
			t.Errorf("response: %s: %q, want %q", name, value, want)
		}
	}
}

// A caller claims as little about itself in a trailer as in a header, announced or not.
func TestTrailersOfCallers(t *testing.T) {
	var got http.Header
	f := start(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got = r.Trailer
	}, nil)
	conn, err := net.Dial("tcp", f.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nTrailer: X-Check, X-Forwarded-For\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"1\r\na\r\n0\r\nX-Check: good\r\nX-Forwarded-For: 1.2.3.4\r\nAuthorization: Bearer "+callersToken+"\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if len(got) != 1 || got.Get("X-Check") != "good" {
		t.Errorf("the upstream got the trailer %v", slices.Sorted(maps.Keys(got)))
	}
}

func TestTrailers(t *testing.T) {
	f := start(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", body, r.Trailer.Get("X-Check"))
		w.Header().Set("X-Sum", "42")
		w.Header().Set(http.TrailerPrefix+"X-Late", "43")
	}, nil)
	req, _ := http.NewRequestWithContext(t.Context(), "POST", f.url+"/", io.NopCloser(strings.NewReader("body")))
	req.Trailer = http.Header{"X-Check": {"good"}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if string(text) != "body good" || resp.Trailer.Get("X-Sum") != "42" || resp.Trailer.Get("X-Late") != "43" {
		t.Errorf("%q, trailers %v", text, resp.Trailer)
	}
}

// Each piece of a response arrives before the next one is made, and each piece of a request before
// the response: neither is collected.
func TestStreaming(t *testing.T) {
	arrived := make(chan struct{})
	f := start(t, func(w http.ResponseWriter, r *http.Request) {
		flush := http.NewResponseController(w)
		if r.Method == "POST" {
			_ = flush.EnableFullDuplex()
			lines := bufio.NewScanner(r.Body)
			for lines.Scan() {
				fmt.Fprintln(w, "echo", lines.Text())
				_ = flush.Flush()
			}
			return
		}
		if r.URL.Path == "/sse" {
			w.Header().Set("Content-Type", "text/event-stream")
		} else {
			w.Header().Set("Content-Length", "24")
		}
		for range 3 {
			fmt.Fprint(w, "data: 1\n")
			_ = flush.Flush()
			<-arrived
		}
	}, nil)
	for _, path := range []string{"/sse", "/known-length"} {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", f.url+path, nil)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(resp.Body)
		for range 3 {
			if !lines.Scan() || lines.Text() != "data: 1" {
				t.Fatalf("%s: %q %v", path, lines.Text(), lines.Err())
			}
			arrived <- struct{}{}
		}
		resp.Body.Close()
	}
	body, write := io.Pipe()
	req, _ := http.NewRequestWithContext(t.Context(), "POST", f.url+"/", body)
	go fmt.Fprintln(write, "1")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for i := range 3 {
		if !lines.Scan() || lines.Text() != fmt.Sprint("echo ", i+1) {
			t.Fatalf("%q %v", lines.Text(), lines.Err())
		}
		if i < 2 {
			fmt.Fprintln(write, i+2)
		}
	}
	write.Close()
}
