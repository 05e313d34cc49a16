package emulator

import "slices"

// A Choice is what the emulator does where Stytch does not say what it does. The empty Choice is the default.
type Choice string

// The choices. Each field of [Behavior] names those that it takes.
const (
	Refuse  Choice = "refuse"  // answer with an error
	Allow   Choice = "allow"   // take the value as it is
	Ignore  Choice = "ignore"  // act as if the value or the call were not there
	Clear   Choice = "clear"   // empty the field
	Replace Choice = "replace" // put the new one in the place of the old one
	Clamp   Choice = "clamp"   // take the nearest allowed value
	Drop    Choice = "drop"    // leave out what is not allowed and go on
	Empty   Choice = "empty"   // answer with nothing
)

// Behavior has one switch for every behaviour that Stytch leaves open, so that a client can be tested under each. The
// zero value is what the emulator's authors hold most likely; see the package documentation for what is known.
type Behavior struct {
	// CreateStatus is the status of a creation: 200 (default; the reference says so) or 201 (one newer page says so).
	CreateStatus int
	// WrongMethodStatus answers a known path with an unknown method: 405 method_not_allowed (default; the name is
	// published, the status assumed) or 404 route_not_found.
	WrongMethodStatus int

	// StartWhileRotating: Refuse (default; the error name is published) or Replace the next secret by another one.
	StartWhileRotating Choice
	// FinishWhileIdle is for completing or canceling a rotation that was not started: Refuse (default; the error name is
	// published) or Ignore, which answers 200 and changes nothing.
	FinishWhileIdle Choice
	// NextSecretAbsent leaves next_client_secret_last_four out of answers where the default is null (documented sample).
	NextSecretAbsent bool

	// NullOnUpdate: Clear (default, assumed), Ignore or Refuse with bad_request. A null status is never cleared: there is
	// nothing it could be cleared to, so Clear leaves it alone.
	NullOnUpdate Choice
	// EmptyScopes, on create and update: Allow (default, assumed) or Refuse with bad_request.
	EmptyScopes Choice
	// InvalidStatusType is the error_type for an unknown status: invalid_m2m_client_status (default) or
	// m2m_client_invalid_status. Both names are published; which one is sent is not.
	InvalidStatusType string

	// ZeroLimit is for a search with limit 0: Ignore (default, assumed; the page has the default size of 100), Refuse with
	// bad_request, or Empty, a page without clients.
	ZeroLimit Choice
	// LargeLimit is for a search with a limit over 1000: Refuse with bad_request (default, assumed) or Clamp to 1000.
	LargeLimit Choice
	// BadCursor is for a cursor that the emulator did not make: Refuse with bad_request (default, assumed) or Ignore and
	// answer the first page.
	BadCursor Choice
	// EmptySearchBody is for a search without a body: Refuse with bad_request (default, assumed; {} is observed to work)
	// or Allow.
	EmptySearchBody Choice

	// UnheldScope is for a token request with a scope that the client does not hold: Refuse with invalid_scope (default,
	// RFC 6749) or Drop the scope; if none is left, the request is refused all the same.
	UnheldScope Choice
	// InvalidClientStatus is the status of invalid_client: 400 (default, observed) or 401 (RFC 6749).
	InvalidClientStatus int
	// InactiveClientError is the error of an inactive client: invalid_client (default, assumed), unauthorized_client or
	// access_denied. That it is refused is documented.
	InactiveClientError string
	// InactiveClientStatus is the status of the same: 400 (default, assumed) or 401.
	InactiveClientStatus int
	// TokenID adds the claim jti to tokens. The documented sample has none (default).
	TokenID bool

	// SecretLength is the length of generated secrets, 43 to 128: 48 (default, observed) or 44 (documented sample).
	SecretLength int
	// CreationMethod is the creation_method of Connected Apps: any text, MANUAL by default. Its values are not published.
	CreationMethod string

	// Limits of which only the error names are published. 0 means the default.
	MaxSecretLength  int // of imported secrets, in bytes; default 128
	MaxScopes        int // of a client; default 100
	MaxExpiryMinutes int // of the access tokens of a Connected App; default 1440
	MaxM2MClients    int // of the project; default without limit
	MaxConnectedApps int // of the project; default without limit
}

// filled returns b with the defaults in place, or an error that names the field with a value it does not take.
func (b Behavior) filled() (Behavior, error) {
	var bad error
	complain := func(field string, value any) {
		if bad == nil {
			bad = invalidArgument("Behavior.%s does not take %v", field, value)
		}
	}
	// The first allowed value of each is its default.
	choice := func(field string, value *Choice, allowed ...Choice) { fill(field, value, complain, allowed...) }
	number := func(field string, value *int, allowed ...int) { fill(field, value, complain, allowed...) }
	text := func(field string, value *string, allowed ...string) { fill(field, value, complain, allowed...) }
	limit := func(field string, value *int, standard int) {
		if *value == 0 {
			*value = standard
		}
		if *value < 0 {
			complain(field, *value)
		}
	}

	number("CreateStatus", &b.CreateStatus, 200, 201)
	number("WrongMethodStatus", &b.WrongMethodStatus, 405, 404)
	choice("StartWhileRotating", &b.StartWhileRotating, Refuse, Replace)
	choice("FinishWhileIdle", &b.FinishWhileIdle, Refuse, Ignore)
	choice("NullOnUpdate", &b.NullOnUpdate, Clear, Ignore, Refuse)
	choice("EmptyScopes", &b.EmptyScopes, Allow, Refuse)
	text("InvalidStatusType", &b.InvalidStatusType, "invalid_m2m_client_status", "m2m_client_invalid_status")
	choice("ZeroLimit", &b.ZeroLimit, Ignore, Refuse, Empty)
	choice("LargeLimit", &b.LargeLimit, Refuse, Clamp)
	choice("BadCursor", &b.BadCursor, Refuse, Ignore)
	choice("EmptySearchBody", &b.EmptySearchBody, Refuse, Allow)
	choice("UnheldScope", &b.UnheldScope, Refuse, Drop)
	number("InvalidClientStatus", &b.InvalidClientStatus, 400, 401)
	text("InactiveClientError", &b.InactiveClientError, "invalid_client", "unauthorized_client", "access_denied")
	number("InactiveClientStatus", &b.InactiveClientStatus, 400, 401)
	limit("SecretLength", &b.SecretLength, 48)
	if b.SecretLength < 43 || b.SecretLength > 128 { // 43 characters of base64 hold 256 bits
		complain("SecretLength", b.SecretLength)
	}
	if b.CreationMethod == "" {
		b.CreationMethod = "MANUAL"
	}
	limit("MaxSecretLength", &b.MaxSecretLength, 128)
	limit("MaxScopes", &b.MaxScopes, 100)
	limit("MaxExpiryMinutes", &b.MaxExpiryMinutes, 1440)
	limit("MaxM2MClients", &b.MaxM2MClients, 0)
	limit("MaxConnectedApps", &b.MaxConnectedApps, 0)
	return b, bad
}

func fill[T comparable](field string, value *T, complain func(string, any), allowed ...T) {
	var unset T
	if *value == unset {
		*value = allowed[0]
	}
	if !slices.Contains(allowed, *value) {
		complain(field, *value)
	}
}
