package contract

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// Transport is a RoundTripper that fails with a *[Violation] when a message breaks the contract:
// before a bad request is sent, and instead of returning a bad response. It reads every body
// completely and passes on a copy.
//
// Create it with [NewTransport]. It is safe for concurrent use; set the fields before the first
// request.
type Transport struct {
	Base   http.RoundTripper // sends the requests; nil for http.DefaultTransport
	Prefix string            // the escaped path of the base URL, which precedes the paths of the contract

	// Strict also refuses what the open schemas of responses allow: unknown fields, values other
	// than the known ones, and a status_code or an error type that does not belong to the response.
	// Stytch may send these at any time; a server that implements the contract must not.
	Strict bool

	AllowStatus   []int // responses with one of these are passed on unchecked, for tests that inject faults
	AllowUnrouted bool  // requests that match no operation pass unchecked
	AllowRequests bool  // requests are not checked, for tests that send bad ones; responses are

	router routers.Router

	mu         sync.Mutex
	violations []Violation
	exercised  map[string]int
}

// NewTransport returns a Transport that sends through base, which may be nil. It fails if the
// contract is invalid.
func NewTransport(base http.RoundTripper) (*Transport, error) {
	r, err := router()
	if err != nil {
		return nil, err
	}
	return &Transport{Base: base, router: r, exercised: map[string]int{}}, nil
}

// RoundTrip checks the request, sends it and checks the response. An error of Base is returned
// unchanged, and a truncated body is truncated for the reader as well: neither is a violation.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	send, err := copyRequest(req)
	if err != nil {
		return nil, err
	}
	input := t.route(req)
	if input == nil && !t.AllowUnrouted {
		return t.refuse(Violation{Phase: "request", Reason: "no route for " + routeText(req.Method, req.URL.EscapedPath())})
	}
	if input != nil && !t.AllowRequests {
		if input.Request, err = copyRequest(send); err != nil {
			return nil, err
		}
		if found := checkRequest(input); found != nil {
			return t.refuse(violation(input, "request", 0, found))
		}
	}
	if send.GetBody != nil {
		send.Body, _ = send.GetBody() // the check has consumed the first one; this never fails
	}
	base := t.Base
	if base == nil {
		base = http.DefaultTransport
	}
	resp, err := base.RoundTrip(send)
	if resp != nil {
		resp.Request = req
	}
	if err != nil || input == nil || slices.Contains(t.AllowStatus, resp.StatusCode) {
		return resp, err
	}
	return t.check(input, resp)
}

// check checks a response and counts it.
func (t *Transport) check(input *openapi3filter.RequestValidationInput, resp *http.Response) (*http.Response, error) {
	data, cut := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(data), failing{cut}))
	if cut != nil { // the caller gets the error when it reads
		return resp, nil //nolint:nilerr // see above
	}
	var err error
	if resp.Header.Get("Content-Encoding") == "gzip" { // the caller asked for gzip; otherwise net/http would have decompressed it
		if data, err = gunzip(data); err != nil {
			return t.refuse(violation(input, "response", resp.StatusCode, []string{"body is not gzip, although its header declares it"}))
		}
	}
	if found := checkResponse(input, resp, data, t.Strict); found != nil {
		return t.refuse(violation(input, "response", resp.StatusCode, found))
	}
	if resp.StatusCode < 300 {
		t.mu.Lock()
		t.exercised[input.Route.Operation.OperationID]++
		t.mu.Unlock()
	}
	return resp, nil
}

// Violations returns all violations so far.
func (t *Transport) Violations() []Violation {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.violations)
}

// Exercised counts the successful responses (2xx, within the contract) of each operation, by
// operationId.
func (t *Transport) Exercised() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.exercised)
}

// Missing lists the operations of the contract that had no successful response yet.
func (t *Transport) Missing() []string {
	doc, err := Load()
	if err != nil {
		return nil // NewTransport has reported this
	}
	seen := t.Exercised()
	var missing []string
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			if seen[op.OperationID] == 0 {
				missing = append(missing, op.OperationID)
			}
		}
	}
	slices.Sort(missing)
	return missing
}

func (t *Transport) refuse(v Violation) (*http.Response, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.violations = append(t.violations, v)
	return nil, &v
}

const maxReasons = 10 // of one message: a long list may break the same rule in each item

func violation(input *openapi3filter.RequestValidationInput, phase string, status int, found []string) Violation {
	slices.Sort(found)
	found = slices.Compact(found)
	if more := len(found) - maxReasons; more > 0 {
		found = append(found[:maxReasons:maxReasons], fmt.Sprintf("and %d more", more))
	}
	return Violation{
		Operation: input.Route.Operation.OperationID, Phase: phase, Status: status,
		Reason: strings.Join(found, "; "),
	}
}

// route returns the operation of a request, or nil. It matches the escaped path, where an escaped
// slash does not end a segment, and refuses any path that would have to be resolved or trimmed (the
// router trims): Stytch might read it as another route.
func (t *Transport) route(req *http.Request) *openapi3filter.RequestValidationInput {
	path, ok := strings.CutPrefix(req.URL.EscapedPath(), strings.TrimRight(t.Prefix, "/"))
	segments := strings.Split(path, "/")
	if !ok || strings.HasSuffix(path, "/") || slices.Contains(segments, ".") || slices.Contains(segments, "..") {
		return nil
	}
	route, params, err := t.router.FindRoute(&http.Request{Method: req.Method, URL: &url.URL{Path: path}})
	if err != nil {
		return nil
	}
	for name, escaped := range params {
		if params[name], err = url.PathUnescape(escaped); err != nil || escaped == "" {
			return nil
		}
	}
	return &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route, Options: &options}
}

// routeText renders a route. Parts that the contract does not have may be secrets and are replaced
// by *.
func routeText(method, path string) string {
	if !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, method) {
		method = "*"
	}
	doc, err := Load()
	if err != nil {
		return method
	}
	known := map[string]bool{"": true, ".": true, "..": true}
	for path := range doc.Paths.Map() {
		for part := range strings.SplitSeq(path, "/") {
			known[part] = true
		}
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if !known[part] {
			parts[i] = "*"
		}
	}
	return method + " " + strings.Join(parts, "/")
}

// copyRequest returns a copy with its own body, which GetBody returns again. It consumes the body
// of req.
func copyRequest(req *http.Request) (*http.Request, error) {
	out := req.Clone(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return out, nil
	}
	data, err := io.ReadAll(req.Body)
	_ = req.Body.Close()
	if err != nil {
		return nil, err
	}
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	out.Body, _ = out.GetBody()
	return out, nil
}

func gunzip(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// failing ends a body with an error, or with io.EOF for nil.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}
