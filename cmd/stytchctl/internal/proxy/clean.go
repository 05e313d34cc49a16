package proxy

import (
	"errors"
	"net/http"
	"net/textproto"
	"regexp"
	"strings"

	"github.com/stytchkit/m2m/internal/redact"
)

const maxErrorText = 500 // bytes of an error in the log

// quoted are the pieces of an error that repeat what a peer sent. An upstream that returns what it
// was sent, as an echo server does, makes them a piece of the request.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// cleanError is an error of an upstream without what the upstream said. What it is, errors.As still
// finds.
type cleanError struct {
	text  string
	cause error
}

func (e *cleanError) Error() string { return e.text }
func (e *cleanError) Unwrap() error { return e.cause }

// cleaned makes an error fit for the log: without the token of the request, and without any other
// piece of request or response.
func cleaned(err error, req *http.Request) error {
	var malformed textproto.ProtocolError
	if errors.As(err, &malformed) { // it repeats a line without quotation marks
		return &cleanError{"the response is not HTTP: a header is malformed", err}
	}
	secrets := []string{req.URL.RequestURI()}
	for _, value := range req.Header["Authorization"] {
		secrets = append(secrets, strings.TrimPrefix(value, "Bearer "))
	}
	return &cleanError{cleanText(err.Error(), secrets...), err}
}

func cleanText(text string, secrets ...string) string {
	return redact.New(secrets...).Line(quoted.ReplaceAllString(text, `"…"`), maxErrorText)
}
