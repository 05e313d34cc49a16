package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The commands for scripts about the token proxy:
//
//	upstream VARIABLE                 starts an API that wants a token, and puts its URL into a variable
//	proxyready FILE                   waits for the ready file of a proxy: PROXY, PROXY_ADMIN and PROXY_SOCKET are what it names
//	fetch STATUS URL PATTERN          sends GET and wants a status, and a pattern in the body
//	hang FILE                         sends a request that gets no response, once a proxy has written its ready file
//	socket STATUS PATH QUERY PATTERN  asks a token socket; a token is a secret from then on
func init() {
	scriptCommands["upstream"] = startUpstream
	scriptCommands["proxyready"] = waitForProxy
	scriptCommands["fetch"] = fetch
	scriptCommands["hang"] = hang
	scriptCommands["socket"] = askSocket
}

// startUpstream answers with what it was sent. Each token is a secret of the script.
func startUpstream(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: upstream VARIABLE")
	}
	tokens := make(chan string, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if ok {
			tokens <- token
		}
		if r.URL.Path == "/hang" {
			<-r.Context().Done()
			return
		}
		fmt.Fprintf(w, "%s %s authorized=%t", r.Method, r.RequestURI, ok)
	}))
	ts.Defer(server.Close)
	of(ts).upstreams = append(of(ts).upstreams, tokens)
	ts.Setenv(args[0], server.URL)
}

// collectTokens makes the tokens that upstreams got secrets of the script.
func (w *world) collectTokens() {
	for _, tokens := range w.upstreams {
		for len(tokens) > 0 {
			w.canaries = append(w.canaries, <-tokens)
		}
	}
}

// proxyReady is the ready file of a proxy.
type proxyReady struct {
	URL         string `json:"url"`
	AdminURL    string `json:"admin_url"`
	TokenSocket string `json:"token_socket"`
}

// read reports whether the file is there.
func (r *proxyReady) read(name string) bool {
	text, err := os.ReadFile(name)
	return err == nil && json.Unmarshal(text, r) == nil
}

// hang returns at once: the proxy that it waits for runs in the foreground.
func hang(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: hang FILE")
	}
	name, over := ts.MkAbs(args[0]), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	ts.Defer(func() {
		cancel()
		<-over
	})
	go func() {
		defer close(over)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		var ready proxyReady
		for !ready.read(name) {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, ready.URL+"/hang", nil)
		if err != nil {
			return
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
		}
	}()
}

func waitForProxy(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: proxyready FILE")
	}
	var ready proxyReady
	poll(ts, "the start of the proxy", func() bool { return ready.read(ts.MkAbs(args[0])) })
	ts.Setenv("PROXY", ready.URL)
	ts.Setenv("PROXY_ADDRESS", strings.TrimPrefix(ready.URL, "http://"))
	ts.Setenv("PROXY_ADMIN", ready.AdminURL)
	ts.Setenv("PROXY_SOCKET", ready.TokenSocket)
}

func fetch(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: fetch STATUS URL PATTERN")
	}
	wantAnswer(ts, http.DefaultTransport, args[0], args[1], args[2], http.Header{})
	of(ts).collectTokens()
}

func askSocket(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 4 {
		ts.Fatalf("usage: socket STATUS PATH QUERY PATTERN")
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", ts.MkAbs(args[1]))
	}}
	defer transport.CloseIdleConnections()
	text := wantAnswer(ts, transport, args[0], "http://socket/token"+args[2], args[3], http.Header{"Stytch-Token-Request": {"true"}})
	var got struct {
		AccessToken string `json:"access_token"`
	}
	if json.Unmarshal(text, &got) == nil && got.AccessToken != "" {
		of(ts).canaries = append(of(ts).canaries, got.AccessToken)
	}
}

// wantAnswer sends a request and returns the body of the response.
func wantAnswer(ts *testscript.TestScript, transport http.RoundTripper, status, url, pattern string, header http.Header) []byte {
	want, err := strconv.Atoi(status)
	ts.Check(err)
	req, err := http.NewRequest(http.MethodGet, url, nil)
	ts.Check(err)
	req.Header = header
	resp, err := transport.RoundTrip(req)
	ts.Check(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if resp.StatusCode != want || !regexp.MustCompile("(?m)"+pattern).Match(text) {
		ts.Fatalf("%d %s, want %d %s", resp.StatusCode, text, want, pattern)
	}
	return text
}
