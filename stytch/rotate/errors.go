package rotate

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// What went wrong, for errors.Is.
var (
	ErrInvalidArgument = errors.New("rotate: invalid argument") // refused before anything was done
	ErrNoRotation      = errors.New("rotate: no rotation is under way")
	ErrBusy            = errors.New("rotate: another engine works on this client") // or took it over
	ErrJournal         = errors.New("rotate: the journal failed")                  // it could not be read or written

	// ErrOtherRotation: the server has a next secret that is not the one in the journal. Somebody else is rotating.
	ErrOtherRotation = errors.New("rotate: somebody else is rotating the secret of this client")
	// ErrCurrentRefused: the secret that is said to be in use does not work. Nothing was changed at the server.
	ErrCurrentRefused = errors.New("rotate: the current secret is refused")
	// ErrCurrentUnknown: the next step is safe only if the current secret works, and nobody told it.
	ErrCurrentUnknown = errors.New("rotate: the current secret is not known")
	// ErrNoWorkingSecret: neither of the stored secrets is accepted.
	ErrNoWorkingSecret = errors.New("rotate: neither secret works")
	// ErrInconsistent: the server said that something was done, and it was not, or contradicted itself.
	ErrInconsistent = errors.New("rotate: the server contradicts itself")
	// ErrDelivery: a deliverer failed, did not return in time, or gave back another secret than it was given.
	ErrDelivery = errors.New("rotate: delivery failed")
	// ErrCanceled: the rotation was given up. The current secret is what it was.
	ErrCanceled = errors.New("rotate: the rotation was canceled")

	// A stored record that cannot be used. Nothing was changed.
	ErrCorrupt      = errors.New("rotate: the journal's record is corrupt")
	ErrNewerVersion = errors.New("rotate: the journal's record was written by a newer version")
	ErrOtherProject = errors.New("rotate: the journal's record belongs to another project or client")
	ErrWrongKey     = errors.New("rotate: the journal's record cannot be decrypted with these keys")
)

// Error is a rotation that did not come to its end. It holds no secret. Whatever it says, Resume goes on from where the
// journal stands, and nothing was canceled that could be the only working secret.
type Error struct {
	ClientID string
	Stage    State   // where the journal stands, or one state before if a write failed halfway; Planned if nothing was written; "" if it could not be read
	Working  Working // which secrets were accepted when last asked
	Err      error

	restarted bool // so that more was begun than Planned says
}

// Error names the client, the stage, the cause, which secrets work and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "rotate: client %.256q", e.ClientID)
	if e.Stage != "" {
		fmt.Fprintf(&b, ": %s", e.Stage)
	}
	cause := strings.ReplaceAll(strings.TrimPrefix(e.Err.Error(), "rotate: "), "\n", "; ") // of errors that were joined
	fmt.Fprintf(&b, ": %s; %s; %s", cause, e.Working, e.Advice())
	return b.String()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Advice says what to do.
func (e *Error) Advice() string {
	is := func(target error) bool { return errors.Is(e.Err, target) }
	switch {
	case is(ErrBusy):
		return "wait until the other engine is done, or its claim has expired"
	case is(ErrCorrupt):
		return "restore the record, or remove it after checking by hand which secret is in use"
	case is(ErrNewerVersion), is(ErrOtherProject), is(ErrWrongKey):
		return "use the journal with the version, project and key that it belongs to"
	case is(ErrOtherRotation):
		return "let the other rotation end, or take it over on purpose (WithTakeOver)"
	case is(ErrCurrentRefused):
		return "check that the client is active, and tell the secret that is really in use"
	case is(ErrCurrentUnknown):
		return "tell the current secret (WithCurrent), or cancel by hand if nobody has the next one"
	case is(ErrNoWorkingSecret):
		return "both are kept in the journal; if the client is active, start and complete a rotation by hand, put its secret where it is used, and run again"
	case is(ErrNoRotation):
		return "there is nothing to go on with; Run begins a rotation"
	case is(ErrJournal) && e.Stage == "":
		return "mend the journal; how far the rotation has come is not known, and nothing was done now"
	case e.Stage == Canceled:
		return "the current secret stays in use; run again when the cause is mended"
	case e.Stage == "" || e.Stage == Planned && !e.restarted:
		return "nothing was begun; run again when the cause is mended"
	}
	return "run again to go on from here"
}

// wrong is an error of a sentinel with its particulars.
func wrong(sentinel error, format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{sentinel}, args...)...)
}

// because is an error of a sentinel with a cause that stays reachable.
func because(sentinel, cause error) error { return fmt.Errorf("%w: %w", sentinel, cause) }

// outcomeUnknown reports whether a call that failed may have taken effect.
func outcomeUnknown(err error) bool {
	var e interface{ OutcomeUnknown() bool }
	return !errors.As(err, &e) || e.OutcomeUnknown()
}

// throttled reports whether the server asks for fewer requests, and for how long.
func throttled(err error) (time.Duration, bool) {
	var e interface{ Throttled() (time.Duration, bool) }
	if !errors.As(err, &e) {
		return 0, false
	}
	return e.Throttled()
}
