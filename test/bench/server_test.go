// Package bench measures the client against a server in another process, so that CPU time and
// allocations are the client's alone. Every ratio comes from interleaved rounds of one run.
package bench

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	clientID  = "m2m-client-test-d731954d-dab3-4a2b-bdee-07f3ad1be885"
	oneClient = `{"client_description":"Charges cards at night","client_id":"` + clientID + `","client_name":"Billing worker","client_secret_last_four":"DzJj","next_client_secret_last_four":null,"scopes":["read:users","write:users"],"status":"active","trusted_metadata":{"created_at":"2026-03-01T10:00:00Z","owner":"org-0815","tier":2}}`
	getBody   = `{"m2m_client":` + oneClient + `,"request_id":"request-id-test-b05c992f-ebdc-489d-a754-c7e70ba13141","status_code":200}`

	pages        = 100
	pageSize     = 1000
	role         = "M2M_BENCH_ROLE"
	searchPath   = "/v1/m2m/clients/search"
	projectID    = "project-test-11111111-1111-4111-8111-111111111111"
	latencyParam = "latency" // a header of the search, in milliseconds, sent as part of the user agent
)

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "server":
		serve()
	case "search":
		searchProcess()
	default:
		os.Exit(m.Run())
	}
}

// addresses is what the server process says of itself on its standard output.
type addresses struct {
	Plain, TLS, HTTP2, Certificate string
}

// serve answers canned bodies until its standard input ends.
func serve() {
	var conns [3]atomic.Int64
	page := []byte(strings.Repeat(oneClient+",", pageSize-1) + oneClient)
	handler := func(i int) http.Handler {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /v1/m2m/clients/{id}", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, getBody)
		})
		mux.HandleFunc("POST "+searchPath, func(w http.ResponseWriter, r *http.Request) {
			var query struct{ Cursor string }
			_ = json.NewDecoder(r.Body).Decode(&query)
			n, _ := strconv.Atoi(query.Cursor)
			next := "null"
			if n < pages-1 {
				next = strconv.Quote(strconv.Itoa(n + 1))
			}
			if _, ms, ok := strings.Cut(r.UserAgent(), latencyParam+"/"); ok {
				ms, _, _ = strings.Cut(ms, " ")
				d, _ := strconv.Atoi(ms)
				time.Sleep(time.Duration(d) * time.Millisecond)
			}
			w.Header().Set("Content-Type", "application/json")
			tail := `],"request_id":"r","results_metadata":{"next_cursor":` + next + `,"total":100000},"status_code":200}`
			w.Header().Set("Content-Length", strconv.Itoa(len(`{"m2m_clients":[`)+len(page)+len(tail)))
			_, _ = io.WriteString(w, `{"m2m_clients":[`)
			_, _ = w.Write(page)
			_, _ = io.WriteString(w, tail)
		})
		mux.HandleFunc("GET /conns", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, conns[i].Load()) })
		return mux
	}
	start := func(i int, secure, http2 bool) *httptest.Server {
		s := httptest.NewUnstartedServer(handler(i))
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				conns[i].Add(1)
			}
		}
		s.EnableHTTP2 = http2
		if secure {
			s.StartTLS()
		} else {
			s.Start()
		}
		return s
	}
	plain, secure, http2 := start(0, false, false), start(1, true, false), start(2, true, true)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	_ = json.NewEncoder(os.Stdout).Encode(addresses{plain.URL, secure.URL, http2.URL, string(certificate)})
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// server is the server process.
type server struct {
	addresses
	roots *x509.CertPool
}

func startServer(tb testing.TB) *server {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"=server")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { stdin.Close(); _ = cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		tb.Fatal(err)
	}
	s := &server{roots: x509.NewCertPool()}
	if err := json.Unmarshal(line, &s.addresses); err != nil {
		tb.Fatal(err)
	}
	s.roots.AppendCertsFromPEM([]byte(s.Certificate))
	// The client under test brings its own transport, which trusts the system's roots.
	file := filepath.Join(tb.TempDir(), "roots.pem")
	if err := os.WriteFile(file, []byte(s.Certificate), 0o600); err != nil {
		tb.Fatal(err)
	}
	_ = os.Setenv("SSL_CERT_FILE", file)
	return s
}

func (s *server) url(mode string) string {
	return map[string]string{"plain": s.Plain, "tls": s.TLS, "http2": s.HTTP2}[mode]
}

// conns is how many connections the server accepted so far, less the one that asks.
func (s *server) conns(tb testing.TB, mode string) int {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: s.roots}}}
	resp, err := client.Get(s.url(mode) + "/conns")
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	var n int
	if _, err := fmt.Fscan(resp.Body, &n); err != nil {
		tb.Fatal(err)
	}
	return n
}
