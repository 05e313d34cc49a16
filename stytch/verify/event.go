package verify

import "time"

// EventKind is a kind of [Event].
type EventKind string

// The kinds of events.
const (
	KeySetFetched EventKind = "key_set_fetched" // an attempt at fetching the key set ended; Err is nil if it was fetched
	TokenRefused  EventKind = "token_refused"   // Err is the error of Verify
	Panicked      EventKind = "panicked"        // the function of WithActiveCheck did; the token is refused
)

// An Event is what [WithObserver] reports. It holds no token. Fields that a kind does not use are
// zero.
type Event struct {
	Kind     EventKind
	Err      error         // why it failed, or nil; of what the server of the key set sent, it holds key ids at most
	Duration time.Duration // of KeySetFetched
	Stack    string        // of the goroutine, if code that an option named panicked

	Refusal Refusal // of TokenRefused

	// Of KeySetFetched.
	Keys        int           // usable keys in place now
	Kept        int           // of these, keys that this download lacked: see WithKeyOverlap
	Dropped     []string      // keys that it had and that cannot be used: the kid and why
	Changed     bool          // they differ from those before
	Age         time.Duration // of the keys in place before, 0 if there were none
	Failures    int           // failed attempts in a row, this one included
	UnknownKeys int64         // tokens whose key was not found since the attempt before
}

// A Refusal describes a request that was refused, as far as that is known. It never holds the
// token.
type Refusal struct {
	// Reason is one word for the error, for logs and counters: no_token, invalid_request,
	// keys_unavailable, check_unavailable, canceled, scope, expired, too_old, malformed,
	// unknown_key, signature, not_yet_valid, inactive, algorithm, lifetime, issuer, audience, kind,
	// misuse, or check for the error of a [Check] of yours.
	Reason string

	// KeyID is the kid of the token, at most 64 bytes and without control characters, or "" if
	// there is none to read. It is not verified: anyone may write anything there.
	KeyID string

	// What a token with a good signature says: its kind, the client and the subject, which may be a
	// user's id. They are empty for all other tokens, and where the claims do not say.
	Kind     Kind
	ClientID string
	Subject  string
}
