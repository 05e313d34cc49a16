package token

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/operation"
)

// Causes of a failure, for errors.Is. A response that holds no token is also an [*Error], with
// details.
var (
	// ErrInvalidArgument: an argument or option was refused before anything was sent.
	ErrInvalidArgument = errors.New("token: invalid argument")

	// ErrCredentials: the [Credentials] failed, or returned an id or secret that breaks a rule.
	ErrCredentials = errors.New("token: credentials: cannot be used")

	ErrInvalidClient   = errors.New("token: invalid client")       // Stytch refused the client and every secret of it
	ErrInvalidScope    = errors.New("token: invalid scope")        // the client does not have a requested scope
	ErrRateLimited     = errors.New("token: rate limited")         // 429
	ErrUnavailable     = errors.New("token: endpoint unavailable") // 5xx, or no response
	ErrInvalidResponse = errors.New("token: invalid response")     // breaks the contract: not JSON, a redirect, a success without a token

	// ErrBudget: the request was not sent, because [WithBudget] allows no more in this hour. It is
	// also a [*BudgetError], with the time when it allows the next one.
	ErrBudget = errors.New("token: budget used up")

	// ErrClosed: [Source.Close] was called.
	ErrClosed = errors.New("token: source is closed")
)

// Error is a token request that failed: the response holds no token, or there was none. It holds no
// secret and no token.
type Error struct {
	StatusCode int           // HTTP status; 0 if there was no response
	Type       string        // error of an OAuth 2.0 response, or error_type; "" if the body is not an error of Stytch
	Message    string        // for a developer to read
	RequestID  string        // identifies the request to Stytch's support; "" if the response has none
	RetryAfter time.Duration // how long to wait, if the response says; 0 if not

	kind      error // ErrInvalidClient or ErrInvalidScope, by the type before it was redacted
	invalid   bool  // ErrInvalidResponse
	retryable bool
	cause     error
}

// Error names the status, the type and the request id, and says what to do.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("token: " + operation.IssueM2MToken.ID + ":")
	if e.StatusCode != 0 {
		fmt.Fprintf(&b, " %d", e.StatusCode)
	}
	if e.Type != "" {
		b.WriteString(" " + e.Type)
	}
	if e.Message != "" {
		if e.StatusCode != 0 {
			b.WriteString(":")
		}
		b.WriteString(" " + e.Message)
	}
	if e.RequestID != "" {
		b.WriteString(" (request id " + e.RequestID + ")")
	}
	if advice := e.advice(); advice != "" {
		b.WriteString(": " + advice)
	}
	return b.String()
}

func (e *Error) advice() string {
	switch {
	case e.RetryAfter > 0:
		return fmt.Sprintf("retry after %v", e.RetryAfter)
	case errors.Is(e.kind, ErrInvalidClient):
		return "check the client id and secret, and that the client is active"
	case errors.Is(e.kind, ErrInvalidScope):
		return "request only scopes that the client has"
	case e.invalid && e.StatusCode < http.StatusInternalServerError:
		return "check the base URL and any proxy"
	}
	return ""
}

// Is reports whether target is a sentinel that describes this error.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrInvalidResponse:
		return e.invalid
	case ErrUnavailable:
		return e.StatusCode >= http.StatusInternalServerError || e.StatusCode == 0
	case ErrRateLimited:
		return e.StatusCode == http.StatusTooManyRequests
	}
	return target != nil && target == e.kind
}

// Unwrap returns the cause, such as a network error.
func (e *Error) Unwrap() error { return e.cause }

// BudgetError is an [ErrBudget] with what a caller needs to plan its next try.
type BudgetError struct {
	PerHour int       // the budget
	Until   time.Time // when the oldest request of the last hour leaves it
}

// Error names the budget and says what to do.
func (e *BudgetError) Error() string {
	return fmt.Sprintf("%v: %d in the last hour: raise WithBudget, or find out what requests so many", ErrBudget, e.PerHour)
}

// Unwrap returns [ErrBudget].
func (e *BudgetError) Unwrap() error { return ErrBudget }

// argumentError is a mistake of the caller, found before anything was sent.
type argumentError struct{ text string }

func (e *argumentError) Error() string        { return e.text }
func (e *argumentError) Is(target error) bool { return target == ErrInvalidArgument }

// invalid names the function or option, and the rule that its argument breaks. It must not be given
// secrets.
func invalid(where, format string, args ...any) error {
	return &argumentError{"token: " + where + ": " + fmt.Sprintf(format, args...)}
}
