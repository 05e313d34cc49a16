package stytch

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Kinds of errors, for errors.Is. An error response of Stytch is also an [*Error], which has the
// details.
var (
	// ErrInvalidArgument: the call or option was refused, and nothing was sent.
	ErrInvalidArgument = errors.New("stytch: invalid argument")

	// ErrOutcomeUnknown: the request may have taken effect, but its response was lost. Do not just
	// repeat it; the text of the error says how to find out. errors.Is and errors.As also find the
	// cause.
	ErrOutcomeUnknown = errors.New("stytch: outcome unknown")

	// ErrInvalidResponse: the response is not what the contract says: not JSON, cut off, too large,
	// a redirect. It may come from a proxy or gateway instead of Stytch.
	ErrInvalidResponse = errors.New("stytch: invalid response")

	ErrInvalidRequest = errors.New("stytch: invalid request") // 400, unless another error below applies
	ErrUnauthorized   = errors.New("stytch: unauthorized")    // 401, or invalid_client at the token endpoint
	ErrForbidden      = errors.New("stytch: forbidden")       // 403
	ErrNotFound       = errors.New("stytch: not found")       // 404
	ErrAlreadyExists  = errors.New("stytch: already exists")  // the client_id is taken
	ErrRotating       = errors.New("stytch: already rotating")
	ErrNotRotating    = errors.New("stytch: not rotating")
	ErrNoSecret       = errors.New("stytch: has no secret")      // a public Connected App
	ErrInactive       = errors.New("stytch: client is inactive") // its secrets are refused, valid or not
	ErrRateLimited    = errors.New("stytch: rate limited")       // 429
	ErrUnavailable    = errors.New("stytch: not available")      // 5xx
)

// Error is a response that is not a success, from Stytch or from a proxy on the way. Operation and
// StatusCode are always set, whatever the body is. It contains no secret and no part of the
// request.
type Error struct {
	Operation  string // operationId of the contract, such as GetM2MClient
	StatusCode int    // HTTP status
	Type       string // error_type, or error of an OAuth 2.0 response; "" if the body is not a Stytch error
	Message    string // for developers
	RequestID  string // identifies the request to Stytch's support; "" if the response has none
	URL        string // of the documentation of the error

	Details    json.RawMessage // error_details; nil if there are none
	RetryAfter time.Duration   // how long the response asks to wait; 0 if it does not
	Attempts   int             // requests that the call made

	kind           error // ErrInvalidResponse, or nil
	outcomeUnknown bool
	mayHaveWorked  bool // an earlier attempt may have taken effect
	secretShown    bool // the response shows a secret all the same
	cause          error
}

// Error names the operation, the status, the kind and the request id.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "stytch: %s: %d", e.Operation, e.StatusCode)
	if e.Type != "" {
		b.WriteString(" " + e.Type)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.RequestID != "" {
		b.WriteString(" (request id " + e.RequestID + ")")
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, ", retry after %v", e.RetryAfter)
	}
	if e.outcomeUnknown {
		b.WriteString(": outcome unknown: " + advice(e.Operation))
	}
	if e.secretShown {
		b.WriteString(": the operation took effect, and what it shows once is returned beside this error: store it")
	}
	return b.String()
}

// Is reports whether target is the kind of this error.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrInvalidResponse:
		return e.kind == ErrInvalidResponse
	case ErrOutcomeUnknown:
		return e.outcomeUnknown
	case ErrUnavailable:
		return e.StatusCode >= 500
	case ErrRateLimited:
		return e.StatusCode == http.StatusTooManyRequests
	}
	// Below 500 only an error of Stytch itself counts: the 404 page of a proxy does not mean that a
	// client does not exist.
	return e.kind == nil && target != nil && target == e.category()
}

// category is the most specific kind of a Stytch error below 500.
func (e *Error) category() error {
	if sentinel, ok := sentinels[e.Type]; ok {
		return sentinel
	}
	switch e.StatusCode {
	case http.StatusBadRequest:
		return ErrInvalidRequest
	case http.StatusUnauthorized:
		return ErrUnauthorized
	case http.StatusForbidden:
		return ErrForbidden
	case http.StatusNotFound:
		return ErrNotFound
	}
	return nil
}

var sentinels = map[string]error{
	"route_not_found":                           ErrInvalidRequest, // a wrong base URL, not a missing client
	"duplicate_m2m_client_id":                   ErrAlreadyExists,
	"m2m_client_already_rotating_secret":        ErrRotating,
	"connected_app_already_rotating_secret":     ErrRotating,
	"m2m_client_not_rotating_secret":            ErrNotRotating,
	"connected_app_not_rotating_secret":         ErrNotRotating,
	"public_connected_apps_do_not_have_secrets": ErrNoSecret,
	"invalid_client":                            ErrUnauthorized,
}

// Unwrap is the cause, such as a decoding error or an ended context.
func (e *Error) Unwrap() error { return e.cause }

// OutcomeUnknown reports whether the error is [ErrOutcomeUnknown]. Package rotate, which does not
// import this one, calls it.
func (e *Error) OutcomeUnknown() bool { return e.outcomeUnknown }

// Throttled reports whether the error is [ErrRateLimited], and returns RetryAfter. Package rotate
// calls it.
func (e *Error) Throttled() (wait time.Duration, ok bool) {
	return e.RetryAfter, e.StatusCode == http.StatusTooManyRequests
}

// Gone reports whether Stytch has no such client, or no secret for it: a call about its secrets can
// never succeed. Package rotate calls it.
func (e *Error) Gone() bool {
	switch e.Type {
	case "m2m_client_not_found", "connected_app_not_found", "public_connected_apps_do_not_have_secrets":
		return e.kind == nil && e.StatusCode < 500
	}
	return false
}

// callError is a call without any response.
type callError struct {
	operation      string
	attempts       int
	outcomeUnknown bool
	text           string // replaces the text of cause, if not empty
	cause          error
}

func (e *callError) what() string {
	if e.text != "" {
		return e.text
	}
	return e.cause.Error()
}

func (e *callError) Error() string {
	text := fmt.Sprintf("stytch: %s: %s", e.operation, e.what())
	if e.attempts > 1 {
		text += fmt.Sprintf(" (after %d attempts)", e.attempts)
	}
	if e.outcomeUnknown {
		text += ": outcome unknown: " + advice(e.operation)
	}
	return text
}

func (e *callError) Is(target error) bool { return e.outcomeUnknown && target == ErrOutcomeUnknown }
func (e *callError) Unwrap() error        { return e.cause }
func (e *callError) OutcomeUnknown() bool { return e.outcomeUnknown } // see Error.OutcomeUnknown

// advice is how to find out what became of an operation whose response was lost.
func advice(operation string) string {
	switch {
	case operation == "CreateM2MClient":
		return "the client may exist: if the request had client_id and client_secret, call Create again with the same ones; otherwise search for the client by name, then delete it or rotate its secret"
	case operation == "RegisterConnectedApp":
		return "the app may exist: register again with the same metadata; a public app then gets the same id, and of a confidential one the project deletes the first, whose secret is lost"
	case operation == "CreateConnectedApp":
		return "the app may exist, but its secret is lost: search for the app, then delete it or rotate its secret"
	case strings.HasPrefix(operation, "Start"):
		return "a next secret may exist, but it is lost: call Secrets.LastFour; if it reports one, call Cancel, then Start again"
	case strings.HasPrefix(operation, "Complete"):
		return "call Secrets.LastFour: if it reports no next secret, the rotation was completed or canceled, and a token request proves which secret works"
	case strings.HasPrefix(operation, "Cancel"):
		return "call Secrets.LastFour: if it reports no next secret, the rotation was canceled or completed, and a token request proves which secret works"
	}
	return "read the current state before you repeat it"
}

// retryAfter is the status of a response and how long it asks to wait.
func retryAfter(err error) (status int, wait time.Duration) {
	if e, ok := err.(*Error); ok {
		return e.StatusCode, e.RetryAfter
	}
	return 0, 0
}

// annotate completes the error of an attempt with what only its call knows.
func annotate(err error, attempts int, outcomeUnknown, mayHaveWorked bool) {
	switch e := err.(type) {
	case *Error:
		e.Attempts, e.outcomeUnknown, e.mayHaveWorked = attempts, outcomeUnknown, mayHaveWorked
	case *callError:
		e.attempts, e.outcomeUnknown = attempts, outcomeUnknown
	}
}

// markShown says that the response of an error shows a secret all the same.
func markShown(err error) {
	if e, ok := err.(*Error); ok {
		e.secretShown = true
	}
}

// withCause adds the end of the context to an error, for errors.Is, and keeps the response before
// it. It changes a copy, because an observer may hold the error.
func withCause(err, cause error) error {
	switch e := err.(type) {
	case *Error:
		withCause := *e
		withCause.cause = cause
		return &withCause
	case *callError:
		withCause := *e
		withCause.text, withCause.cause = e.what(), errors.Join(e.cause, cause)
		return &withCause
	}
	return err
}
