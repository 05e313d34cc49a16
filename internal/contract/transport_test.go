package contract

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

const project = "project-test-11111111-1111-4111-8111-111111111111"

// server responds as a test demands.
type server struct {
	status  int
	header  http.Header
	body    []byte
	asked   int
	request []byte
}

func (s *server) RoundTrip(req *http.Request) (*http.Response, error) {
	s.asked++
	if req.Body != nil {
		s.request, _ = io.ReadAll(req.Body)
	}
	rec := httptest.NewRecorder()
	for name, values := range s.header {
		rec.Header()[name] = values
	}
	rec.WriteHeader(s.status)
	_, _ = rec.Write(s.body)
	return rec.Result(), nil
}

var asJSON = http.Header{"Content-Type": {"application/json"}}

// example returns the example of a response in the contract.
func example(t testing.TB, id string, status int) map[string]any {
	t.Helper()
	for _, item := range load(t).Paths.Map() {
		for _, op := range item.Operations() {
			if op.OperationID == id {
				data := encode(t, op.Responses.Status(status).Value.Content["application/json"].Example)
				return decode(t, data).(map[string]any)
			}
		}
	}
	t.Fatalf("no operation %s", id)
	return nil
}

func newTransport(t testing.TB, base http.RoundTripper) *Transport {
	t.Helper()
	transport, err := NewTransport(base)
	if err != nil {
		t.Fatal(err)
	}
	return transport
}

// request returns a valid request, changed by edit.
func request(t testing.TB, method, path, body string, edit func(*http.Request)) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "https://example.com"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body == "" {
		req.Body, req.GetBody = nil, nil
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	req.SetBasicAuth(project, "secret-test-"+canary)
	if edit != nil {
		edit(req)
	}
	return req
}

func checkGood(t *testing.T, transport *Transport, req *http.Request, s *server) {
	t.Helper()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	if data, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(data, s.body) {
		t.Errorf("the body has changed (%v)", err)
	}
	if resp.Request != req || len(transport.Violations()) > 0 {
		t.Error("the response belongs to another request, or there are violations")
	}
}

func TestRoutes(t *testing.T) {
	for _, tt := range []struct{ prefix, method, path, want string }{
		{"", "GET", "/v1/m2m/clients/x", ""},
		{"/", "GET", "/v1/m2m/clients/x", ""},
		{"/proxy", "GET", "/proxy/v1/m2m/clients/x", ""},
		{"/proxy/", "GET", "/proxy/v1/m2m/clients/x", ""},
		{"/proxy", "GET", "/v1/m2m/clients/x", "GET /v1/m2m/clients/*"},
		{"", "GET", "/v1/m2m/clients/..", "GET /v1/m2m/clients/.."},
		{"", "DELETE", "/v1/m2m/clients/.", "DELETE /v1/m2m/clients/."},
		{"", "DELETE", "/v1/m2m/clients/", "DELETE /v1/m2m/clients/"},
		{"", "POST", "/v1/m2m/clients/", "POST /v1/m2m/clients/"},
		{"", "GET", "/v1/m2m/clients", "GET /v1/m2m/clients"},
		{"", "POST", "/v1/m2m/clients//secrets/rotate", "POST /v1/m2m/clients//secrets/rotate"},
		{"", "PATCH", "/v1/m2m/clients/x", "PATCH /v1/m2m/clients/*"},
		{"", canary, "/v1/m2m/clients/x", "* /v1/m2m/clients/*"},
		{"", "GET", "/v1/m2m/clients/a/b", "GET /v1/m2m/clients/*/*"},
		{"", "GET", "/" + canary, "GET /*"},
	} {
		s := &server{status: 503, header: asJSON, body: encode(t, example(t, "GetM2MClient", 503))}
		transport := newTransport(t, s)
		transport.Prefix = tt.prefix
		if tt.want == "" {
			checkGood(t, transport, request(t, tt.method, tt.path, "", nil), s)
			continue
		}
		if v := violationOf(t, transport, request(t, tt.method, tt.path, "", nil)); v.Operation != "" || v.Reason != "no route for "+tt.want {
			t.Errorf("%s %s: %v; want %q", tt.prefix, tt.path, v, tt.want)
		}
		transport.AllowUnrouted = true
		if _, err := transport.RoundTrip(request(t, tt.method, tt.path, "", nil)); err != nil || s.asked != 1 {
			t.Errorf("%s: refused although it is allowed: %v", tt.path, err)
		}
	}
}

// endless is a body that fails the test when it is read.
type endless struct{ io.ReadCloser }

func (endless) Read([]byte) (int, error) { panic("the body was read") }

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestFaults(t *testing.T) {
	cut := errors.New("cut")
	response := func(status int, body io.Reader, err error) roundTripper {
		return func(*http.Request) (*http.Response, error) {
			if err != nil {
				return nil, err
			}
			return &http.Response{StatusCode: status, Header: asJSON, Body: io.NopCloser(body)}, nil
		}
	}
	get := func() *http.Request { return request(t, "GET", "/v1/m2m/clients/x", "", nil) }

	transport := newTransport(t, response(502, endless{}, nil))
	transport.AllowStatus = []int{502}
	if resp, err := transport.RoundTrip(get()); err != nil || resp.StatusCode != 502 {
		t.Errorf("an allowed status: %v", err)
	}

	transport = newTransport(t, response(0, nil, cut))
	if _, err := transport.RoundTrip(get()); err != cut {
		t.Errorf("an error of the base: %v", err)
	}

	transport = newTransport(t, response(200, io.MultiReader(strings.NewReader("{"), failing{cut}), nil))
	resp, err := transport.RoundTrip(get())
	if err != nil {
		t.Fatalf("a truncated body: %v", err)
	}
	if data, err := io.ReadAll(resp.Body); string(data) != "{" || err != cut {
		t.Errorf("a truncated body: read %d bytes, %v", len(data), err)
	}
	if len(transport.Violations()) > 0 || len(transport.Exercised()) > 0 {
		t.Error("a truncated body must be neither a violation nor a success")
	}

	req := request(t, "POST", "/v1/m2m/clients", "x", nil)
	req.Body = io.NopCloser(failing{cut})
	if _, err := transport.RoundTrip(req); err != cut {
		t.Errorf("a request that cannot be read: %v", err)
	}
}

// TestOverHTTP uses http.Client and a real connection: streams, large bodies, gzip.
func TestOverHTTP(t *testing.T) {
	response := example(t, "SearchM2MClients", 200)
	client := response["m2m_clients"].([]any)[0]
	response["m2m_clients"] = slices.Repeat([]any{client}, 5_000)
	large := encode(t, response)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			defer z.Close()
			_, _ = z.Write(large)
			return
		}
		_, _ = w.Write(large)
	}))
	t.Cleanup(srv.Close)
	transport := newTransport(t, srv.Client().Transport)
	transport.Prefix = "/base"
	transport.Strict = true
	for _, encoding := range []string{"", "gzip", "identity"} {
		body, w := io.Pipe() // a body of unknown length, which cannot be had again
		go func() {
			_, err := io.WriteString(w, `{"cursor":"`+strings.Repeat("c", 1<<20)+`"}`)
			w.CloseWithError(err)
		}()
		req, _ := http.NewRequestWithContext(t.Context(), "POST", srv.URL+"/base/v1/m2m/clients/search", body)
		req.SetBasicAuth(project, "secret")
		req.Header.Set("Content-Type", "application/json")
		if encoding != "" {
			req.Header.Set("Accept-Encoding", encoding)
		}
		resp, err := (&http.Client{Transport: transport}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(resp.Body)
		if encoding == "gzip" {
			data, err = gunzip(data)
		}
		if err != nil || !bytes.Equal(data, large) {
			t.Errorf("%q: the body has changed (%v)", encoding, err)
		}
	}
	if n := transport.Exercised()["SearchM2MClients"]; n != 3 {
		t.Errorf("exercised %d times", n)
	}
}

// Every operation of the contract is counted, whatever its body and its success.
func TestExercised(t *testing.T) {
	doc := load(t)
	var ids []string
	transport := newTransport(t, nil)
	for path, item := range doc.Paths.Map() {
		path = strings.NewReplacer("{client_id}", "x", "{project_id}", project).Replace(path)
		for method, op := range item.Operations() {
			ids = append(ids, op.OperationID)
			body, mime := exampleBody(t, op)
			req := request(t, method, path, body, func(req *http.Request) {
				if op.Security != nil {
					req.Header.Del("Authorization")
				}
				if mime != "" {
					req.Header.Set("Content-Type", mime)
				}
			})
			s := exampleSuccess(t, op)
			transport.Base, transport.Strict = s, true
			checkGood(t, transport, req, s)
		}
	}
	slices.Sort(ids)
	if missing := transport.Missing(); len(missing) > 0 {
		t.Errorf("succeeded and were not counted: %v", missing)
	}
	if missing := newTransport(t, nil).Missing(); len(ids) == 0 || !slices.Equal(missing, ids) {
		t.Errorf("at first missing: %v, want all of %v", missing, ids)
	}
}

// exampleBody is an example of the request of an operation, as JSON where it may be JSON.
func exampleBody(t *testing.T, op *openapi3.Operation) (body, mime string) {
	t.Helper()
	if op.RequestBody == nil {
		return "", ""
	}
	content := op.RequestBody.Value.Content
	mime = "application/json"
	if content[mime] == nil {
		mime = slices.Sorted(maps.Keys(content))[0]
	}
	value := content[mime].Example
	for _, example := range content[mime].Examples {
		value = example.Value.Value
	}
	if mime != "application/x-www-form-urlencoded" {
		return string(encode(t, value)), mime
	}
	form := url.Values{}
	for name, field := range value.(map[string]any) {
		form.Set(name, fmt.Sprint(field))
	}
	return form.Encode(), mime
}

// exampleSuccess responds with the first success of an operation.
func exampleSuccess(t *testing.T, op *openapi3.Operation) *server {
	t.Helper()
	for _, status := range slices.Sorted(maps.Keys(op.Responses.Map())) {
		code, _ := strconv.Atoi(status)
		if code < 200 || code > 299 {
			continue
		}
		s := &server{status: code}
		if media := op.Responses.Value(status).Value.Content["application/json"]; media != nil {
			value := media.Example
			for _, example := range media.Examples {
				value = example.Value.Value
			}
			s.header, s.body = asJSON, encode(t, value)
		}
		return s
	}
	t.Fatalf("%s has no success", op.OperationID)
	return nil
}

func TestConcurrentUse(t *testing.T) {
	good := encode(t, example(t, "GetM2MClient", 200))
	transport := newTransport(t, roundTripper(func(req *http.Request) (*http.Response, error) {
		return (&server{status: 200, header: asJSON, body: good}).RoundTrip(req)
	}))
	transport.Strict = true
	var wg sync.WaitGroup
	for i := range 64 {
		req := request(t, "GET", "/v1/m2m/clients/x", "", nil)
		if i%2 == 1 {
			req.Header.Del("Authorization")
		}
		wg.Go(func() {
			_, _ = transport.RoundTrip(req)
			_, _, _ = transport.Violations(), transport.Exercised(), transport.Missing()
		})
	}
	wg.Wait()
	if n, bad := transport.Exercised()["GetM2MClient"], len(transport.Violations()); n != 32 || bad != 32 {
		t.Errorf("%d successes and %d violations, want 32 of each", n, bad)
	}
}
