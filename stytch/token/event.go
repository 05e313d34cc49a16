package token

import "time"

// EventKind says what an [Event] is about.
type EventKind uint8

// The kinds of events.
const (
	Refreshed     EventKind = iota + 1 // a token arrived, from Stytch or from the shared store
	RefreshFailed                      // none arrived: Err says why, RetryAt when the next request may be sent
	StoreFailed                        // the shared store did not help: Err is ErrStore or one of the others that begin so
	Panicked                           // code that the source was given panicked: Err names it
)

// String is the name of the kind.
func (k EventKind) String() string {
	switch k {
	case Refreshed:
		return "refreshed"
	case RefreshFailed:
		return "refresh failed"
	case StoreFailed:
		return "store failed"
	case Panicked:
		return "panicked"
	}
	return "unknown"
}

// Event is something that happened in the background. It holds no secret and no token.
// [StoreFailed] and [Panicked] are no failures of the refresh: if these made it fail, RefreshFailed
// follows.
type Event struct {
	Kind      EventKind
	Err       error         // nil for Refreshed
	Scopes    []string      // that were requested; nil for StoreFailed and Panicked
	FromStore bool          // another process minted the token
	Expiry    time.Time     // of the new token
	RetryAt   time.Time     // of RefreshFailed
	Duration  time.Duration // of the refresh
	Stack     string        // of Panicked
}
