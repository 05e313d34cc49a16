package token

import "time"

// EventKind says what an [Event] is about.
type EventKind uint8

// The kinds of events.
const (
	Refreshed     EventKind = iota + 1 // a token arrived, from Stytch or from the shared store
	RefreshFailed                      // none arrived: Err says why, RetryAt when the next request may be sent
	StoreFailed                        // the shared store did not help: Err is ErrStore, ErrStoreValue or ErrStoreKey
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
	}
	return "unknown"
}

// Event is something that happened in the background. It holds no secret and no token.
// [StoreFailed] is no failure of the refresh: its token is minted without the store.
type Event struct {
	Kind      EventKind
	Err       error         // nil for Refreshed
	Scopes    []string      // that were requested; nil for StoreFailed
	FromStore bool          // another process minted the token
	Expiry    time.Time     // of the new token
	RetryAt   time.Time     // of RefreshFailed
	Duration  time.Duration // of the refresh
}
