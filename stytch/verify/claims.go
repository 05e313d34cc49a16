package verify

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/strictjson"
)

// Kind is a kind of token.
type Kind string

// The kinds of tokens.
const (
	M2M          Kind = "m2m"           // issued to an M2M client, which acts for itself
	ConnectedApp Kind = "connected_app" // issued to a Connected App, which acts for a user or member
	Session      Kind = "session"       // of a user or member, never accepted: see Refusal
)

// Claims are the claims of a verified token. They are a value: each caller has its own, and nothing
// in it is shared with others that verify the same token.
type Claims struct {
	Kind      Kind
	ClientID  string // the M2M client or the Connected App
	Subject   string // of an M2M token the ClientID, of a Connected App's the id of the user or member
	Scope     string // the granted scopes with a space between two, wildcards such as read:* included; "" if none
	Issuer    string
	ID        string // the jti claim, "" without one; Stytch documents it for Connected Apps only
	IssuedAt  time.Time
	NotBefore time.Time
	ExpiresAt time.Time

	audience []string // shared by all who verify the token, so it never leaves this package
	custom   string   // JSON object of all other claims, "" if there are none
}

// Scopes returns the granted scopes as a new slice, nil if there are none. To look for one, use
// [Claims.HasScope].
func (c Claims) Scopes() []string {
	if c.Scope == "" {
		return nil
	}
	return strings.Split(c.Scope, " ")
}

// Audience returns the aud claim as a new slice.
func (c Claims) Audience() []string { return slices.Clone(c.audience) }

// HasScope reports whether the scope was granted, either itself or by a wildcard: read:* grants
// every scope that begins with read: and has something after the colon. See the package
// documentation for the exact rule.
func (c Claims) HasScope(scope string) bool {
	for rest, more := c.Scope, true; more; {
		var granted string
		granted, rest, more = strings.Cut(rest, " ")
		if grants(granted, scope) {
			return true
		}
	}
	return false
}

var (
	errDestination = errors.New("verify: Decode: the destination must be a non-nil pointer")
	errDecode      = errors.New("verify: Decode: the custom claims do not fit the destination")
)

// Decode decodes the custom claims, those without a field in [Claims], as json.Unmarshal does, but
// for names: they are compared exactly, so the claim tenant needs a field with the tag
// `json:"tenant"`. In an M2M token they come from the project's template. A template may copy
// parameters of the token request: the client itself chose the value of such a claim.
func (c Claims) Decode(dst any) error {
	text := c.custom
	if text == "" {
		text = "{}"
	}
	if err := strictjson.Decode([]byte(text), dst); err != nil {
		var argument *json.InvalidUnmarshalError
		if errors.As(err, &argument) {
			return errDestination
		}
		return errDecode // the error of encoding/json may quote a value
	}
	return nil
}
