package emulator

// A Choice is what the emulator does where the behavior of Stytch is not known. The empty Choice
// stands for the default.
type Choice string

// The choices. Each field of [Behavior] lists those it accepts.
const (
	Refuse  Choice = "refuse"  // respond with an error
	Allow   Choice = "allow"   // accept the value
	Ignore  Choice = "ignore"  // act as if the value or the call were absent
	Clear   Choice = "clear"   // empty the field
	Replace Choice = "replace" // let the new value replace the old one
	Clamp   Choice = "clamp"   // use the nearest allowed value
	Drop    Choice = "drop"    // leave out what is not allowed
	Empty   Choice = "empty"   // respond with an empty list
)

const oauthFormat = "oauth" // of Behavior.TokenErrorFormat

// Behavior has one field for each behavior of Stytch that is not known, so that a client can be
// tested under every variant. The zero value is the most likely behavior; the package documentation
// lists what is known, and [Behaviors] the fields as data. [Behaviors] has the fields as data.
type Behavior struct {
	// CreateStatus is the status of a creation: 200 (default; from the reference) or 201 (from one
	// newer page).
	CreateStatus int `json:"create_status"`
	// WrongMethodStatus is for a known path with a method that it does not have: 405
	// method_not_allowed (default; the name is published, the status assumed) or 404
	// route_not_found.
	WrongMethodStatus int `json:"wrong_method_status"`

	// StartWhileRotating is for starting a rotation during another one: Refuse (default; the error
	// type is published) or Replace the next secret.
	StartWhileRotating Choice `json:"start_while_rotating"`
	// FinishWhileIdle is for completing or canceling a rotation that was not started: Refuse
	// (default; the error type is published) or Ignore, which responds with 200 and changes
	// nothing.
	FinishWhileIdle Choice `json:"finish_while_idle"`
	// NextSecretAbsent leaves next_client_secret_last_four out of responses outside of a rotation.
	// By default it is null (from a documented sample).
	NextSecretAbsent bool `json:"next_secret_absent"`

	// NullOnUpdate is for null fields of an update: Clear the field (default, assumed), Ignore it,
	// or Refuse the update with bad_request. Clear leaves status alone, which has no empty value.
	NullOnUpdate Choice `json:"null_on_update"`
	// EmptyScopes is for creating or updating a client without scopes: Allow (default, assumed) or
	// Refuse with bad_request.
	EmptyScopes Choice `json:"empty_scopes"`
	// InvalidStatusType is the error_type for an unknown client status: invalid_m2m_client_status
	// (default) or m2m_client_invalid_status. Both names are published; which one is sent is not.
	InvalidStatusType string `json:"invalid_status_type"`

	// ZeroLimit is for a search with limit 0: Ignore (default, assumed), which uses the default
	// limit of 100, Refuse with bad_request, or Empty, which returns a page without clients.
	ZeroLimit Choice `json:"zero_limit"`
	// LargeLimit is for a search with a limit over 1000: Refuse with bad_request (default, assumed)
	// or Clamp to 1000.
	LargeLimit Choice `json:"large_limit"`
	// BadCursor is for a cursor that the emulator did not issue: Refuse with bad_request (default,
	// assumed) or Ignore, which returns the first page.
	BadCursor Choice `json:"bad_cursor"`
	// NegativeLimit is for a search with a limit below 0: Refuse with bad_request (default,
	// assumed) or Ignore, which uses the default limit.
	NegativeLimit Choice `json:"negative_limit"`
	// EmptySearchBody is for a search without a body: Refuse with bad_request (default, assumed; {}
	// is observed to work) or Allow.
	EmptySearchBody Choice `json:"empty_search_body"`
	// EmptyQuery is for a search whose query is {}: Allow (default; the reference says to send it),
	// which finds all clients, or Refuse with bad_request, as the schema requires an operator.
	EmptyQuery Choice `json:"empty_query"`
	// UnknownOperator is for a query with an operator other than AND and OR: Refuse with
	// bad_request (default, assumed) or Ignore, which reads it as AND.
	UnknownOperator Choice `json:"unknown_operator"`

	// UnheldScope is for a token request with a scope that the client does not hold: Refuse with
	// invalid_scope (default, RFC 6749) or Drop the scope; if none is left, the request is refused
	// anyway.
	UnheldScope Choice `json:"unheld_scope"`
	// InvalidClientStatus is the status of invalid_client: 400 (default, observed) or 401 (RFC
	// 6749).
	InvalidClientStatus int `json:"invalid_client_status"`
	// InactiveClientError is the error of an inactive client: invalid_client (default, assumed),
	// unauthorized_client or access_denied. That such a client is refused is documented.
	InactiveClientError string `json:"inactive_client_error"`
	// InactiveClientStatus is the status of that error: 400 (default, assumed) or 401.
	InactiveClientStatus int `json:"inactive_client_status"`
	// TokenErrorFormat is the format in which the token endpoint refuses an unknown project and
	// a wrong method: oauth (default; RFC 6749, section 5.2) or stytch, that of the others.
	TokenErrorFormat string `json:"token_error_format"`
	// IntrospectM2M is for an M2M client that introspects or revokes a token of its own: Allow
	// (default, assumed) or Refuse it with invalid_client. Stytch documents both endpoints for
	// Connected Apps only.
	IntrospectM2M Choice `json:"introspect_m2m"`
	// TokenID adds the claim jti to tokens. The documented sample has none (default).
	TokenID bool `json:"token_id"`

	// DynamicRegistration lets apps register themselves, as the switch of the project in Stytch's
	// dashboard does. Without it (default, documented) they are refused with
	// dynamic_client_registration_not_enabled.
	DynamicRegistration bool `json:"dynamic_registration"`
	// RegisterStatus is the status of such a registration: 201 (default, assumed; RFC 7591) or 200.
	RegisterStatus int `json:"register_status"`

	// SecretLength is the length of generated secrets, 43 to 128: 48 (default, observed) or 44
	// (documented sample).
	SecretLength int `json:"secret_length"`
	// CreationMethod is the creation_method of Connected Apps: any text, MANUAL by default. Its
	// values are not published.
	CreationMethod string `json:"creation_method"`

	// Limits for which only the error types are published. 0 means the default.
	MaxSecretLength  int `json:"max_secret_length"`  // of imported secrets, in bytes; default 128
	MaxScopes        int `json:"max_scopes"`         // of a client; default 100
	MaxExpiryMinutes int `json:"max_expiry_minutes"` // of the access tokens of a Connected App; default 1440
	MaxM2MClients    int `json:"max_m2m_clients"`    // of the project; unlimited by default
	MaxConnectedApps int `json:"max_connected_apps"` // of the project; unlimited by default
}
