package stytch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
)

// sentinels are all that errors.Is can be asked for. An error is held to the exact set.
var sentinels = map[string]error{
	"ErrInvalidArgument": stytch.ErrInvalidArgument, "ErrOutcomeUnknown": stytch.ErrOutcomeUnknown, "ErrInvalidResponse": stytch.ErrInvalidResponse,
	"ErrInvalidRequest": stytch.ErrInvalidRequest, "ErrUnauthorized": stytch.ErrUnauthorized, "ErrForbidden": stytch.ErrForbidden,
	"ErrNotFound": stytch.ErrNotFound, "ErrAlreadyExists": stytch.ErrAlreadyExists, "ErrRotating": stytch.ErrRotating,
	"ErrNotRotating": stytch.ErrNotRotating, "ErrNoSecret": stytch.ErrNoSecret, "ErrRateLimited": stytch.ErrRateLimited,
	"ErrUnavailable": stytch.ErrUnavailable, "ErrInactive": stytch.ErrInactive,
}

// checkSentinels holds an error to the exact set of sentinels, named in one text.
func checkSentinels(t *testing.T, err error, want string) {
	t.Helper()
	for name, sentinel := range sentinels {
		if got, want := errors.Is(err, sentinel), strings.Contains(" "+want+" ", " "+name+" "); got != want {
			t.Errorf("errors.Is %s = %t, want %t", name, got, want)
		}
	}
}

// checkText holds an error's text, and all that leads to it, to what may be printed.
func checkText(t *testing.T, err error) {
	t.Helper()
	var texts []string
	for _, format := range []string{"%v", "%+v", "%s", "%q", "%x"} {
		texts = append(texts, fmt.Sprintf(format, err))
	}
	if len(texts[0]) > 4<<10 {
		t.Errorf("the text has %d bytes", len(texts[0]))
	}
	if !utf8.ValidString(texts[0]) || strings.ContainsFunc(texts[0], func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Error("the text has characters that are not printable")
	}
	var failure *stytch.Error
	if errors.As(err, &failure) {
		encoded, encodeErr := json.Marshal(failure)
		texts = append(texts, string(encoded), failure.Type, failure.Message, failure.RequestID, failure.URL, string(failure.Details))
		if encodeErr != nil {
			t.Errorf("the error does not encode: %v", encodeErr)
		}
	}
	for _, text := range texts {
		if quotes(text) {
			t.Error("the text quotes the project's credentials")
		}
	}
}

// lie is a response and what must be left of it. Fields that are empty in want must be empty in the
// error.
type lie struct {
	name        string
	status      int
	contentType string
	body        string
	want        stytch.Error
	is          string // besides ErrOutcomeUnknown, which depends on the operation
	ambiguous   bool   // the request may have been processed
}

func lies() []lie {
	const html = "<html><body>502 Bad Gateway</body></html>"
	ok := func(payload string) string {
		return `{` + payload + `"request_id":"` + requestIDText + `","status_code":200}`
	}
	return []lie{
		{"HTML 502", 502, "text/html", html, stytch.Error{}, "ErrInvalidResponse ErrUnavailable", true},
		{"empty 500", 500, "", "", stytch.Error{}, "ErrInvalidResponse ErrUnavailable", true},
		{"a status without a name", 520, "text/html", html, stytch.Error{}, "ErrInvalidResponse ErrUnavailable", true},
		{"garbage in JSON's clothes", 500, "application/json", "{]", stytch.Error{}, "ErrInvalidResponse ErrUnavailable", true},
		{"garbage after a request id", 500, "application/json", `{"request_id":"` + requestIDText + `","x":]`, stytch.Error{RequestID: requestIDText}, "ErrInvalidResponse ErrUnavailable", true},
		{"cut off error", 400, "application/json", errorJSON(400, "bad_request")[:100], stytch.Error{RequestID: requestIDText}, "ErrInvalidResponse", false},
		{"null error", 404, "application/json", "null", stytch.Error{}, "ErrInvalidResponse", false},
		{"empty object", 404, "application/json", "{}", stytch.Error{}, "ErrInvalidResponse", false},
		{"array", 404, "application/json", `[{"error_type":"m2m_client_not_found"}]`, stytch.Error{}, "ErrInvalidResponse", false},
		{"string", 404, "application/json", `"m2m_client_not_found"`, stytch.Error{}, "ErrInvalidResponse", false},
		{"HTML 404", 404, "text/html", html, stytch.Error{}, "ErrInvalidResponse", false},
		{"HTML 400", 400, "text/html", html, stytch.Error{}, "ErrInvalidResponse", false},
		{"HTML 429", 429, "text/html", html, stytch.Error{}, "ErrInvalidResponse ErrRateLimited", false},
		{"an error of another server", 403, "application/json", `{"error":{"code":403},"message":"no"}`, stytch.Error{}, "ErrInvalidResponse", false},
		{"wrong types in an error", 404, "application/json", `{"status_code":"404","request_id":"` + requestIDText + `","error_type":"m2m_client_not_found","error_message":7,"error_url":[]}`,
			stytch.Error{Type: "m2m_client_not_found", RequestID: requestIDText}, "ErrNotFound", false},
		{"an error type of a wrong type", 404, "application/json", `{"status_code":404,"request_id":"` + requestIDText + `","error_type":404,"error_message":"A message."}`,
			stytch.Error{RequestID: requestIDText}, "ErrInvalidResponse", false},
		{"an error without a content type", 404, "", errorJSON(404, "m2m_client_not_found"), stytch.Error{Type: "m2m_client_not_found", Message: "A message.", RequestID: requestIDText, URL: "https://stytch.com/docs/api/errors/404#m2m_client_not_found"}, "ErrNotFound", false},
		{"OAuth", 400, "application/json", `{"status_code":400,"request_id":"` + requestIDText + `","error":"invalid_client","error_description":"A message.","error_uri":"https://stytch.com/docs"}`,
			stytch.Error{Type: "invalid_client", Message: "A message.", RequestID: requestIDText, URL: "https://stytch.com/docs"}, "ErrUnauthorized", false},
		{"OAuth 401", 401, "application/json", `{"error":"invalid_client"}`, stytch.Error{Type: "invalid_client"}, "ErrUnauthorized", false},
		{"both shapes", 400, "application/json", `{"error_type":"bad_request","error":"invalid_client","error_message":"A message.","error_description":"no"}`,
			stytch.Error{Type: "bad_request", Message: "A message."}, "ErrInvalidRequest", false},

		{"201 without a body", 201, "application/json", "", stytch.Error{}, "ErrInvalidResponse", true},
		{"202", 202, "application/json", ok(""), stytch.Error{RequestID: requestIDText}, "ErrInvalidResponse", true},
		{"204", 204, "", "", stytch.Error{}, "ErrInvalidResponse", true},
		{"206", 206, "application/json", ok(""), stytch.Error{RequestID: requestIDText}, "ErrInvalidResponse", true},
		{"200 text/html", 200, "text/html", html, stytch.Error{}, "ErrInvalidResponse", true},
		{"200 text/html that is JSON", 200, "text/html", ok(""), stytch.Error{RequestID: requestIDText}, "ErrInvalidResponse", true},
		{"200 without a content type", 200, "", ok(""), stytch.Error{RequestID: requestIDText}, "ErrInvalidResponse", true},
		{"200 with a bad content type", 200, "application/json/;;", ok(""), stytch.Error{RequestID: requestIDText}, "ErrInvalidResponse", true},
		{"200 jsonp", 200, "application/javascript", "f(" + ok("") + ")", stytch.Error{}, "ErrInvalidResponse", true},
		{"200 empty", 200, "application/json", "", stytch.Error{}, "ErrInvalidResponse", true},
		{"200 null", 200, "application/json", " null ", stytch.Error{}, "ErrInvalidResponse", true},
		{"200 array", 200, "application/json", "[]", stytch.Error{}, "ErrInvalidResponse", true},
		{"200 string", 200, "application/json", `"ok"`, stytch.Error{}, "ErrInvalidResponse", true},
		{"200 garbage", 200, "application/json", `{"request_id":"` + requestIDText + `"]`, stytch.Error{RequestID: requestIDText}, "ErrInvalidResponse", true},
		{"200 cut off JSON", 200, "application/json", `{"request_id":"` + requestIDText + `","status_code":200,"m2m_client":{"client_id":"a`, stytch.Error{RequestID: requestIDText}, "ErrInvalidResponse", true},
		{"200 and more", 200, "application/json", ok("") + "{}", stytch.Error{RequestID: requestIDText}, "ErrInvalidResponse", true},
		{"200 with wrong types", 200, "application/json", `{"m2m_client":"a","connected_app":[],"m2m_clients":{},"connected_apps":1,"client_id":{},"keys":"k","access_token":1,"issuer":7,"request_id":"` + requestIDText + `","status_code":200}`,
			stytch.Error{RequestID: requestIDText}, "ErrInvalidResponse", true},
		{"200 with a status in words", 200, "application/json", `{"request_id":"` + requestIDText + `","status_code":"200"}`, stytch.Error{RequestID: requestIDText}, "ErrInvalidResponse", true},
		{"200 with a huge number", 200, "application/json", `{"request_id":"` + requestIDText + `","status_code":` + strings.Repeat("9", 1<<16) + `}`, stytch.Error{RequestID: requestIDText}, "ErrInvalidResponse", true},
	}
}

// managementLies are lies that only the management API can be caught at: token responses need no
// status_code.
func managementLies() []lie {
	return []lie{
		{"200 empty object", 200, "application/json", "{}", stytch.Error{}, "ErrInvalidResponse", true},
		{"200 of another server", 200, "application/json", `{"ok":true}`, stytch.Error{}, "ErrInvalidResponse", true},
		{"200 that says 404", 200, "application/json", errorJSON(404, "m2m_client_not_found"), stytch.Error{RequestID: requestIDText}, "ErrInvalidResponse", true},
		{"201 that says null", 201, "application/json", `{"request_id":"` + requestIDText + `","status_code":null}`, stytch.Error{RequestID: requestIDText}, "ErrInvalidResponse", true},
	}
}

func TestLies(t *testing.T) {
	eachWayOf(t, endpoints, func(t *testing.T, e endpoint, call func(context.Context, *stytch.Client, string) error) {
		list := lies()
		if e.op.ProjectAuth {
			list = append(list, managementLies()...)
		}
		for _, l := range list {
			if l.name == "200 with wrong types" && strings.HasPrefix(e.op.ID, "RevokeToken") {
				continue // its response has no field of its own
			}
			t.Run(l.name, func(t *testing.T) {
				err := call(t.Context(), clientOn(t, always(l.status, l.contentType, l.body), once()), "a")
				var got *stytch.Error
				if !errors.As(err, &got) {
					t.Fatalf("%v", err)
				}
				if got.StatusCode != l.status || got.Operation != e.op.ID || got.Attempts != 1 {
					t.Errorf("status %d, operation %s, %d attempts", got.StatusCode, got.Operation, got.Attempts)
				}
				if got.Type != l.want.Type || got.RequestID != l.want.RequestID || got.URL != l.want.URL {
					t.Errorf("type %q, request id %q, URL %q", got.Type, got.RequestID, got.URL)
				}
				if l.want.Type != "" && got.Message != l.want.Message || l.want.Type == "" && (got.Message == "" || strings.HasPrefix(got.Message, ",")) {
					t.Errorf("message %q", got.Message)
				}
				is := l.is
				if l.ambiguous && e.op.Safety == operation.ShownOnce {
					is += " ErrOutcomeUnknown"
				}
				checkSentinels(t, err, is)
				checkText(t, err)
				if text := err.Error(); !strings.Contains(text, fmt.Sprint(l.status)) || !strings.Contains(text, e.op.ID) || !strings.Contains(text, l.want.RequestID) {
					t.Errorf("%q does not say status, operation and request id", text)
				}
			})
		}
	})
}

// Every name of the contract's catalog that a sentinel stands for, and what stands for the rest.
func TestSentinels(t *testing.T) {
	for _, c := range []struct {
		status   int
		kind, is string
	}{
		{400, "bad_request", "ErrInvalidRequest"}, {400, "invalid_m2m_client_scope", "ErrInvalidRequest"}, {400, "a_new_one", "ErrInvalidRequest"},
		{400, "duplicate_m2m_client_id", "ErrAlreadyExists"}, {409, "duplicate_m2m_client_id", "ErrAlreadyExists"},
		{400, "m2m_client_already_rotating_secret", "ErrRotating"}, {400, "connected_app_already_rotating_secret", "ErrRotating"},
		{400, "m2m_client_not_rotating_secret", "ErrNotRotating"}, {400, "connected_app_not_rotating_secret", "ErrNotRotating"},
		{400, "public_connected_apps_do_not_have_secrets", "ErrNoSecret"},
		{400, "invalid_client", "ErrUnauthorized"}, {401, "invalid_client", "ErrUnauthorized"}, {401, "unauthorized_credentials", "ErrUnauthorized"},
		{403, "use_https", "ErrForbidden"}, {404, "m2m_client_not_found", "ErrNotFound"}, {404, "connected_app_not_found", "ErrNotFound"},
		{404, "route_not_found", "ErrInvalidRequest"}, {409, "a_conflict", ""}, {418, "teapot", ""},
		{429, "too_many_requests", "ErrRateLimited"}, {500, "internal_server_error", "ErrUnavailable"}, {501, "x", "ErrUnavailable"}, {503, "x", "ErrUnavailable"},
	} {
		t.Run(fmt.Sprint(c.status, " ", c.kind), func(t *testing.T) {
			_, err := clientOn(t, always(c.status, "application/json", errorJSON(c.status, c.kind)), once()).M2M.Get(t.Context(), "a")
			var got *stytch.Error
			if !errors.As(err, &got) || got.Type != c.kind {
				t.Fatalf("%v", err)
			}
			checkSentinels(t, err, c.is)
		})
	}
}

// The token endpoint reports a rate limit in the normal shape. Its type must not be lost.
func TestRateLimitAtTheTokenEndpoint(t *testing.T) {
	w := &wire{respond: func(int, *http.Request) (*http.Response, error) {
		resp := replyJSON(429, errorJSON(429, "too_many_requests"))
		resp.Header.Set("Retry-After", "7")
		return resp, nil
	}}
	_, err := rawOn(t, clientOn(t, w, once())).IssueM2MToken(t.Context(), canaryProject, tokenRequest)
	var got *stytch.Error
	if !errors.As(err, &got) || got.Type != "too_many_requests" || got.RequestID != requestIDText || got.RetryAfter != 7*time.Second {
		t.Fatalf("%v", err)
	}
	checkSentinels(t, err, "ErrRateLimited")
	if !strings.Contains(err.Error(), "retry after 7s") {
		t.Errorf("%v", err)
	}
}

func TestDetails(t *testing.T) {
	for details, want := range map[string]string{`{"a":[1,2.50]}`: `{"a":[1,2.50]}`, `null`: ``, `"x"`: `"x"`, `{"said":"` + canarySecret + `"}`: `{"said":"[REDACTED]"}`} {
		body := `{"error_type":"bad_request","error_details":` + details + `}`
		_, err := clientOn(t, always(400, "application/json", body), once()).M2M.Get(t.Context(), "a")
		var got *stytch.Error
		if !errors.As(err, &got) || string(got.Details) != want {
			t.Errorf("details are not %s", want)
		}
		checkText(t, err)
	}
}

// Whatever the other side writes, what the request proved its sender by is not repeated, and a line
// stays a line.
func TestServerTexts(t *testing.T) {
	evil := []string{
		canarySecret, "Basic " + canaryHeader, canaryHeader, "a " + canarySecret + "b" + canarySecret, strings.Repeat("x", 1010) + canarySecret,
		"line\nstytch: forged", "a\r\n\x1b[31mred\x00\x7f", "\u2028\u2029\u0085", "\u202egnol", "\xff\xfe", strings.Repeat("ä", 1<<20), strings.Repeat("\x01", 1<<20),
	}
	for _, text := range evil {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		q := string(quoted)
		for name, body := range map[string]string{
			"error":   `{"error_type":"bad_request","error_message":` + q + `,"request_id":` + q + `,"error_url":` + q + `}`,
			"type":    `{"error_type":` + q + `}`,
			"OAuth":   `{"error":"invalid_client","error_description":` + q + `,"error_uri":` + q + `}`,
			"request": `{"request_id":` + q + `]`,
			"plain":   text,
		} {
			for _, status := range []int{200, 400, 503} {
				var seen stytch.Attempt
				var response stytch.Response
				c := clientOn(t, always(status, "application/json", body), once(), stytch.WithObserver(func(_ context.Context, a stytch.Attempt) { seen = a }))
				_, err := c.M2M.Get(stytch.WithResponse(t.Context(), &response), "a")
				var got *stytch.Error
				if !errors.As(err, &got) || got.StatusCode != status {
					t.Fatalf("%s %d: no typed error", name, status)
				}
				checkText(t, err)
				if quotes(fmt.Sprint(seen, response)) {
					t.Errorf("%s %d: the observer or the response shows a secret", name, status)
				}
			}
		}
	}
	// A transport's error may quote what the server sent.
	for _, text := range evil {
		w := &wire{respond: func(int, *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("malformed HTTP response %q %s", text, text)
		}}
		_, err := clientOn(t, w, once()).M2M.Get(t.Context(), "a")
		if err == nil {
			t.Fatal("no error")
		}
		checkText(t, err)
	}
}

// At the token endpoint, the credentials are the caller's.
func TestCallersCredentialsAreNotQuoted(t *testing.T) {
	authorization := basic("client", "client-canary-77")
	body := `{"error":"invalid_client","error_description":"client-canary-77 of ` + authorization + ` is wrong"}`
	c := clientOn(t, always(400, "application/json", body), once())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.BaseURL()+"/v1/public/p/oauth2/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", authorization)
	_, err = c.Do(req)
	if err == nil || strings.Contains(err.Error(), "canary-77") || strings.Contains(err.Error(), strings.TrimPrefix(authorization, "Basic ")) {
		t.Error("no error, or one that quotes the caller's credentials")
	}
}
