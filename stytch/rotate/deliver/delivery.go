package deliver

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/stytchkit/m2m/internal/credentials"
	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// Errors, for errors.Is.
var (
	// ErrInvalidArgument: the configuration, the client id or the delivery is not valid. Nothing
	// was read or written.
	ErrInvalidArgument = rotate.ErrInvalidArgument
	// ErrOtherClient: the place holds the secret of another client, or a secret without a client
	// id. Nothing was overwritten.
	ErrOtherClient = credentials.ErrOtherClient
	// ErrConflict: others changed the place on every attempt, between reading and writing it, until
	// the context ended.
	ErrConflict = errors.New("deliver: the place was changed by others on every attempt")
)

// invalidError is an [ErrInvalidArgument] whose text does not repeat that of the sentinel.
type invalidError struct {
	text  string
	cause error // may be nil
}

func (e *invalidError) Error() string        { return e.text }
func (e *invalidError) Is(target error) bool { return target == ErrInvalidArgument }
func (e *invalidError) Unwrap() error        { return e.cause }

// invalid is an [ErrInvalidArgument] of the deliverer what.
func invalid(what, format string, args ...any) error {
	err := fmt.Errorf("deliver: "+what+": "+format, args...)
	return &invalidError{err.Error(), errors.Unwrap(err)}
}

// description is what a deliverer prints as. Embedded, it hides the fields around it.
type description string

// Format writes the description, for every verb.
func (d description) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, string(d)) }

// checkClientID refuses an id that could lead to a place of another client, as a path or in a URL.
func checkClientID(what, id string) error {
	if err := project.CheckClientID(id); err != nil {
		return invalid(what, "%w", err)
	}
	if id == "." || id == ".." || strings.ContainsAny(id, `/\%?#`) {
		return invalid(what, "client id %q must not be a dot segment or contain any of /\\%%?#", id)
	}
	return nil
}

func checkDelivery(what string, d rotate.Delivery) error {
	if err := checkClientID(what, d.ClientID); err != nil {
		return err
	}
	if d.Secret.IsZero() {
		return invalid(what, "the delivery for client %q has no secret", d.ClientID)
	}
	if _, err := (credentials.Object{}).With(credentialsOf(d)); err != nil {
		return invalid(what, "the delivery for client %q: %w", d.ClientID, err)
	}
	return nil
}

// credentialsOf is what a place must hold after d.
func credentialsOf(d rotate.Delivery) credentials.Credentials {
	return credentials.Credentials{ClientID: d.ClientID, Secret: d.Secret, Previous: d.Previous}
}

// deliveryOf is the delivery that led to c.
func deliveryOf(c credentials.Credentials) rotate.Delivery {
	return rotate.Delivery{ClientID: c.ClientID, Secret: c.Secret, Previous: c.Previous}
}

// redactorOf removes the secrets of d.
func redactorOf(d rotate.Delivery) *redact.Redactor {
	return redact.New(d.Secret.Reveal(), d.Previous.Reveal())
}

// maxQuoted is how many bytes of a server's or a program's text an error repeats.
const maxQuoted = 1 << 10
