package fleet

import (
	"errors"
	"fmt"

	"github.com/stytchkit/m2m/internal/guard"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch/rotate"
)

var (
	// ErrInvalidArgument is [rotate.ErrInvalidArgument].
	ErrInvalidArgument = rotate.ErrInvalidArgument
	// ErrTooManyFailures means that a fleet stopped because as many clients failed as
	// [WithMaxFailures] allows.
	ErrTooManyFailures = errors.New("fleet: too many clients failed")
)

// maxPanic is the most bytes of an error that what a function panicked with may have.
const maxPanic = 1 << 10

func invalid(rule string) error { return fmt.Errorf("%w: fleet: %s", ErrInvalidArgument, rule) }

// guarded calls code that the caller provided. Its panic is an error, which ends the fleet as an
// error of that code does: what belongs to one client is guarded by the rotator.
func guarded(name string, call func() error) error {
	err := guard.Call(name, call)
	if p, ok := err.(*guard.PanicError); ok { // its text may be anything
		return fmt.Errorf("fleet: %s panicked: %s", p.Name, redact.New().Line(p.Text, maxPanic))
	}
	return err
}

func listFailed(err error) error { return fmt.Errorf("fleet: list clients: %w", err) }

// clientError is an error of a queue that concerns one client only.
type clientError struct {
	clientID string
	waited   bool // the rotation had waited for its grace period
	err      error
}

func (e *clientError) Error() string { return e.err.Error() }
func (e *clientError) Unwrap() error { return e.err }

// ofRecord reports whether an error concerns one record, and not the whole journal.
func ofRecord(err error) bool {
	return !errors.Is(err, rotate.ErrJournal) && isAny(err, rotate.ErrCorrupt, rotate.ErrNewerVersion, rotate.ErrOtherProject, rotate.ErrWrongKey)
}

// journalError makes sure that an error of a journal can be recognized.
func journalError(err error) error {
	if ofRecord(err) || isAny(err, rotate.ErrJournal, rotate.ErrBusy, rotate.ErrInvalidArgument) {
		return err
	}
	return fmt.Errorf("%w: %w", rotate.ErrJournal, err)
}

func isAny(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
