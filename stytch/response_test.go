package stytch_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
)

// Which of two secrets is the right one cannot be known, and a caller that reads the generated
// client's response must not guess.
func TestDuplicateKeys(t *testing.T) {
	eachWayOf(t, endpoints, func(t *testing.T, e endpoint, call func(context.Context, *stytch.Client, string) error) {
		good := success(e.op)
		for name, body := range map[string]string{
			"at the top":              strings.Replace(good, `{`, `{"request_id":"first",`, 1),
			"escaped":                 strings.Replace(good, `{`, `{"request_\u0069d":"first",`, 1),
			"in another case":         strings.Replace(good, `{`, `{"Request_ID":"first",`, 1),
			"in another script":       strings.Replace(good, `{`, `{"ſtatus_code":201,`, 1),
			"the secret":              strings.Replace(strings.Replace(good, `{"client_secret"`, `{"client_secret":"x","client_secret"`, 1), `{"next_client_secret"`, `{"next_client_secret":"x","next_client_secret"`, 1),
			"the secret's other case": strings.Replace(strings.Replace(good, `{"client_secret"`, `{"Client_Secret":"x","client_secret"`, 1), `{"next_client_secret"`, `{"NEXT_client_secret":"x","next_client_secret"`, 1),
			"in metadata":             strings.Replace(good, `"trusted_metadata":{}`, `"trusted_metadata":{"a":1,"a":2}`, 1),
		} {
			if body == good {
				continue // this operation has no such field
			}
			err := call(t.Context(), clientOn(t, always(200, "application/json", body), once()), "a")
			if !e.op.ReturnsSecret {
				if err != nil {
					t.Errorf("%s: no secret is in doubt, yet %v", name, err)
				}
				continue
			}
			is := "ErrInvalidResponse"
			if e.op.Safety == operation.ShownOnce && strings.HasPrefix(name, "the secret") {
				is += " ErrOutcomeUnknown"
			}
			checkSentinels(t, err, is)
			if err == nil || strings.Contains(err.Error(), "made-up") {
				t.Errorf("%s: accepted, or quoted", name)
			}
		}
		fine := strings.Replace(good, `"trusted_metadata":{}`, `"trusted_metadata":{"a":1,"A":2,"b":{"a":3}}`, 1)
		if err := call(t.Context(), clientOn(t, always(200, "application/json", fine), once()), "a"); err != nil {
			t.Errorf("keys of metadata that differ in case: %v", err)
		}
	})
}

// A body that breaks off keeps status, request id and cause, on success and error.
func TestBodyBreaksOff(t *testing.T) {
	eachWayOf(t, endpoints, func(t *testing.T, e endpoint, call func(context.Context, *stytch.Client, string) error) {
		for _, status := range []int{200, 404, 503} {
			broken := errors.New("a cause of its own")
			w := &wire{respond: func(int, *http.Request) (*http.Response, error) {
				resp := replyJSON(status, "")
				resp.ContentLength = -1
				resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"request_id":"`+requestIDText+`","stat`), iotest.ErrReader(broken)))
				return resp, nil
			}}
			var response stytch.Response
			err := call(stytch.WithResponse(t.Context(), &response), clientOn(t, w, once()), "a")
			var got *stytch.Error
			if !errors.As(err, &got) || got.StatusCode != status || got.RequestID != requestIDText || !errors.Is(err, broken) || !errors.Is(err, stytch.ErrInvalidResponse) {
				t.Errorf("%d: %v", status, err)
			}
			if response.StatusCode != status || response.RequestID != requestIDText || response.Attempts != 1 {
				t.Errorf("%d: %+v", status, response)
			}
			if unknown := e.op.Safety == operation.ShownOnce && status != 404; errors.Is(err, stytch.ErrOutcomeUnknown) != unknown {
				t.Errorf("%d: outcome unknown should be %t", status, unknown)
			}
		}
	})
}

// endless is a body that never ends, and counts what is read of it.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += int64(len(p))
	return len(p), nil
}
func (e *endless) Close() error { return nil }

// However much the other side sends, only so much is read.
func TestEndlessBody(t *testing.T) {
	for _, c := range []struct {
		status  int
		options []stytch.Option
		most    int64
	}{
		{200, nil, 4<<20 + 1}, {200, []stytch.Option{stytch.WithMaxResponseBytes(1000)}, 1001}, {404, nil, 1 << 20}, {502, nil, 1 << 20}, {302, nil, 1 << 20},
	} {
		body := &endless{}
		w := &wire{respond: func(int, *http.Request) (*http.Response, error) {
			resp := replyJSON(c.status, "")
			resp.Body, resp.ContentLength = body, -1
			return resp, nil
		}}
		_, err := clientOn(t, w, append(c.options, once())...).M2M.Get(t.Context(), "a")
		var got *stytch.Error
		if !errors.As(err, &got) || got.StatusCode != c.status || !errors.Is(err, stytch.ErrInvalidResponse) {
			t.Errorf("%d: %v", c.status, err)
		}
		if body.read > c.most {
			t.Errorf("%d: %d bytes were read, want at most %d", c.status, body.read, c.most)
		}
	}
}

// A gzip bomb is counted as it comes out: 128 MiB of spaces, which travel as 128 KiB.
func TestGzipBomb(t *testing.T) {
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	chunk := bytes.Repeat([]byte(" "), 1<<20)
	for range 128 {
		if _, err := zip.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(status)
		_, _ = w.Write(bomb.Bytes())
	}))
	defer server.Close()
	c := newClient(t, stytch.WithBaseURL(server.URL), once())
	defer c.CloseIdleConnections()
	for _, status = range []int{200, 500} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := c.M2M.Get(t.Context(), "a")
		runtime.ReadMemStats(&after)
		var got *stytch.Error
		if !errors.As(err, &got) || got.StatusCode != status {
			t.Errorf("%d: %v", status, err)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
			t.Errorf("%d: %d MiB were allocated for it", status, grown>>20)
		}
	}
}

// A success that comes back gzipped is read as if it were not.
func TestGzip(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			w.WriteHeader(http.StatusNotAcceptable)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		_, _ = io.WriteString(zip, success(operation.GetM2MClient))
		_ = zip.Close()
	}))
	defer server.Close()
	c := newClient(t, stytch.WithBaseURL(server.URL), once())
	defer c.CloseIdleConnections()
	for _, way := range endpoints[1].ways() {
		if err := way.call(t.Context(), t, c, "a"); err != nil {
			t.Errorf("%s: %v", way.name, err)
		}
	}
}

// A success may be 200 or 201, and JSON by any of its names.
func TestSuccesses(t *testing.T) {
	eachWayOf(t, endpoints, func(t *testing.T, e endpoint, call func(context.Context, *stytch.Client, string) error) {
		for _, status := range []int{200, 201} {
			for _, contentType := range []string{"application/json", "application/json; charset=utf-8", "Application/JSON", "application/vnd.stytch+json"} {
				if err := call(t.Context(), clientOn(t, always(status, contentType, " "+success(e.op)+"\n"), once()), "a"); err != nil {
					t.Errorf("%d %s: %v", status, contentType, err)
				}
			}
		}
	})
}

// An OAuth 2.0 response need not have the envelope of the management API.
func TestTokenWithoutEnvelope(t *testing.T) {
	c := clientOn(t, always(200, "application/json", `{"access_token":"made.up.token","expires_in":3600,"token_type":"bearer"}`))
	got, err := decodingOn(t, c).IssueM2MTokenWithFormdataBodyWithResponse(t.Context(), canaryProject, tokenRequest)
	if err != nil || got.JSON200 == nil || got.JSON200.AccessToken.Reveal() != "made.up.token" {
		t.Errorf("not accepted, or not the token: %v", err)
	}
}

// The body that Do gives out is the caller's alone: closing it twice, or reading it after that,
// touches no other call.
func TestBodiesAreNotShared(t *testing.T) {
	w := &wire{}
	w.respond = func(n int, _ *http.Request) (*http.Response, error) {
		return replyJSON(200, fmt.Sprintf(`{"m2m_client":{"client_id":"id-%04d"},"request_id":"r","status_code":200}`, n)), nil
	}
	c := clientOn(t, w)
	raw := rawOn(t, c)
	first, err := raw.GetM2MClient(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	first.Body.Close()
	for n := 2; n < 50; n++ {
		resp, err := raw.GetM2MClient(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		first.Body.Close() // again, while the other body is in use
		got, err := c.M2M.Get(t.Context(), "a")
		if err != nil || got.ClientID != fmt.Sprintf("id-%04d", 2*n-1) {
			t.Fatalf("the wrapper read %v, %v", got, err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || !strings.Contains(string(body), fmt.Sprintf("id-%04d", 2*n-2)) {
			t.Fatalf("call %d read %q", n, body)
		}
		resp.Body.Close()
		resp.Body.Close()
	}
}

// A transport may be anybody's.
func TestBrokenTransports(t *testing.T) {
	for name, respond := range map[string]func(int, *http.Request) (*http.Response, error){
		"neither":   func(int, *http.Request) (*http.Response, error) { return nil, nil },
		"no body":   func(int, *http.Request) (*http.Response, error) { return &http.Response{StatusCode: 503}, nil },
		"no status": func(int, *http.Request) (*http.Response, error) { return &http.Response{}, nil },
		"an URL": func(_ int, r *http.Request) (*http.Response, error) {
			_, err := (&http.Client{Transport: &wire{respond: func(int, *http.Request) (*http.Response, error) { return nil, io.EOF }}}).Do(r)
			return nil, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := clientOn(t, &wire{respond: respond}, once()).M2M.Get(t.Context(), "a-client-id")
			if err == nil || strings.Contains(err.Error(), "a-client-id") || strings.Contains(err.Error(), "https://") {
				t.Errorf("%v", err)
			}
		})
	}
}

// FuzzResponse: whatever comes back, nothing panics, the status survives, and the text can be
// printed.
func FuzzResponse(f *testing.F) {
	for i, l := range append(lies(), managementLies()...) {
		if len(l.body) < 1<<10 {
			f.Add(l.status, l.contentType, []byte(l.body), uint8(i), "")
		}
	}
	for i, e := range endpoints {
		f.Add(200, "application/json", []byte(success(e.op)), uint8(i), "7")
	}
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte, index uint8, retryAfter string) {
		e := endpoints[int(index)%len(endpoints)]
		status = 100 + (status%900+900)%900
		w := &wire{respond: func(int, *http.Request) (*http.Response, error) {
			resp := reply(status, contentType, string(body))
			resp.Header.Set("Retry-After", retryAfter)
			return resp, nil
		}}
		for _, way := range e.ways() {
			var response stytch.Response
			err := way.call(stytch.WithResponse(t.Context(), &response), t, clientOn(t, w, once()), "a")
			if response.StatusCode != status {
				t.Fatalf("%s: status %d became %d", way.name, status, response.StatusCode)
			}
			if err == nil {
				if status != 200 && status != 201 {
					t.Fatalf("%s: %d is a success", way.name, status)
				}
				continue
			}
			var got *stytch.Error
			if !errors.As(err, &got) || got.StatusCode != status || got.Operation != e.op.ID || got.RetryAfter < 0 {
				t.Fatalf("%s: %d: %v", way.name, status, err)
			}
			checkText(t, err)
		}
	})
}
