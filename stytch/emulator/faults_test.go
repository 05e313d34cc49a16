package emulator_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// createRaw sends one creation and returns the response unchecked: faults break the contract.
func (w *harness) createRaw() (status int, head http.Header, body string, err error) {
	w.t.Helper()
	resp, err := w.Client().Do(w.request("POST", clients, `{"scopes":["a"]}`))
	if err != nil {
		return 0, nil, "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, string(data), err
}

func (w *harness) clientCount() int {
	w.t.Helper()
	_, _, total := w.search(`{}`)
	return total
}

func TestFaults(t *testing.T) {
	const create = "CreateM2MClient"
	done := emulator.Fault.AfterEffect
	tests := []struct {
		name       string
		fault      emulator.Fault
		status     int // 0 for a lost connection
		mediaType  string
		contains   string
		retryAfter string
		cut        bool // the body is truncated
		effect     bool
	}{
		{"Status 500", emulator.Status(create, 500), 500, "application/json", `"error_type":"internal_server_error"`, "", false, false},
		{"Status 503", emulator.Status(create, 503), 503, "application/json", `"error_type":"server_unavailable"`, "", false, false},
		{"Status 418", emulator.Status(create, 418), 418, "application/json", `{"status_code":418,"request_id":"request-id-test-`, "", false, false},
		{"Status 400", emulator.Status(create, 400), 400, "application/json", `errors/400#bad_request"}`, "", false, false},
		{"Status after the effect", done(emulator.Status(create, 500)), 500, "application/json", "internal_server_error", "", false, true},
		{"RateLimited", emulator.RateLimited(create, "30"), 429, "application/json", `"error_type":"too_many_requests"`, "30", false, false},
		{"RateLimited without a time", emulator.RateLimited(create, ""), 429, "application/json", "too_many_requests", "", false, false},
		{"HTML 502", emulator.HTML(create, 502), 502, "text/html; charset=utf-8", "<h1>Bad Gateway</h1>", "", false, false},
		{"HTML 200", emulator.HTML(create, 200), 200, "text/html; charset=utf-8", "<html>", "", false, false},
		{"HTML 502 after the effect", done(emulator.HTML(create, 502)), 502, "text/html; charset=utf-8", "<html>", "", false, true},
		{"EmptyBody", emulator.EmptyBody(create, 500), 500, "", "", "", false, false},
		{"Garbage", emulator.Garbage(create, 200), 200, "application/json", `{"status_code":`, "", false, false},
		{"CutBody", emulator.CutBody(create), 200, "application/json", `{"m2m_client":{`, "", true, true},
		{"Reset", emulator.Reset(create), 0, "", "", "", false, false},
		{"DropResponse", emulator.DropResponse(create), 0, "", "", "", false, true},
		{"Latency", emulator.Latency(create, time.Millisecond), 200, "application/json", `"status_code":200}`, "", false, true},
		{"SlowBody", emulator.SlowBody(create, time.Millisecond), 200, "application/json", `"status_code":200}`, "", false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := start(t, emulator.WithFaults(tt.fault.Times(1)))
			status, head, body, err := w.createRaw()
			if status != tt.status || !strings.Contains(body, tt.contains) || (err != nil) != (tt.cut || tt.status == 0) {
				t.Errorf("%d, %v", status, err)
			}
			if status > 0 && (head.Get("Content-Type") != tt.mediaType || head.Get("Retry-After") != tt.retryAfter) {
				t.Errorf("headers %v", head)
			}
			log := w.Requests()
			if len(log) != 1 || log[0].Status != tt.status || log[0].Operation != create {
				t.Errorf("log %v", log)
			}
			if count := w.clientCount(); count != map[bool]int{true: 1, false: 0}[tt.effect] {
				t.Errorf("%d clients", count)
			}
			if status, _, _, err := w.createRaw(); status != 200 || err != nil {
				t.Errorf("the fault applies again: %d, %v", status, err)
			}
		})
	}
}

// A token whose response is lost is billed anyway.
func TestLostTokenCounts(t *testing.T) {
	w := start(t, withWorker(emulator.WithFaults(emulator.DropResponse("IssueM2MToken").Times(1)))...)
	form := credentials("wor+ker 1", workerSecret)
	form.Set("grant_type", "client_credentials")
	r := w.request("POST", "/v1/public/"+w.ProjectID+"/oauth2/token", form.Encode(), noAuth, header("Content-Type", "application/x-www-form-urlencoded"))
	if resp, err := w.Client().Do(r); err == nil {
		resp.Body.Close()
		t.Error("a response came")
	}
	if got := w.TokensMinted("wor+ker 1"); got != 1 {
		t.Errorf("%d tokens", got)
	}
}

func TestTokenFaultsHaveTheShapeOfTheTokenEndpoint(t *testing.T) {
	for status, kind := range map[int]string{400: "invalid_client", 401: "invalid_client", 403: "organization_suspended", 429: "too_many_requests", 500: "internal_server_error", 503: "server_unavailable"} {
		w := start(t, emulator.WithFaults(emulator.Status("IssueM2MToken", status)))
		if got := w.token(credentials("a", "b")); got.status != status || got.kind() != kind {
			t.Errorf("%d %s", got.status, got.kind())
		}
	}
}

func TestFaultsApplyInTurn(t *testing.T) {
	status := func(code int) emulator.Fault { return emulator.Status("GetM2MClient", code) }
	for _, tt := range []struct {
		name   string
		faults []emulator.Fault
		want   []int
	}{
		{"always", []emulator.Fault{status(500)}, []int{500, 500, 500}},
		{"Times", []emulator.Fault{status(500).Times(2)}, []int{500, 500, 404}},
		{"After", []emulator.Fault{status(500).After(2)}, []int{404, 404, 500, 500}},
		{"After and Times", []emulator.Fault{status(500).After(1).Times(1)}, []int{404, 500, 404}},
		{"Each", []emulator.Fault{status(500).Each(3)}, []int{404, 404, 500, 404, 404, 500}},
		{"all three", []emulator.Fault{status(500).After(1).Each(2).Times(2)}, []int{404, 404, 500, 404, 500, 404, 404}},
		{"the first wins", []emulator.Fault{status(500).Times(1), status(503).Times(1)}, []int{500, 503, 404}},
		{"another operation", []emulator.Fault{emulator.Status("DeleteM2MClient", 500)}, []int{404, 404}},
		{"all operations", []emulator.Fault{emulator.Status("", 500)}, []int{500, 500}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := start(t, emulator.WithFaults(tt.faults...))
			for i, want := range tt.want {
				if got := w.call("GET", clients+"/x", ""); got.status != want {
					t.Errorf("request %d: %d, want %d", i+1, got.status, want)
				}
			}
			w.call("GET", "/health", "")
		})
	}
}

func TestInjectAndRemove(t *testing.T) {
	w := start(t)
	remove := w.Inject(emulator.Status("", 500))
	w.expect(500, "internal_server_error", "GET", clients+"/x", "", noAuth)
	remove()
	remove()
	w.expect(404, "m2m_client_not_found", "GET", clients+"/x", "")
}

func TestImpossibleFaultsAreRefused(t *testing.T) {
	w := start(t)
	for i, fault := range []emulator.Fault{
		emulator.Reset("GetM2MClients"), emulator.Status("", 200), emulator.Status("", 600), emulator.HTML("", 100),
		emulator.Latency("", -1), emulator.Reset("").After(-1), emulator.Reset("").Times(-1), emulator.Reset("").Each(-1),
		{}, emulator.EmptyBody("", 0), emulator.ErrorType("", "no_such_type"), emulator.ErrorType("", ""), emulator.Reset("").Delay(-1),
	} {
		if _, err := emulator.New(emulator.WithFaults(fault)); !errors.Is(err, emulator.ErrInvalidArgument) {
			t.Errorf("%d: New accepts it", i)
		}
		func() {
			defer func() {
				if err, _ := recover().(error); !errors.Is(err, emulator.ErrInvalidArgument) {
					t.Errorf("%d: Inject accepts it", i)
				}
			}()
			w.Inject(fault)
		}()
	}
}

// A reset is not an orderly end: a client must be able to distinguish it from a response without a
// body.
func TestResetIsAReset(t *testing.T) {
	w := start(t, emulator.WithFaults(emulator.Reset("")))
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := w.request("GET", clients+"/x", "").Write(conn); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("read %d bytes, %v; want a connection reset", n, err)
	}
}

// Without a connection to hijack, losing it is a panic that net/http recognizes.
func TestLostConnectionOnARecorder(t *testing.T) {
	for _, fault := range []emulator.Fault{emulator.Reset(""), emulator.DropResponse(""), emulator.CutBody("")} {
		e, err := emulator.New(emulator.WithFaults(fault))
		if err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if got, _ := recover().(error); !errors.Is(got, http.ErrAbortHandler) {
					t.Errorf("recovered %v", got)
				}
			}()
			r := httptest.NewRequest(http.MethodGet, clients+"/x", nil)
			r.SetBasicAuth(e.Credentials())
			e.ServeHTTP(httptest.NewRecorder(), r)
		}()
	}
}

// Latency uses the clock of the bubble and ends with the request.
func TestLatencyUnderSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, err := emulator.New(emulator.WithFaults(emulator.Latency("GetM2MClient", time.Hour), emulator.SlowBody("DeleteM2MClient", time.Hour)))
		if err != nil {
			t.Fatal(err)
		}
		request := func(ctx context.Context, method string) *http.Request {
			r := httptest.NewRequestWithContext(ctx, method, clients+"/x", nil)
			r.SetBasicAuth(e.Credentials())
			return r
		}
		for _, method := range []string{"GET", "DELETE"} {
			began, w := time.Now(), httptest.NewRecorder()
			e.ServeHTTP(w, request(t.Context(), method))
			if waited := time.Since(began); waited != time.Hour || w.Code != 404 || !strings.HasSuffix(w.Body.String(), "}") {
				t.Errorf("%s: %d after %v", method, w.Code, waited)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		defer func() {
			if recover() == nil || time.Since(began) != time.Minute {
				t.Errorf("the wait did not end with the context but after %v", time.Since(began))
			}
		}()
		e.ServeHTTP(httptest.NewRecorder(), request(ctx, "GET"))
	})
}

// A real server works over an in-memory connection inside a bubble: the emulator adds no goroutine.
func TestServesOverPipeUnderSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, err := emulator.New(emulator.WithFaults(emulator.DropResponse("").Times(1)))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"", "HTTP/1.1 404 Not Found"} {
			near, far := net.Pipe()
			srv := &http.Server{Handler: e}
			go func() { _ = srv.Serve(&onePipe{conn: far}) }()
			r := httptest.NewRequest(http.MethodGet, "http://emulator"+clients+"/x", nil)
			r.SetBasicAuth(e.Credentials())
			if err := r.Write(near); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(near).ReadString('\n')
			if strings.TrimSpace(line) != want || (err == nil) != (want != "") {
				t.Errorf("%q, %v", line, err)
			}
			near.Close()
			srv.Close()
		}
	})
}

type onePipe struct{ conn net.Conn }

func (l *onePipe) Accept() (net.Conn, error) {
	if l.conn == nil {
		return nil, errors.New("no more connections")
	}
	conn := l.conn
	l.conn = nil
	return conn, nil
}
func (l *onePipe) Close() error   { return nil }
func (l *onePipe) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// The client loses its connection, with TLS and HTTP/2 as well.
func TestLostConnectionUnderTLS(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		e, err := emulator.New(emulator.WithFaults(emulator.Reset("").Times(1), emulator.CutBody("").Times(1)))
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewUnstartedServer(e)
		s.EnableHTTP2 = http2
		s.StartTLS()
		for _, lost := range []bool{true, true, false} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+clients, strings.NewReader(`{"scopes":[]}`))
			r.RequestURI = ""
			r.SetBasicAuth(e.Credentials())
			resp, err := s.Client().Do(r)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
				if (resp.ProtoMajor == 2) != http2 {
					t.Errorf("HTTP/%d", resp.ProtoMajor)
				}
			}
			if (err != nil) != lost {
				t.Errorf("HTTP/2 %v: %v", http2, err)
			}
		}
		s.Close()
	}
}
