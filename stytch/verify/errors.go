package verify

import "errors"

// Why a token was refused: every error of [Verifier.Verify] is exactly one of these by errors.Is. No error holds a token or
// the value of a claim, so all may be logged; but do not tell the caller of an API more than that its token is not good.
//
// [ErrKeysUnavailable] and [ErrCheckUnavailable] say that nothing is known about the token: answer 503, not 401. Either may
// also be the error of the context that ended the wait.
var (
	ErrMalformed        = errors.New("malformed token")             // not a token by RFC 7519, or without what every token of Stytch has
	ErrAlgorithm        = errors.New("algorithm not accepted")      // anything but RS256
	ErrUnknownKey       = errors.New("unknown key")                 // the key set has no such key
	ErrSignature        = errors.New("signature not valid")         // not signed by that key
	ErrExpired          = errors.New("token expired")               // exp has passed
	ErrNotYetValid      = errors.New("token not valid yet")         // nbf or iat is in the future
	ErrTooOld           = errors.New("token too old")               // issued longer ago than WithMaxAge or MaxAge allow
	ErrLifetime         = errors.New("token lives too long")        // exp - iat exceeds WithMaxLifetime
	ErrIssuer           = errors.New("issuer not accepted")         // another project or domain
	ErrAudience         = errors.New("audience not accepted")       // meant for somebody else
	ErrKind             = errors.New("not this kind of token")      // good, but of a session, a user, another application, another client
	ErrScope            = errors.New("scope missing")               // good, but not for this: answer 403
	ErrInactive         = errors.New("client not active")           // WithActiveCheck says so
	ErrKeysUnavailable  = errors.New("keys unavailable")            // none could be fetched for too long: answer 503
	ErrCheckUnavailable = errors.New("active check is unavailable") // WithActiveCheck failed: answer 503
)

// A refusal is one of the errors above with the rule that was broken. All are made once: refusing costs no memory.
type refusal struct {
	kind error
	rule string
}

func (r *refusal) Error() string { return "verify: " + r.kind.Error() + ": " + r.rule }
func (r *refusal) Unwrap() error { return r.kind }

var (
	errLength    = &refusal{ErrMalformed, "empty or too long"}
	errShape     = &refusal{ErrMalformed, "it must have three parts"}
	errBase64    = &refusal{ErrMalformed, "a part is not strict base64url"}
	errHeader    = &refusal{ErrMalformed, "the header is not a strict JSON object"}
	errExtension = &refusal{ErrMalformed, "the header has crit, b64 or enc"}
	errKeyID     = &refusal{ErrMalformed, "kid must be a string and not empty"}
	errTypeText  = &refusal{ErrMalformed, "typ must be a string"}
	errType      = &refusal{ErrKind, "typ must be JWT or at+jwt"}
	errAlg       = &refusal{ErrAlgorithm, "alg must be RS256"}
	errKey       = &refusal{ErrUnknownKey, "no such kid in the key set"}
	errSignature = &refusal{ErrSignature, "it is not of that key"}

	errClaims     = &refusal{ErrMalformed, "the claims are not a strict JSON object"}
	errIssText    = &refusal{ErrMalformed, "iss must be a string"}
	errAudText    = &refusal{ErrMalformed, "aud must be a string or an array of strings"}
	errSub        = &refusal{ErrMalformed, "sub must be a string, not empty and without control characters"}
	errClientID   = &refusal{ErrMalformed, "client_id must be a string, not empty and without control characters"}
	errID         = &refusal{ErrMalformed, "jti must be a string without control characters"}
	errScopeText  = &refusal{ErrMalformed, "scope must be a string of scopes with one space between them"}
	errDate       = &refusal{ErrMalformed, "exp, iat and nbf must be seconds between 1970 and 9999"}
	errDateOrder  = &refusal{ErrMalformed, "exp must be after iat"}
	errIssuer     = &refusal{ErrIssuer, "see WithIssuers"}
	errAudience   = &refusal{ErrAudience, "see WithAudiences"}
	errLifetime   = &refusal{ErrLifetime, "see WithMaxLifetime"}
	errStytch     = &refusal{ErrKind, "a claim of a session is present"}
	errOther      = &refusal{ErrKind, "the subject is not an M2M client"}
	errClient     = &refusal{ErrKind, "the client id is not accepted, see WithClientIDs"}
	errNoApp      = &refusal{ErrKind, "the client is not a Connected App, or not one of those accepted"}
	errNoUser     = &refusal{ErrKind, "the subject is not a user or member"}
	errExpired    = &refusal{ErrExpired, "exp has passed"}
	errNotBefore  = &refusal{ErrNotYetValid, "nbf is in the future"}
	errIssuedAt   = &refusal{ErrNotYetValid, "iat is in the future"}
	errTooOld     = &refusal{ErrTooOld, "iat is too long ago"}
	errScope      = &refusal{ErrScope, "a required scope was not granted"}
	errScopeFunc  = &refusal{ErrScope, "the scopes were judged not to be enough"}
	errNotActive  = &refusal{ErrInactive, "it was deactivated or deleted"}
	errClosedOpen = &refusal{ErrCheckUnavailable, "the verifier is closed"}
)
