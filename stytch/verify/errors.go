package verify

import (
	"errors"

	"github.com/stytchkit/m2m/internal/redact"
)

// Why a token was refused. Every error of [Verifier.Verify] is exactly one of these by errors.Is,
// or the error of a [Check]. No error holds a token or the value of a claim, so all of them may be
// logged. An API should reveal no more to its clients than that the token is not valid.
//
// [ErrKeysUnavailable] and [ErrCheckUnavailable] mean that nothing is known about the token:
// respond with 503, not 401. Both also match the error of the context if that ended the wait.
var (
	ErrMalformed        = errors.New("verify: malformed token")             // not a JWT (RFC 7519), or a claim of every Stytch token is missing
	ErrAlgorithm        = errors.New("verify: algorithm not accepted")      // anything but RS256
	ErrUnknownKey       = errors.New("verify: unknown key")                 // the key set has no key with this kid
	ErrSignature        = errors.New("verify: signature not valid")         // the key did not make this signature
	ErrExpired          = errors.New("verify: token expired")               // exp has passed
	ErrNotYetValid      = errors.New("verify: token not valid yet")         // nbf or iat is in the future
	ErrTooOld           = errors.New("verify: token too old")               // issued longer ago than WithMaxAge or MaxAge allows
	ErrLifetime         = errors.New("verify: token lifetime too long")     // exp - iat exceeds WithMaxLifetime
	ErrIssuer           = errors.New("verify: issuer not accepted")         // another project or domain
	ErrAudience         = errors.New("verify: audience not accepted")       // meant for another API
	ErrKind             = errors.New("verify: kind of token not accepted")  // valid, but of a session, a user, another application or client
	ErrScope            = errors.New("verify: scope missing")               // valid, but does not grant this: respond with 403
	ErrInactive         = errors.New("verify: client not active")           // WithActiveCheck reported so
	ErrKeysUnavailable  = errors.New("verify: keys unavailable")            // the key could not be looked for: respond with 503
	ErrCheckUnavailable = errors.New("verify: active check is unavailable") // WithActiveCheck failed: respond with 503
)

// ErrInvalidArgument means that [New] or [NewProtectedResource] was given a value that breaks a
// rule, or that a Verifier was not made by [New] or was given a [Check] that is nil. The text names
// the argument and the rule, never the value.
var ErrInvalidArgument = errors.New("verify: invalid argument")

var (
	errZero     = &argumentError{where: "Verifier", rule: "it must be made by New"}
	errNilCheck = &argumentError{where: "Verify", rule: "a Check must not be nil"}
)

// A brokenRule is one of the errors above with the rule that the token broke. All are made once, so
// refusing a token allocates nothing.
type brokenRule struct {
	kind error
	rule string
}

func (r *brokenRule) Error() string { return r.kind.Error() + ": " + r.rule }
func (r *brokenRule) Unwrap() error { return r.kind }

// Refusals of the token as a whole and of its header.
var (
	errLength    = &brokenRule{ErrMalformed, "empty or too long"}
	errShape     = &brokenRule{ErrMalformed, "it must have three parts"}
	errBase64    = &brokenRule{ErrMalformed, "a part is not strict base64url"}
	errHeader    = &brokenRule{ErrMalformed, "the header is not a strict JSON object"}
	errExtension = &brokenRule{ErrMalformed, "the header has crit, b64 or enc"}
	errKeyID     = &brokenRule{ErrMalformed, "kid must be a non-empty string"}
	errTypeText  = &brokenRule{ErrMalformed, "typ must be a string"}
	errType      = &brokenRule{ErrKind, "typ must be JWT or at+jwt"}
	errAlg       = &brokenRule{ErrAlgorithm, "alg must be RS256"}
	errKey       = &brokenRule{ErrUnknownKey, "the key set has no such kid"}
	errSignature = &brokenRule{ErrSignature, "it does not match the key"}
)

// Refusals of the claims.
var (
	errClaims    = &brokenRule{ErrMalformed, "the claims are not a strict JSON object"}
	errIssText   = &brokenRule{ErrMalformed, "iss must be a string"}
	errAudText   = &brokenRule{ErrMalformed, "aud must be a string or an array of strings"}
	errSub       = &brokenRule{ErrMalformed, "sub must be a non-empty string without control characters"}
	errClientID  = &brokenRule{ErrMalformed, "client_id must be a non-empty string without control characters"}
	errID        = &brokenRule{ErrMalformed, "jti must be a string without control characters"}
	errScopeText = &brokenRule{ErrMalformed, "scope must be a string of scopes, separated by one space each"}
	errDate      = &brokenRule{ErrMalformed, "exp, iat and nbf must be seconds between 1970 and 9999, without an exponent"}
	errDateOrder = &brokenRule{ErrMalformed, "exp must be after iat"}
	errIssuer    = &brokenRule{ErrIssuer, "see WithIssuers"}
	errAudience  = &brokenRule{ErrAudience, "see WithAudiences"}
	errNotExact  = &brokenRule{ErrAudience, "it has several audiences; see WithExactAudience"}
	errLifetime  = &brokenRule{ErrLifetime, "see WithMaxLifetime"}
	errSession   = &brokenRule{ErrKind, "it has a claim of a session"}
	errSubject   = &brokenRule{ErrKind, "the subject is not an M2M client"}
	errClient    = &brokenRule{ErrKind, "the client id is not accepted; see WithClientIDs"}
	errApp       = &brokenRule{ErrKind, "the client is not an accepted Connected App; see WithConnectedApps"}
	errUser      = &brokenRule{ErrKind, "the subject is not a user or member"}
)

// Refusals that depend on the time, the scopes wanted and the state of the client.
var (
	errExpired   = &brokenRule{ErrExpired, "exp has passed"}
	errNotBefore = &brokenRule{ErrNotYetValid, "nbf is in the future"}
	errIssuedAt  = &brokenRule{ErrNotYetValid, "iat is in the future"}
	errTooOld    = &brokenRule{ErrTooOld, "iat is too long ago"}
	errScope     = &brokenRule{ErrScope, "a required scope was not granted"}
	errScopeFunc = &brokenRule{ErrScope, "ScopeFunc rejected the granted scopes"}
	errInactive  = &brokenRule{ErrInactive, "it was deactivated or deleted"}
	errClosed    = &brokenRule{ErrCheckUnavailable, "the verifier is closed"}
)

// unavailable is [ErrKeysUnavailable] or [ErrCheckUnavailable] with its cause. It shows the cause
// in one short line, because a server may have chosen a part of it.
type unavailable struct{ kind, cause error }

func (u *unavailable) Error() string {
	return u.kind.Error() + ": " + redact.Printable(u.cause.Error(), 300)
}

func (u *unavailable) Unwrap() []error { return []error{u.kind, u.cause} }

// argumentError names an argument and the rule that it broke.
type argumentError struct {
	where string // an option or a field
	rule  string
	cause error // or nil
}

func (e *argumentError) Error() string        { return "verify: " + e.where + ": " + e.rule }
func (e *argumentError) Is(target error) bool { return target == ErrInvalidArgument }
func (e *argumentError) Unwrap() error        { return e.cause }

func invalid(where, rule string) error { return &argumentError{where: where, rule: rule} }
