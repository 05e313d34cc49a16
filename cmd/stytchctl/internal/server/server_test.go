package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/instance"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/seed"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/server"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
)

func newInstance(t testing.TB) *instance.Instance {
	t.Helper()
	i, err := instance.Open(instance.Config{ProjectID: seed.DefaultProjectID, Secret: secret.New(seed.DefaultSecret)})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// A running is a server that serves.
type running struct {
	*server.Server
	stop  func()
	ended <-chan error
}

// start serves until the test ends or stop is called.
func start(t testing.TB, config server.Config, prepare ...func(*server.Server)) running {
	t.Helper()
	return startInstance(t, newInstance(t), config, prepare...)
}

func startInstance(t testing.TB, i *instance.Instance, config server.Config, prepare ...func(*server.Server)) running {
	t.Helper()
	if config.Address == "" {
		config.Address = ":0"
	}
	s, err := server.Listen(t.Context(), i, config)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range prepare {
		f(s)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx); close(ended) }()
	t.Cleanup(func() {
		stop()
		for err := range ended {
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		}
	})
	return running{s, stop, ended}
}

type edit func(*http.Request)

func host(name string) edit { return func(r *http.Request) { r.Host = name } }
func bearer(token string) edit {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}
func project(r *http.Request) { r.SetBasicAuth(seed.DefaultProjectID, seed.DefaultSecret) }

// get sends a request and returns status and body.
func get(t testing.TB, url string, edits ...edit) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, edit := range edits {
		edit(r)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestHosts(t *testing.T) {
	local := start(t, server.Config{Hosts: []string{"Stytch.Test."}})
	open := start(t, server.Config{Address: "0.0.0.0:0", NoAdmin: true, Hosts: []string{"stytch.example"}})
	for _, c := range []struct {
		server running
		host   string
		want   int
	}{
		{local, "127.0.0.1:4010", 200}, {local, "localhost", 200}, {local, "LOCALHOST.", 200}, {local, "a.localhost:1", 200}, {local, "[::1]:80", 200},
		{local, "stytch.test:80", 200}, {local, "attacker.example", 421}, {local, "10.0.0.1", 421}, {local, "stytch", 421}, {local, "127.0.0.1.attacker.example", 421},
		{open, "10.0.0.1:80", 200}, {open, "[2001:db8::1]:80", 200}, {open, "emulator:4010", 200}, {open, "stytch.example", 200}, {open, "localhost", 200},
		{open, "attacker.example", 421}, {open, "10.0.0.1.attacker.example", 421},
	} {
		for _, path := range []string{"/health", admin.Base + "/health"} {
			if got, body := get(t, c.server.URL()+path, host(c.host)); got != c.want {
				t.Errorf("host %s, %s: status %d, want %d: %s", c.host, path, got, c.want, body)
			}
		}
	}
	entries := local.Instance().Requests().Select(requestsOf(421), 100).Entries
	if len(entries) != 8 || !strings.Contains(entries[0].Reason, "--host NAME") || entries[0].Path != "/health" {
		t.Errorf("the log has %d refused hosts: %+v", len(entries), entries)
	}
}

// A page of another origin can send a form with JSON as text, with the usual secret in its address.
// Programs send no such headers, and tests in a browser come from the same origin.
func TestOrigins(t *testing.T) {
	local := start(t, server.Config{})
	for _, c := range []struct {
		header, value string
		want          int
	}{
		{"", "", 200},
		{"Sec-Fetch-Site", "same-origin", 200}, {"Sec-Fetch-Site", "none", 200}, {"Origin", local.URL(), 200},
		{"Sec-Fetch-Site", "cross-site", 403}, {"Sec-Fetch-Site", "same-site", 403}, {"Origin", "https://attacker.example", 403}, {"Origin", "null", 403},
	} {
		r, err := http.NewRequest(http.MethodPost, local.URL()+"/v1/m2m/clients", strings.NewReader(`{"client_name":"a","scopes":["read:users"]}`))
		if err != nil {
			t.Fatal(err)
		}
		project(r)
		r.Header.Set("Content-Type", "text/plain")
		if c.header != "" {
			r.Header.Set(c.header, c.value)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != c.want {
			t.Errorf("%s: %s: status %d, want %d", c.header, c.value, response.StatusCode, c.want)
		}
	}
	if refused := local.Instance().Requests().Select(requestsOf(403), 100).Entries; len(refused) != 4 || !strings.Contains(refused[0].Reason, "another origin") {
		t.Errorf("%d refused requests in the log, want 4 with their reason", len(refused))
	}
}

func TestAdminToken(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "[::]:0"} {
		if _, err := server.Listen(t.Context(), newInstance(t), server.Config{Address: address}); !errors.Is(err, server.ErrNeedsToken) {
			t.Errorf("%s without a token: %v", address, err)
		}
	}
	s := start(t, server.Config{Address: "0.0.0.0:0", AdminToken: secret.New("a-long-admin-token")})
	none := start(t, server.Config{NoAdmin: true})
	for _, c := range []struct {
		url   string
		edits []edit
		want  int
	}{
		{s.AdminURL() + "/bill", nil, 401},
		{s.AdminURL() + "/bill", []edit{bearer("a-long-admin-toke")}, 401},
		{s.AdminURL() + "/bill", []edit{project}, 401},
		{s.AdminURL() + "/bill", []edit{bearer("a-long-admin-token")}, 200},
		{s.AdminURL() + "/ready", nil, 200},
		{s.AdminURL() + "/health", nil, 200},
		{s.URL() + "/health", nil, 200},
		{none.URL() + admin.Base + "/bill", nil, 404},
		{none.URL() + "/_emulator/", nil, 404},
		{none.URL() + "/_emulator", nil, 404},
		{none.URL() + admin.Base + "/ready", nil, 200},
	} {
		if got, body := get(t, c.url, c.edits...); got != c.want {
			t.Errorf("%s: status %d, want %d: %s", c.url, got, c.want, body)
		}
	}
	if none.AdminURL() != "" {
		t.Errorf("without an admin API it has the address %s", none.AdminURL())
	}
	if s.Loopback() || !none.Loopback() || !strings.HasPrefix(s.URL(), "http://127.0.0.1:") {
		t.Errorf("loopback %v, %v, address %s", s.Loopback(), none.Loopback(), s.URL())
	}
}

// A console gets everything below its path, but for the admin API.
func TestConsole(t *testing.T) {
	s := start(t, server.Config{Console: func(s *server.Server) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "console ", r.URL.Path, " ", s.CheckToken(""))
		}), nil
	}})
	for path, want := range map[string]string{
		"/_emulator/": "console /_emulator/ true", "/_emulator": "console /_emulator true", "/_emulator/clients": "console /_emulator/clients true",
	} {
		if status, body := get(t, s.URL()+path); status != 200 || body != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, body := get(t, s.AdminURL()+"/bill"); status != 200 || !strings.Contains(body, "total") {
		t.Errorf("the admin API: %d %s", status, body)
	}
}

// A bug ends one request, with a report that does not hold what it panicked with.
func TestBug(t *testing.T) {
	reports := make(chan string, 1)
	s := start(t, server.Config{
		OnBug:   func(stack []byte) { reports <- string(stack) },
		Console: func(*server.Server) (http.Handler, error) { return http.HandlerFunc(fails), nil },
	})
	if status, body := get(t, s.URL()+"/_emulator/"); status != 500 || !strings.Contains(body, "A bug of the server") {
		t.Errorf("status %d: %s", status, body)
	}
	if report := <-reports; !strings.Contains(report, "server_test.fails") || strings.Contains(report, "Canary-Horse") {
		t.Errorf("the report: %s", report)
	}
	if status, _ := get(t, s.URL()+"/health"); status != 200 {
		t.Errorf("after the bug: status %d", status)
	}
}

func fails(http.ResponseWriter, *http.Request) { panic("Canary-Horse") }

func TestLargeRequests(t *testing.T) {
	s := start(t, server.Config{})
	large := func(size int) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL()+"/health", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Large", strings.Repeat("x", size))
		return r
	}
	if response, err := http.DefaultClient.Do(large(30 << 10)); err != nil || response.StatusCode != 200 {
		t.Errorf("30 KiB of headers: %v", err)
	}
	// The server closes the connection while the client still sends, which may lose the response.
	if response, err := http.DefaultClient.Do(large(64 << 10)); err == nil && response.StatusCode != 431 {
		t.Errorf("64 KiB of headers: status %d", response.StatusCode)
	}
	body := func(r *http.Request) {
		r.Method, r.Body, r.ContentLength = "POST", io.NopCloser(strings.NewReader(strings.Repeat("x", 1<<20+1))), 1<<20+1
		project(r)
	}
	if status, _ := get(t, s.URL()+"/v1/m2m/clients", body); status != 413 {
		t.Errorf("more than 1 MiB of body: status %d", status)
	}
}

// At the end, requests in progress are finished and streams are closed.
func TestDrain(t *testing.T) {
	s := start(t, server.Config{})
	stream := open(t, s.AdminURL()+"/requests/stream")
	response := slowResponse(t, s, 300*time.Millisecond)
	s.stop()
	if _, err := io.ReadAll(response.Body); err != nil {
		t.Errorf("the request in progress: %v", err)
	}
	if _, err := io.ReadAll(stream.Body); err != nil {
		t.Errorf("the stream: %v", err)
	}
	if err := <-s.ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if s.Instance().Ready() == nil {
		t.Error("it is still ready")
	}
	if conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://")); err == nil {
		conn.Close()
		t.Error("it still accepts connections")
	}
}

// A request that outlasts the limit is cut off.
func TestDrainLimit(t *testing.T) {
	s := start(t, server.Config{}, func(s *server.Server) { s.SetTimeouts(time.Second, 100*time.Millisecond) })
	response := slowResponse(t, s, time.Hour)
	s.stop()
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("the response is complete")
	}
	if err := <-s.ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// slowResponse is a response whose second half is to come.
func slowResponse(t *testing.T, s running, delay time.Duration) *http.Response {
	t.Helper()
	if _, err := s.Instance().AddFault(emulator.SlowBody("GetM2MClient", delay)); err != nil {
		t.Fatal(err)
	}
	return open(t, s.URL()+"/v1/m2m/clients/x")
}

// open sends a request and returns once the header of the response is there.
func open(t *testing.T, url string) *http.Response {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

// The limit of a write is that of one write: neither a response that a fault delays nor the next
// one on the connection suffers from it.
func TestWriteTimeout(t *testing.T) {
	s := start(t, server.Config{}, func(s *server.Server) { s.SetTimeouts(50*time.Millisecond, time.Second) })
	for _, f := range []emulator.Fault{
		emulator.SlowBody("GetM2MClient", 200*time.Millisecond).Times(1),
		emulator.EmptyBody("GetM2MClient", 204).Delay(200 * time.Millisecond).Times(1),
	} {
		if _, err := s.Instance().AddFault(f); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{404, 204, 404} {
		if status, body := get(t, s.URL()+"/v1/m2m/clients/x", project); status != want {
			t.Errorf("status %d, want %d: %s", status, want, body)
		}
	}
}
