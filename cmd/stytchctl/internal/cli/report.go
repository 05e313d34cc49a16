package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/token"
)

// maxMessage bounds what a server can make us print.
const maxMessage = 4 << 10

type report struct {
	Class     Class           `json:"class"`
	Type      string          `json:"type,omitempty"`
	Status    int             `json:"status,omitempty"`
	RequestID string          `json:"request_id,omitempty"`
	Message   string          `json:"message"`
	Details   json.RawMessage `json:"details,omitempty"`
}

// Report prints an error to stderr, as text or as one line of JSON, and returns the exit code. It
// prints nothing if the only failure is that the reader of stdout went away.
func (a *App) Report(err error) int {
	if err = withoutBrokenPipe(err); err == nil {
		return 0
	}
	class := Classify(err)
	message := err.Error()
	if errors.Is(err, context.DeadlineExceeded) && a.overdue != nil && a.overdue() && !strings.Contains(message, "--timeout") {
		message += ". The time of --timeout is over."
	}
	if a.Machine() {
		r := report{Class: class, Message: redact.Printable(message, maxMessage)}
		r.describe(err)
		line, _ := json.Marshal(map[string]report{"error": r}) // strings and valid JSON: it cannot fail
		fmt.Fprintf(a.Err, "%s\n", line)
		return class.ExitCode()
	}
	label := "error:"
	if text, ok := strings.CutPrefix(message, refused); ok { // a verdict, not a failure
		label, message = strings.TrimSpace(refused), text
	}
	a.say(a.paint(a.Err, red, label)+" ", message)
	return class.ExitCode()
}

// refused begins the message of a verdict on a token.
const refused = "refused: "

// describe takes what programs need from a response, or from the error of a command.
func (r *report) describe(err error) {
	var response *stytch.Error
	if errors.As(err, &response) {
		r.Type, r.Status, r.RequestID, r.Details = response.Type, response.StatusCode, response.RequestID, response.Details
	}
	var issuing *token.Error
	if errors.As(err, &issuing) {
		r.Type, r.Status, r.RequestID = issuing.Type, issuing.StatusCode, issuing.RequestID
	}
	var own *Error
	if !errors.As(err, &own) {
		return
	}
	if own.Type != "" {
		r.Type = own.Type
	}
	if own.Details != nil {
		r.Details, _ = json.Marshal(own.Details) // what cannot be encoded is left out
	}
}

// Note prints a line for people on stderr, unless -q was given.
func (a *App) Note(format string, args ...any) {
	if !a.Flags.Quiet {
		a.say("", fmt.Sprintf(format, args...))
	}
}

// Warn prints a line on stderr that -q does not suppress.
func (a *App) Warn(format string, args ...any) {
	a.say(a.paint(a.Err, yellow, "warning:")+" ", fmt.Sprintf(format, args...))
}

// say prints lines on stderr. A server or a file may have chosen parts of them, which must not act
// on a terminal.
func (a *App) say(label, text string) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = redact.Printable(line, maxMessage)
	}
	fmt.Fprintf(a.Err, "%s%s\n", label, strings.Join(lines, "\n"))
}
