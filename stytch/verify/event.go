package verify

import "time"

// EventKind is a kind of [Event].
type EventKind string

// KeySetFetched means that an attempt at fetching the key set ended. Err is nil if it was fetched.
const KeySetFetched EventKind = "key_set_fetched"

// An Event is what [WithObserver] reports. Fields that a kind does not use are zero.
type Event struct {
	Kind     EventKind
	Err      error // why it failed, or nil; holds nothing that the server sent
	Duration time.Duration

	// Of KeySetFetched.
	Keys        int           // usable keys in place now
	Changed     bool          // they differ from those before
	Age         time.Duration // of the keys in place before, 0 if there were none
	Failures    int           // failed attempts in a row, this one included
	UnknownKeys int64         // tokens whose key was not found since the attempt before
}
