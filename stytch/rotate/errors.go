package rotate

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The kinds of failure, for errors.Is.
var (
	ErrInvalidArgument = errors.New("rotate: invalid argument") // refused before anything was done
	ErrNoRotation      = errors.New("rotate: no rotation is in progress")
	ErrBusy            = errors.New("rotate: another process is rotating this client")
	ErrJournal         = errors.New("rotate: the journal failed") // it could not be read or written

	// ErrOtherRotation: the server has a next secret that is not the one in the journal, or that
	// appeared more than a minute after a start whose response was lost.
	ErrOtherRotation = errors.New("rotate: the server has another rotation in progress for this client")
	// ErrCurrentRefused: the secret that should be in use does not work. Nothing was changed at the
	// server.
	ErrCurrentRefused = errors.New("rotate: the current secret is refused")
	// ErrCurrentUnknown: the next step is safe only if the current secret works, and neither
	// WithCurrent nor a place has it. In Planned, nothing was begun.
	ErrCurrentUnknown = errors.New("rotate: the current secret is not known")
	// ErrNoWorkingSecret: neither of the stored secrets is accepted.
	ErrNoWorkingSecret = errors.New("rotate: neither secret works")
	// ErrInconsistent: the server confirmed something that did not happen, or contradicted itself.
	ErrInconsistent = errors.New("rotate: the server contradicts itself")
	// ErrDelivery: a deliverer failed, did not return in time, or its place holds another secret
	// than it was given.
	ErrDelivery = errors.New("rotate: delivery failed")
	// ErrGone: the server says that the client does not exist, or is a public app, which has no
	// secret. The record is final and holds no secret any more.
	ErrGone = errors.New("rotate: the client is gone")
	// ErrOnlySecret: the record cannot be given up, because it holds the only copy of a secret that
	// works.
	ErrOnlySecret = errors.New("rotate: the journal holds the only secret that works")
	// ErrCompromised: with WithCompromised, the next secret is in use and the previous one was not
	// proved to be refused.
	ErrCompromised = errors.New("rotate: the compromised secret is not proved to be refused")
	// ErrNotAdopted: no place holds the next secret of the rotation that the server has in
	// progress. Nothing was changed.
	ErrNotAdopted = errors.New("rotate: the rotation cannot be adopted")
	// ErrCanceled: the rotation was canceled. The current secret is unchanged.
	ErrCanceled = errors.New("rotate: the rotation was canceled")

	// A stored record that cannot be used. Nothing was changed.
	ErrCorrupt      = errors.New("rotate: the journal's record is corrupt")
	ErrNewerVersion = errors.New("rotate: the journal's record was written by a newer version")
	ErrOtherProject = errors.New("rotate: the journal's record belongs to another project or client")
	ErrWrongKey     = errors.New("rotate: the journal's record cannot be decrypted with these keys")
)

// errHeld is why a rotation of another process may be one whose journal was lost.
var errHeld = errors.New("a place holds the pending secret")

// Error is the failure of a rotation. It holds no secret. After any error Resume can continue from
// Stage, and nothing was canceled that could be the only working secret.
type Error struct {
	ClientID string
	Stage    State   // the state in the journal, or the one before if a write failed halfway; Planned if nothing was written; "" if it could not be read
	Working  Working // which secrets were accepted at the last proof
	Err      error

	restarted bool // a next secret was given up before, so Planned does not mean that nothing was begun
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

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Advice is what to do next.
func (e *Error) Advice() string {
	is := func(target error) bool { return errors.Is(e.Err, target) }
	switch {
	case is(ErrBusy):
		return "wait until the other process has finished, or until its claim has expired"
	case is(ErrCorrupt):
		return "restore the record, or check by hand which secret is in use and then remove the record"
	case is(ErrNewerVersion), is(ErrOtherProject), is(ErrWrongKey):
		return "use the journal with the version, project and key that it belongs to"
	case is(ErrOtherRotation):
		if e.Stage == Starting {
			return "if no one else rotates this client, call Resume with WithTakeOver, which cancels what is pending; otherwise wait until the other rotation ends"
		}
		if is(errHeld) {
			return "if its journal was lost, continue it with Adopt; otherwise wait until it ends"
		}
		return "wait until the other rotation ends, or take it over (WithTakeOver)"
	case is(ErrCurrentRefused):
		return "check that the client is active, and provide the secret that is in use (WithCurrent)"
	case is(ErrCurrentUnknown) && e.Stage == Planned:
		return "nothing was begun; check that the deliverer is that of the service, or provide the secret in use (WithCurrent); if it is lost, rotate without it (WithUnknownCurrent)"
	case is(ErrCurrentUnknown):
		return "provide the current secret (WithCurrent), or cancel by hand if no service has the next one"
	case is(ErrNoWorkingSecret):
		return "both are kept in the journal; if the client is active, start and complete a rotation by hand, put its secret where it is used, and call Run again"
	case is(ErrGone):
		return "check the client id and the project; if the client was deleted, rotate it no more"
	case is(ErrCompromised):
		if e.Stage == Completed {
			return "the next secret is in use; try the previous one by hand, and delete the client if it still works"
		}
		return "run again to prove it again; if it still works then, delete the client, which ends all of its secrets"
	case is(ErrNotAdopted):
		return "wait until the other rotation ends, or take it over (WithTakeOver)"
	case is(ErrOnlySecret):
		return "call Resume, or put that secret where it is used and try again"
	case is(ErrNoRotation):
		return "call Run to start one"
	case is(ErrJournal) && e.Stage == "":
		return "fix the journal and run again; nothing was done, and the state of the rotation is not known"
	case e.Stage == Canceled:
		return "the current secret stays in use; fix the cause and run again"
	case e.Stage == "" || e.Stage == Planned && !e.restarted:
		return "nothing was begun; fix the cause and run again"
	}
	return "run again to continue from here"
}

// wrong is an error of a sentinel with details.
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

// gone reports whether the server has no secret of this client, and never will again.
func gone(err error) bool {
	var e interface{ Gone() bool }
	return errors.As(err, &e) && e.Gone()
}

// throttled reports whether the server asks for fewer requests, and for how long.
func throttled(err error) (time.Duration, bool) {
	var e interface{ Throttled() (time.Duration, bool) }
	if !errors.As(err, &e) {
		return 0, false
	}
	return e.Throttled()
}
