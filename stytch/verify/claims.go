package verify

import (
	"encoding/json"
	"errors"
	"time"
)

// Kind is a kind of token.
type Kind string

// The kinds of tokens that can be verified.
const (
	M2M          Kind = "m2m"           // of an M2M client, for itself
	ConnectedApp Kind = "connected_app" // of a Connected App, for a user or member
)

// Claims are what a verified token says. They are shared by all who verify the same token: change nothing of them, the slices
// included. They may be read by many goroutines.
type Claims struct {
	Kind      Kind
	ClientID  string   // the M2M client or the Connected App
	Subject   string   // of an M2M token ClientID, of a Connected App's the id of the user or member
	Scopes    []string // as granted, wildcards such as read:* included; nil if none
	Issuer    string
	Audience  []string
	ID        string // the jti claim, "" without one; Stytch documents it for Connected Apps only
	IssuedAt  time.Time
	NotBefore time.Time
	ExpiresAt time.Time

	custom string // JSON object of all other claims, "" if there are none
}

// Decode decodes the custom claims, those without a field in [Claims], as json.Unmarshal does. Of an M2M token they come from
// the project's template, which may copy parameters of the token request: such a claim is chosen by the client itself.
func (c *Claims) Decode(dst any) error {
	text := c.custom
	if text == "" {
		text = "{}"
	}
	if err := json.Unmarshal([]byte(text), dst); err != nil {
		var argument *json.InvalidUnmarshalError
		if errors.As(err, &argument) {
			return errDestination
		}
		return errDecode // the error of encoding/json may quote a value
	}
	return nil
}

var (
	errDestination = errors.New("verify: Decode: the destination must be a pointer and not nil")
	errDecode      = errors.New("verify: Decode: the custom claims do not fit the destination")
)

// HasScope reports whether the scope was granted, either itself or by a wildcard. read:* grants every scope that begins with
// read: and goes on behind it. See the package documentation for the exact rule.
func (c *Claims) HasScope(scope string) bool {
	for _, granted := range c.Scopes {
		if grants(granted, scope) {
			return true
		}
	}
	return false
}
