package emulator_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/contract"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

// A harness drives a listening emulator over plain HTTP. It holds every response to the contract
// and to the wire format before a test sees it.
type harness struct {
	*emulator.Server
	t testing.TB
}

func start(t testing.TB, opts ...emulator.Option) *harness {
	t.Helper()
	return &harness{emulatortest.NewServer(t, opts...), t}
}

type reply struct {
	status int
	header http.Header
	body   string
}

type edit func(*http.Request)

func header(name, value string) edit { return func(r *http.Request) { r.Header.Set(name, value) } }
func noAuth(r *http.Request)         { r.Header.Del("Authorization") }
func basic(user, password string) edit {
	return func(r *http.Request) { r.SetBasicAuth(user, password) }
}

// call sends a request with the project's credentials and a JSON body, and checks the format of the
// response.
func (w *harness) call(method, path, body string, edits ...edit) reply {
	w.t.Helper()
	r := w.request(method, path, body, edits...)
	got, err := exchange(w.t, w.Client().Transport, r)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	if fault := checkFormat(r, got); fault != "" {
		w.t.Errorf("%s %s: status %d: %s", method, path, got.status, fault)
	}
	return got
}

// exchange sends a request. It fails if the response breaks the contract.
func exchange(t testing.TB, base http.RoundTripper, r *http.Request) (reply, error) {
	t.Helper()
	checked, err := contract.NewTransport(base)
	if err != nil {
		t.Fatal(err)
	}
	checked.AllowRequests, checked.AllowUnrouted = true, true
	checked.AllowStatus = []int{http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge} // of HTTP, not of an operation
	resp, err := checked.RoundTrip(r)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(data)}, err
}

func (w *harness) request(method, path, body string, edits ...edit) *http.Request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.SetBasicAuth(w.ProjectID, w.Secret)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, edit := range edits {
		edit(r)
	}
	return r
}

// expect is call for one status and, for an error, one type.
func (w *harness) expect(status int, kind, method, path, body string, edits ...edit) reply {
	w.t.Helper()
	got := w.call(method, path, body, edits...)
	if got.status != status || got.kind() != kind {
		w.t.Errorf("%s %s: %d %q, want %d %q", method, path, got.status, got.kind(), status, kind)
	}
	return got
}

// ok is call for a success.
func (w *harness) ok(method, path, body string, edits ...edit) map[string]any {
	w.t.Helper()
	got := w.expect(http.StatusOK, "", method, path, body, edits...)
	return got.object(w.t)
}

func (r reply) object(t testing.TB) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(r.body), &object); err != nil {
		t.Fatalf("not an object: %v", err)
	}
	return object
}

// kind is the error_type, or the error of the token endpoint.
func (r reply) kind() string {
	var e struct {
		Type  string `json:"error_type"`
		Error string `json:"error"`
	}
	_ = json.Unmarshal([]byte(r.body), &e)
	return e.Type + e.Error
}

// at returns a member of nested objects.
func at(object any, path ...string) any {
	for _, name := range path {
		fields, _ := object.(map[string]any)
		object = fields[name]
	}
	return object
}

func text(object any, path ...string) string {
	s, _ := at(object, path...).(string)
	return s
}

// token requests a token as the libraries do: with a form, without the project's credentials.
func (w *harness) token(form url.Values, edits ...edit) reply {
	w.t.Helper()
	if !form.Has("grant_type") {
		form.Set("grant_type", "client_credentials")
	}
	edits = append([]edit{noAuth, header("Content-Type", "application/x-www-form-urlencoded")}, edits...)
	return w.call("POST", "/v1/public/"+w.ProjectID+"/oauth2/token", form.Encode(), edits...)
}

func credentials(id, secret string) url.Values {
	return url.Values{"client_id": {id}, "client_secret": {secret}}
}

// works reports whether a secret gets a token.
func (w *harness) works(id, secret string) bool {
	w.t.Helper()
	return w.token(credentials(id, secret)).status == http.StatusOK
}

var requestIDPattern = regexp.MustCompile(`^request-id-(test|live)-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// checkFormat returns what is wrong with the format of a response, or "".
func checkFormat(r *http.Request, got reply) string {
	if got.header.Get("Content-Type") != "application/json" {
		return "Content-Type " + got.header.Get("Content-Type")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(got.body)); err != nil || compact.String() != got.body {
		return "the body is not compact JSON"
	}
	var envelope struct {
		StatusCode int    `json:"status_code"`
		RequestID  string `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(got.body), &envelope); err != nil {
		return err.Error()
	}
	if r.URL.Path == "/health" || r.URL.Path == registerPath && got.status < 300 { // the documented sample has no envelope
		return ""
	}
	if envelope.StatusCode != got.status || !requestIDPattern.MatchString(envelope.RequestID) {
		return "the envelope is wrong"
	}
	names := keys(json.NewDecoder(strings.NewReader(got.body)))
	if got.status >= 400 {
		order := strings.Join(names, " ")
		if order != "status_code request_id error_type error_message error_url" &&
			order != "status_code request_id error error_description error_uri" {
			return "an error with the keys " + order
		}
	} else if !sortedKeys(json.NewDecoder(strings.NewReader(got.body))) {
		return "the keys are not sorted"
	}
	return ""
}

// keys lists the keys of a flat object in the order of the text.
func keys(dec *json.Decoder) (names []string) {
	_, _ = dec.Token()
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return names
		}
		names = append(names, name.(string))
		var skipped json.RawMessage
		if dec.Decode(&skipped) != nil {
			return names
		}
	}
	return names
}

// sortedKeys reports whether the keys are sorted at every depth.
func sortedKeys(dec *json.Decoder) bool {
	dec.UseNumber()
	var walk func() bool
	walk = func() bool {
		token, err := dec.Token()
		if err != nil {
			return false
		}
		delim, nested := token.(json.Delim)
		if !nested {
			return true
		}
		var names []string
		for dec.More() {
			if delim == '{' {
				name, err := dec.Token()
				if err != nil {
					return false
				}
				names = append(names, name.(string))
			}
			if !walk() {
				return false
			}
		}
		_, err = dec.Token()
		return err == nil && sort.StringsAreSorted(names)
	}
	return walk()
}

func basicHeader(text string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(text))
}
