package token

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/internal/retry"
	"github.com/stytchkit/m2m/stytch/secret"
)

const maxResponse = 64 << 10 // bytes of a token response after decompression

// received is a response. err is that of reading its body.
type received struct {
	status int
	header http.Header
	body   []byte
	err    error
}

// mayBeBilled reports whether a response without a success may come with a bill. A gateway that
// says 500 may do so after the token was issued. Only a refusal costs nothing, and not even that is
// sure if there is a token in it.
func (r *received) mayBeBilled() bool {
	switch r.status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusTooManyRequests:
		return bytes.Contains(r.body, []byte("access_token"))
	}
	return true
}

// parseToken reads a successful response. Its token is paid for, so only what makes the token
// itself doubtful is refused. A life that is not positive leaves a token to hand out once. The life
// is counted from when the request was sent, which is a little early. The error never quotes the
// response.
func parseToken(header http.Header, body []byte, sent time.Time, requested []string) (issuedToken, error) {
	f, err := parseObject(bytes.TrimPrefix(body, []byte("\ufeff")))
	if err != nil {
		return issuedToken{}, errors.New("body is not one JSON object with distinct names")
	}
	if kind, ok := f.text("error"); !ok || kind != "" {
		return issuedToken{}, errors.New("a successful response contains an error field")
	}
	value, ok := f.text("access_token")
	if !ok || !isToken(value) {
		return issuedToken{}, errors.New("access_token is missing or not a bearer token")
	}
	if kind, ok := f.text("token_type"); !ok || kind != "" && !strings.EqualFold(kind, "bearer") {
		return issuedToken{}, errors.New("token_type is not bearer")
	}
	scope, _ := f.text("scope")
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
		if text, isText := f.text("expires_in"); isText {
			whole, err := strconv.ParseUint(text, 10, 64)
			n, ok = float64(whole), err == nil
		}
		if !ok {
			return issuedToken{}, errors.New("expires_in is not a number")
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
func parseError(resp received, clean *redact.Redactor) error {
	decision := retryPolicy.Decide(operation.Billed, retry.Failure{Status: resp.status})
	e := &Error{StatusCode: resp.status, retryable: decision.Retry}
	e.RetryAfter, _ = retry.After(resp.header.Get("Retry-After"), time.Now())
	f, _ := parseObject(resp.body)
	switch kind, _ := f.text("error"); kind {
	case "invalid_client":
		e.kind = ErrInvalidClient
	case "invalid_scope":
		e.kind = ErrInvalidScope
	}
	issued, _ := f.text("access_token") // an error response should have none, but if it does it must not be repeated
	clean = clean.With(issued)
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
		e.Message = strings.TrimPrefix(http.StatusText(resp.status)+": the body is not an error of Stytch", ": ")
	}
	return e
}
