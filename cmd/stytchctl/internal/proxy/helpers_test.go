package proxy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/proxy"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
	"github.com/stytchkit/m2m/stytch/verify"
)

const (
	clientID     = "worker"
	clientSecret = "Correct-Horse-Battery-Staple-90210"
	callersToken = "a-token-of-the-caller-that-goes-nowhere"
)

var scopes = []string{"read:users", "write:invoices"}

// fixture is a proxy that serves, with a local Stytch and an upstream.
type fixture struct {
	*proxy.Proxy
	t        testing.TB
	stytch   *emulator.Server
	upstream *recorder
	url      string
	log      *lines
	end      context.CancelFunc
	ended    chan error
	socket   string
}

// start serves until the test ends. Then it looks for secrets in everything that the proxy wrote.
func start(t testing.TB, upstream http.HandlerFunc, change func(*proxy.Config)) *fixture {
	t.Helper()
	f := prepare(t, upstream)
	f.start(change)
	return f
}

// prepare starts all but the proxy.
func prepare(t testing.TB, upstream http.HandlerFunc) *fixture {
	t.Helper()
	f := &fixture{t: t, upstream: newRecorder(t, upstream), log: &lines{}, ended: make(chan error, 1)}
	f.stytch = emulatortest.NewServer(t, emulator.WithBehavior(emulator.Behavior{TokenID: true}), // or the tokens of one second would be equal
		emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: clientID, Secret: clientSecret, Scopes: scopes}))
	return f
}

func (f *fixture) start(change func(*proxy.Config)) {
	f.t.Helper()
	f.serve(f.config(change))
}

// config is a good one, changed.
func (f *fixture) config(change func(*proxy.Config)) proxy.Config {
	config := proxy.Config{
		Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Routes: []proxy.Route{{Prefix: "/", Upstream: f.upstream.server.URL}},
		ProjectID: f.stytch.ProjectID, Credentials: token.Static(clientID, secret.New(clientSecret)), BaseURL: f.stytch.URL,
		Log: slog.New(slog.NewJSONHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: withoutTimes})),
	}
	if change != nil {
		change(&config)
	}
	return config
}

func (f *fixture) serve(config proxy.Config) {
	t := f.t
	t.Helper()
	var err error
	if f.Proxy, err = proxy.New(config); err != nil {
		t.Fatal(err)
	}
	if err := f.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.url, f.socket = "http://"+f.Addr().String(), config.TokenSocket
	var ctx context.Context
	ctx, f.end = context.WithCancel(context.Background())
	go func() { f.ended <- f.Serve(ctx) }()
	t.Cleanup(func() {
		metrics := ""
		if admin := f.AdminAddr(); admin != nil && config.Certificate == nil {
			_, metrics = f.probe("/metrics")
		}
		f.stop()
		search := redact.New(append(f.upstream.tokens(), clientSecret, f.stytch.Secret, callersToken)...)
		for where, text := range map[string]string{"log": f.log.String(), "metrics": metrics} {
			if search.Found(text) {
				t.Errorf("a secret or a token is in the %s: %s", where, around(search.Text(text)))
			}
		}
		if strings.Contains(metrics, clientID) || strings.Contains(metrics, f.stytch.ProjectID) {
			t.Error("the metrics name a client or a project")
		}
	})
}

// withoutTimes leaves out times: their digits look like a piece of a token in hexadecimal.
func withoutTimes(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindTime {
		return slog.Attr{}
	}
	return a
}

// around is what stands beside the first secret of a text that was cleaned of it.
func around(text string) string {
	at := strings.Index(text, secret.Placeholder)
	return text[max(0, at-100):min(len(text), at+100)]
}

// probe asks the admin listener. The status is 0 if it does not respond.
func (f *fixture) probe(path string) (status int, text string) {
	resp, err := http.Get("http://" + f.AdminAddr().String() + path)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

// wantMetric waits until the metrics have a line, because a request ends after its caller has the
// response.
func (f *fixture) wantMetric(line string) {
	f.t.Helper()
	waitFor(f.t, "the metrics have "+line, func() bool {
		_, text := f.probe("/metrics")
		return strings.Contains("\n"+text, "\n"+line+"\n")
	})
}

// stop ends the proxy and returns what Serve did. It may be called again.
func (f *fixture) stop() error {
	f.end()
	select {
	case err := <-f.ended:
		f.ended <- err
		return err
	case <-time.After(20 * time.Second):
		f.t.Fatal("Serve did not return")
		return nil
	}
}

// api is an upstream that wants a token with a scope, as Go services do.
type api struct {
	verifier atomic.Pointer[verify.Verifier] // an upstream starts before the proxy whose tokens it verifies
	scope    string
	next     http.HandlerFunc
}

func (a *api) serve(w http.ResponseWriter, r *http.Request) {
	a.verifier.Load().Require(a.scope)(a.next).ServeHTTP(w, r)
}

// trust makes the tokens of a project those that the upstream accepts.
func (a *api) trust(f *fixture) {
	f.t.Helper()
	verifier, err := verify.New(f.stytch.ProjectID, verify.WithBaseURL(f.stytch.URL))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { verifier.Close() })
	a.verifier.Store(verifier)
}

// recorder is an upstream that keeps what it was sent.
type recorder struct {
	server *httptest.Server
	mu     sync.Mutex
	seen   []*http.Request // with their bodies in Body, read
	bearer map[string]bool
}

func newRecorder(t testing.TB, handler http.HandlerFunc) *recorder {
	rec := &recorder{bearer: map[string]bool{}}
	rec.server = httptest.NewUnstartedServer(rec.wrap(handler))
	rec.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	rec.server.Start()
	t.Cleanup(rec.server.Close)
	return rec
}

func (rec *recorder) wrap(handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rec.mu.Lock()
		rec.seen = append(rec.seen, r.Clone(context.Background()))
		if value, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
			rec.bearer[value] = true
		}
		rec.mu.Unlock()
		if handler != nil {
			handler(w, r)
		}
	}
}

func (rec *recorder) requests() []*http.Request {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return append([]*http.Request(nil), rec.seen...)
}

func (rec *recorder) tokens() (all []string) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for value := range rec.bearer {
		all = append(all, value)
	}
	return all
}

// only is the one request that arrived.
func (rec *recorder) only(t testing.TB) *http.Request {
	t.Helper()
	seen := rec.requests()
	if len(seen) != 1 {
		t.Fatalf("%d requests arrived at the upstream, want 1", len(seen))
	}
	return seen[0]
}

// lines is a log that many goroutines write.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// reply is a response with its body, read.
type reply struct {
	*http.Response
	text string
}

// do sends a request through a connection of its own, follows no redirect, and fails the test if
// there is no response.
func (f *fixture) do(method, path, body string, headers ...string) reply {
	f.t.Helper()
	r, err := f.try(method, path, strings.NewReader(body), headers...)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

var client = &http.Client{
	Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1000},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (f *fixture) try(method, path string, body io.Reader, headers ...string) (reply, error) {
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, body)
	if err != nil {
		return reply{}, err
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return reply{resp, string(text)}, err
}

// wantProblem checks that a response is the problem document of a class and shows no secret.
func (f *fixture) wantProblem(r reply, status int, class string) {
	f.t.Helper()
	var document struct {
		Type, Title, Class, Detail string
		Status                     int
	}
	if err := json.Unmarshal([]byte(r.text), &document); err != nil {
		f.t.Fatalf("%d %q: %v", r.StatusCode, r.text, err)
	}
	if r.StatusCode != status || document.Status != status || document.Class != class || document.Title != http.StatusText(status) {
		f.t.Errorf("got %d %s, want %d %s", r.StatusCode, r.text, status, class)
	}
	if got := r.Header.Get("Content-Type"); got != "application/problem+json" {
		f.t.Errorf("content type %q", got)
	}
	if redact.New(append(f.upstream.tokens(), clientSecret, clientID, callersToken)...).Found(r.text) {
		f.t.Errorf("the problem shows a secret: %s", r.text)
	}
}

// waitFor waits until ok, which other goroutines make true.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick, limit := time.NewTicker(2*time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func wantConfigError(t *testing.T, err error, field, text string) {
	t.Helper()
	var config *proxy.ConfigError
	if !errors.As(err, &config) || config.Field != field || !strings.Contains(err.Error(), text) || !strings.HasSuffix(err.Error(), "Nothing was opened.") {
		t.Errorf("got %v, want %s: …%s…", err, field, text)
	}
}
