package token

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/stytchkit/m2m/stytch/secret"
)

// What went wrong, for errors.Is. An answer of Stytch is also an [*Error], which holds the details.
var (
	ErrInvalidArgument = errors.New("token: invalid argument")            // refused before anything was sent
	ErrCredentials     = errors.New("token: credentials cannot be read")  // the file or callback failed
	ErrInvalidClient   = errors.New("token: invalid client")              // Stytch refused the credentials, the second secret included
	ErrInvalidScope    = errors.New("token: invalid scope")               // the client does not hold a scope that was asked for
	ErrRateLimited     = errors.New("token: rate limited")                // 429
	ErrUnavailable     = errors.New("token: endpoint not available")      // 5xx, or no answer at all
	ErrInvalidResponse = errors.New("token: invalid answer")              // not what the contract says: no JSON, a redirect, a lying success
	ErrBudget          = errors.New("token: refused by the token budget") // see [WithBudget]
	ErrClosed          = errors.New("token: source is closed")
)

// Error is a token request that failed: an answer that is no token, or none at all. It holds neither a secret nor a token.
type Error struct {
	StatusCode int           // HTTP status; 0 if there was no answer
	Type       string        // error of an OAuth 2.0 answer, or error_type; "" if the body was not an error of Stytch
	Message    string        // for a developer to read
	RequestID  string        // names the request to Stytch's support; "" if the answer has none
	RetryAfter time.Duration // how long to wait, if the answer says; 0 if not

	kind      error // ErrInvalidClient or ErrInvalidScope, by the type as it came: Type has lost what looks like a secret
	invalid   bool  // ErrInvalidResponse
	retryable bool
	cause     error
}

// Error names the status, the kind and the request id.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("token: ")
	if e.StatusCode != 0 {
		fmt.Fprintf(&b, "%d ", e.StatusCode)
	}
	b.WriteString(strings.TrimSpace(e.Type + " "))
	if e.Message != "" {
		if e.Type != "" {
			b.WriteString(": ")
		}
		b.WriteString(e.Message)
	}
	if e.RequestID != "" {
		b.WriteString(" (request id " + e.RequestID + ")")
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, ", retry after %v", e.RetryAfter)
	}
	return b.String()
}

// Is reports whether target is the sentinel of this kind of answer.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrInvalidResponse:
		return e.invalid
	case ErrUnavailable:
		return e.StatusCode >= 500 || e.StatusCode == 0
	case ErrRateLimited:
		return e.StatusCode == http.StatusTooManyRequests
	}
	return target != nil && target == e.kind
}

// Unwrap is the cause, such as an error of the network or an ended context.
func (e *Error) Unwrap() error { return e.cause }

// argumentError is a fault of the caller, found before anything was sent.
type argumentError struct{ text string }

func (e *argumentError) Error() string        { return e.text }
func (e *argumentError) Is(target error) bool { return target == ErrInvalidArgument }

// invalid names the option, if there is one, and the rule that was broken. It must not be given secrets.
func invalid(where, format string, args ...any) error {
	text := "token: "
	if where != "" {
		text += where + ": "
	}
	return &argumentError{text + fmt.Sprintf(format, args...)}
}

// clean makes a text of the other side fit to print: without the secrets that it may repeat, without what could forge log
// lines, and bounded.
func clean(text string, secrets ...string) string {
	const limit = 1024
	for _, s := range secrets {
		for _, form := range []string{s, url.QueryEscape(s)} {
			if form != "" {
				text = strings.ReplaceAll(text, form, secret.Placeholder)
			}
		}
	}
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "…"
	}
	return text
}
