package token

import (
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/internal/retry"
	"github.com/stytchkit/m2m/stytch/secret"
)

const (
	maxResponse = 64 << 10 // bytes of a token response after decompression
	maxText     = 1 << 10  // bytes of a text from a response or from the network that an error repeats
)

// parseToken reads a 200 response. Its life is counted from when the request was sent, which is a
// little early. The scopes are those that were requested. The error never quotes the response.
func parseToken(header http.Header, body []byte, sent time.Time, requested []string) (issuedToken, error) {
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
		return issuedToken{}, errors.New("content type is not JSON")
	}
	f, err := parseObject(body)
	if err != nil {
		return issuedToken{}, errors.New("body is not one JSON object with distinct names")
	}
	if kind, ok := f.text("error"); !ok || kind != "" {
		return issuedToken{}, errors.New("a 200 response contains an error field")
	}
	value, ok := f.text("access_token")
	if !ok || !isToken(value) {
		return issuedToken{}, errors.New("access_token is missing or not a bearer token")
	}
	if kind, ok := f.text("token_type"); !ok || !strings.EqualFold(kind, "bearer") {
		return issuedToken{}, errors.New("token_type is not bearer")
	}
	scope, ok := f.text("scope")
	if !ok {
		return issuedToken{}, errors.New("scope is not a string")
	}
	claims := readClaims(value)
	if scope == "" {
		scope = claims.scope
	}
	t := issuedToken{Token{Value: secret.New(value), Scopes: requested}, sent}
	if scope != "" {
		t.Scopes = strings.Fields(scope)
	}
	life, known := claims.life(endpointTime(header))
	if f.has("expires_in") {
		n, ok := f.number("expires_in")
		if !ok || n <= 0 {
			return issuedToken{}, errors.New("expires_in is not a positive number")
		}
		life, known = min(life, seconds(n)), true
	}
	if known {
		t.Expiry = sent.Add(life)
	}
	return t, nil
}

// endpointTime is the time by the clock that the token was dated with, if the response says it.
func endpointTime(header http.Header) time.Time {
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		return date
	}
	return time.Now()
}

// isToken follows RFC 6750, section 2.1.
func isToken(s string) bool {
	body := strings.TrimRight(s, "=")
	return body != "" && !strings.ContainsFunc(body, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._~+/", r))
	})
}

// parseError reads both forms of error that Stytch has, and keeps the status whatever the body is.
func parseError(resp *http.Response, body []byte, l login) error {
	decision := retryPolicy.Decide(operation.Billed, retry.Failure{Status: resp.StatusCode})
	e := &Error{StatusCode: resp.StatusCode, retryable: decision.Retry}
	e.RetryAfter, _ = retry.After(resp.Header.Get("Retry-After"), time.Now())
	f, _ := parseObject(body)
	switch kind, _ := f.text("error"); kind {
	case "invalid_client":
		e.kind = ErrInvalidClient
	case "invalid_scope":
		e.kind = ErrInvalidScope
	}
	issued, _ := f.text("access_token") // an error response should have none, but if it does it must not be repeated
	clean := redact.New(l.secret.Reveal(), issued)
	first := func(names ...string) string {
		for _, name := range names {
			if s, _ := f.text(name); s != "" {
				return clean.Line(s, maxText)
			}
		}
		return ""
	}
	e.Type, e.Message, e.RequestID = first("error", "error_type"), first("error_description", "error_message"), first("request_id")
	if e.Type == "" {
		e.invalid = true
		e.Message = strings.TrimPrefix(http.StatusText(resp.StatusCode)+": the body is not an error of Stytch", ": ")
	}
	return e
}
