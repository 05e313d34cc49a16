package stytch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

// Whatever the server or the transport quotes of a request, no error shows a secret of the request,
// however it is written.
func TestNoErrorQuotesWhatWasSent(t *testing.T) {
	for name, s := range oddSecrets() {
		basicAuth := basic("a", s.Reveal())
		escapedAuth := basic("a", url.QueryEscape(s.Reveal())) // RFC 6749, section 2.3.1
		inJSON, _ := json.Marshal("of " + s.Reveal() + " it is said")
		writings := map[string]string{
			"inside JSON": string(inJSON), "inside quotes": fmt.Sprintf("%q", "of "+s.Reveal()+" it is said"),
			"plain": s.Reveal(), "form": url.QueryEscape(s.Reveal()), "path": url.PathEscape(s.Reveal()), "form with %20": strings.ReplaceAll(url.QueryEscape(s.Reveal()), "+", "%20"),
			"quoted": fmt.Sprintf("%q", s.Reveal()),
			"Basic":  basicAuth, "escaped Basic": escapedAuth,
			"whole form": url.Values{"client_id": {"a"}, "client_secret": {s.Reveal()}, "grant_type": {"client_credentials"}}.Encode(),
		}
		for writing, text := range writings {
			t.Run(name+"/"+writing, func(t *testing.T) {
				for what, respond := range echoes(text) {
					if usual := []string{"OAuth", "details", "success", "broken", "a transport"}; !heavy.Enabled() && !slices.Contains(usual, what) {
						continue
					}
					c := clientOn(t, &wire{respond: func(int, *http.Request) (*http.Response, error) { return respond() }}, once())
					var errs []error
					if !strings.Contains(writing, "Basic") {
						_, err := c.M2M.Secrets.Probe(t.Context(), "a", s)
						errs = append(errs, err)
						_, err = c.M2M.Create(t.Context(), stytch.M2MCreate{ClientSecret: secret.Outgoing(s), Scopes: []string{"a"}})
						errs = append(errs, err)
						if what != "success" { // the generated client gives a body that can be read only once
							body, _ := json.Marshal(map[string]any{"client_secret": s.Reveal(), "scopes": []string{"a"}})
							_, err = rawOn(t, c).CreateM2MClientWithBody(t.Context(), "application/json", io.MultiReader(bytes.NewReader(body)))
							errs = append(errs, err)
						}
					}
					for _, authorization := range []string{basicAuth, escapedAuth} {
						if what == "success" || writing == "whole form" || writing == "Basic" && authorization != basicAuth || writing == "escaped Basic" && authorization != escapedAuth {
							continue // a success of the contract, or a quotation of what was not sent
						}
						_, err := rawOn(t, c).IssueM2MTokenWithBody(t.Context(), canaryProject, "application/x-www-form-urlencoded",
							strings.NewReader("grant_type=client_credentials"), withAuthorization(authorization))
						errs = append(errs, err)
					}
					for i, err := range errs {
						if err == nil {
							t.Fatalf("%s: no error from call %d", what, i)
						}
						if shows(err, s) {
							t.Errorf("%s: the error of call %d shows the secret", what, i)
						}
						checkText(t, err)
					}
				}
			})
		}
	}
}

func withAuthorization(value string) gen.RequestEditorFn {
	return func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", value)
		return nil
	}
}

// echoes are the places where a response, or a transport, may quote something.
func echoes(text string) map[string]func() (*http.Response, error) {
	quoted, _ := json.Marshal(text)
	q, escaped := string(quoted), ""
	for _, r := range text {
		if r < 0x10000 {
			escaped += fmt.Sprintf(`\u%04X`, r)
		} else {
			escaped += string(r)
		}
	}
	says := func(status int, body string) func() (*http.Response, error) {
		return func() (*http.Response, error) { return replyJSON(status, body), nil }
	}
	breaks := func(status int) func() (*http.Response, error) {
		return func() (*http.Response, error) {
			r := replyJSON(status, "")
			r.Body, r.ContentLength = io.NopCloser(iotest.ErrReader(errors.New("broken: "+text))), -1
			return r, nil
		}
	}
	return map[string]func() (*http.Response, error){
		"OAuth":        says(400, `{"error":"invalid_request","error_description":`+q+`,"error_uri":`+q+`,"request_id":`+q+`}`),
		"OAuth type":   says(401, `{"error":`+q+`}`),
		"error":        says(400, `{"error_type":"bad_request","error_message":`+q+`,"error_url":`+q+`,"request_id":`+q+`}`),
		"details":      says(400, `{"error_type":"bad_request","error_details":{"sent":[`+q+`],`+q+`:1}}`),
		"escaped":      says(400, `{"error_type":"bad_request","error_details":{"sent":"`+escaped+`"}}`),
		"broken":       says(400, `{"request_id":`+q+`,]`),
		"success":      says(200, `{"request_id":`+q+`,"error":`+q+`,"status_code":200}`),
		"wrong type":   says(200, `{"request_id":`+q+`,"status_code":`+q+`}`),
		"a transport":  func() (*http.Response, error) { return nil, fmt.Errorf("malformed HTTP response %s", text) },
		"a url.Error":  func() (*http.Response, error) { return nil, &url.Error{Op: "Post", URL: text, Err: errors.New(text)} },
		"in the body":  breaks(200),
		"in a refusal": breaks(400),
	}
}

// shows reports whether an error, or anything that reflection finds in it, shows a secret of
// oddSecrets.
func shows(err error, s secret.String) bool {
	text := s.Reveal()
	core := canary(regexp.MustCompile("[A-Z2-7]{26}").FindString(strings.ReplaceAll(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "")))
	for _, p := range printers() {
		if p.name == "panic" {
			continue
		}
		if out := p.print(err); core.in(out) || strings.Contains(out, text) {
			return true
		}
	}
	return false
}

// Of two secrets, of which one begins with the other, both are taken out whole.
func TestOneSecretInAnother(t *testing.T) {
	short, rest := string(newCanary()), newCanary()
	long := short + string(rest)
	c := clientOn(t, always(400, "application/json", `{"error":"invalid_client","error_description":"`+long+` and `+short+`"}`), once())
	_, err := rawOn(t, c).IssueM2MTokenWithBody(t.Context(), canaryProject, "application/x-www-form-urlencoded",
		strings.NewReader("grant_type=client_credentials&client_secret="+short), withAuthorization(basic("a", long)))
	if err == nil || rest.in(err.Error()) || canary(short).in(err.Error()) {
		t.Error("no error, or one that shows a secret")
	}
}

// A number in the details cannot be redacted in place, and stays JSON.
func TestRedactedNumber(t *testing.T) {
	s := secret.New("4815162342")
	c := clientOn(t, always(400, "application/json", `{"error_type":"bad_request","error_details":{"sent":4815162342}}`), once())
	_, err := c.M2M.Secrets.Probe(t.Context(), "a", s)
	var e *stytch.Error
	if !errors.As(err, &e) || string(e.Details) != `"[REDACTED]"` {
		t.Error("no error, or other details")
	}
	checkText(t, err)
}

// FuzzRedactedDetails: what is left of an error's details is JSON that holds the secret of the
// request nowhere.
func FuzzRedactedDetails(f *testing.F) {
	f.Add(`{"sent":["abcdefgh"]}`, "abcdefgh")
	f.Add(`"\u0061bcdefgh"`, "abcdefgh")
	f.Add(`{"a":12345678}`, "12345678")
	f.Add(`["\"\\<>"]`, `"\<>`)
	f.Add(`[true,null,{}]`, "true,null")
	f.Fuzz(func(t *testing.T, details, text string) {
		s := secret.New(text)
		if _, err := secret.Outgoing(s).MarshalJSON(); err != nil || len(text) < 8 || text == "REDACTED" || strings.ContainsAny(text, "[]") || !json.Valid([]byte(details)) {
			return
		}
		_, err := clientOn(t, always(400, "application/json", `{"error_type":"bad_request","error_details":`+details+`}`), once()).M2M.Secrets.Probe(t.Context(), "a", s)
		var e *stytch.Error
		if !errors.As(err, &e) {
			t.Fatal("no typed error")
		}
		var value any
		if e.Details != nil && json.Unmarshal(e.Details, &value) != nil {
			t.Fatal("the details are no JSON")
		}
		if strings.Contains(string(e.Details), text) || holds(value, text) {
			t.Error("the details hold the secret")
		}
	})
}

// holds reports whether a text is in a string of a JSON value.
func holds(value any, text string) bool {
	switch value := value.(type) {
	case string:
		return strings.Contains(value, text)
	case []any:
		return slices.ContainsFunc(value, func(v any) bool { return holds(v, text) })
	case map[string]any:
		for key, v := range value {
			if strings.Contains(key, text) || holds(v, text) {
				return true
			}
		}
	}
	return false
}

// A server that quotes the secret of a request's body does not get it into an error, its details or
// what an observer sees.
func TestEchoedSecretOfTheBody(t *testing.T) {
	canary := secret.Generate()
	quoted := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		quoted++
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"status_code":400,"request_id":"r %[1]s","error_type":"insecure_m2m_client_secret","error_message":"no: %[1]s","error_details":{"sent":"%[1]s"}}`, canary.Reveal())
	}))
	t.Cleanup(server.Close)
	api, err := stytch.New("project-test-a", "secret-test-a", stytch.WithBaseURL(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	check := func(err error) {
		t.Helper()
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary.Reveal()) {
			t.Errorf("no error, or one that shows the secret")
		}
		if e, ok := err.(*stytch.Error); ok && strings.Contains(string(e.Details)+e.Message+e.RequestID, canary.Reveal()) {
			t.Error("a field shows the secret")
		}
	}
	_, err = api.M2M.Create(t.Context(), stytch.M2MCreate{ClientID: "a", ClientSecret: secret.Outgoing(canary), Scopes: []string{"read:users"}})
	check(err)
	raw, err := gen.NewClient(api.BaseURL(), gen.WithHTTPClient(api))
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"a"}, "client_secret": {canary.Reveal()}}
	_, err = raw.IssueM2MTokenWithBody(t.Context(), "project-test-a", "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	check(err)
	if quoted != 2 {
		t.Errorf("%d requests", quoted)
	}
}

// What a secret prints as is never sent in its place.
func TestPlaceholderIsNotSent(t *testing.T) {
	w := always(200, "application/json", success(operation.CreateM2MClient))
	c := clientOn(t, w)
	raw := rawOn(t, c)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"a"}, "client_secret": {secret.New("a-secret").String()}}
	stream := func() io.Reader {
		return io.MultiReader(strings.NewReader(`{"client_name":"`), strings.NewReader(`[REDACTED]"}`))
	}
	for name, call := range map[string]func() error{
		"wrapper": func() error {
			_, err := c.M2M.Update(t.Context(), "a", stytch.M2MUpdate{ClientName: stytch.Set(secret.New("a-secret").String())})
			return err
		},
		"raw JSON": func() error {
			_, err := raw.CreateM2MClientWithBody(t.Context(), "application/json", strings.NewReader(`{"scopes":["a"],"client_secret":"[REDACTED]"}`))
			return err
		},
		"a stream": func() error {
			_, err := raw.UpdateM2MClientWithBody(t.Context(), "a", "application/json", stream())
			return err
		},
		"form": func() error {
			_, err := raw.IssueM2MTokenWithBody(t.Context(), canaryProject, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
			return err
		},
	} {
		if err := call(); !errors.Is(err, stytch.ErrInvalidArgument) || len(w.requests()) != 0 {
			t.Errorf("%s: %d requests, %v", name, len(w.requests()), err)
		}
	}
}
