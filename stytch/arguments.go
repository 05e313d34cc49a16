package stytch

import (
	"encoding/json"
	"fmt"

	"github.com/stytchkit/m2m/internal/operation"
)

// argumentError is a mistake of the caller, found before anything was sent.
type argumentError struct{ text string }

func (e *argumentError) Error() string        { return e.text }
func (e *argumentError) Is(target error) bool { return target == ErrInvalidArgument }
func (e *argumentError) OutcomeUnknown() bool { return false } // see Error.OutcomeUnknown

// invalid names the operation or option, if there is one, and the rule that was broken. It must not
// be given secrets.
func invalid(where, format string, args ...any) error {
	text := "stytch: "
	if where != "" {
		text += where + ": "
	}
	return &argumentError{text + fmt.Sprintf(format, args...)}
}

func checkClientID(op *operation.Operation, id string) error {
	if err := operation.CheckID(id); err != nil {
		return invalid(op.ID, "client id %v", err)
	}
	return nil
}

func checkMetadata(op *operation.Operation, m Metadata) error {
	if text, err := m.MarshalJSON(); err != nil || !json.Valid(text) {
		return invalid(op.ID, "TrustedMetadata must be a JSON object")
	}
	return nil
}
