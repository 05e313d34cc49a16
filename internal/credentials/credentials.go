// Package credentials is the JSON object in which the credentials of a client are stored, whether
// in a file that token.File reads or in a secret manager:
//
//	{"client_id": "…", "client_secret": "…", "next_client_secret": "…"}
//
// client_secret is the secret to use. next_client_secret is another one that is accepted as well;
// outside of a rotation the member is absent. Other members belong to the owner of the place and
// are kept.
//
// No error quotes a secret.
package credentials

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stytchkit/m2m/stytch/secret"
)

// The names of the members.
const (
	idName     = "client_id"
	secretName = "client_secret"
	nextName   = "next_client_secret"
)

// ErrOtherClient means that an object holds the secret of another client, or one without a client
// id.
var ErrOtherClient = errors.New("the credentials belong to another client")

// Credentials are those of one client. The zero value stands for none.
type Credentials struct {
	ClientID string
	Secret   secret.String // the one to use
	Next     secret.String // also accepted; the zero value if there is none
}

// Equal reports whether c and other are the same.
func (c Credentials) Equal(other Credentials) bool {
	return c.ClientID == other.ClientID && c.Secret.Equal(other.Secret) && c.Next.Equal(other.Next)
}

// For returns the credentials in o, the zero value if o has no secret. It refuses an object that
// names another client, with [ErrOtherClient], and one that no reader could use.
func (o Object) For(clientID string) (Credentials, error) {
	var c Credentials
	if i := o.index(idName); i >= 0 && json.Unmarshal(o.members[i].value, &c.ClientID) != nil {
		return Credentials{}, fmt.Errorf("%s is not a string", idName)
	}
	for name, to := range map[string]*secret.String{secretName: &c.Secret, nextName: &c.Next} {
		if i := o.index(name); i >= 0 {
			if err := to.UnmarshalJSON(o.members[i].value); err != nil {
				return Credentials{}, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	switch {
	case c.ClientID != "" && c.ClientID != clientID:
		return Credentials{}, fmt.Errorf("%w: %s is %.256q, not %q", ErrOtherClient, idName, c.ClientID, clientID)
	case c.ClientID == "" && !(c.Secret.IsZero() && c.Next.IsZero()):
		return Credentials{}, fmt.Errorf("%w: there is a secret but no %s", ErrOtherClient, idName)
	case c.Secret.IsZero() && !c.Next.IsZero():
		return Credentials{}, fmt.Errorf("%s without %s", nextName, secretName)
	case c.Secret.IsZero():
		return Credentials{}, nil
	}
	return c, nil
}

// With returns o with these credentials. The same o and c always give the same text.
func (o Object) With(c Credentials) (Object, error) {
	id, err := json.Marshal(c.ClientID)
	if err != nil {
		return Object{}, fmt.Errorf("%s: %w", idName, err)
	}
	o = o.set(idName, id)
	if o, err = o.withSecret(secretName, c.Secret); err != nil {
		return Object{}, err
	}
	return o.withSecret(nextName, c.Next)
}

func (o Object) withSecret(name string, s secret.String) (Object, error) {
	if s.IsZero() {
		return o.remove(name), nil
	}
	value, err := json.Marshal(secret.Outgoing(s))
	if err != nil {
		return Object{}, fmt.Errorf("%s: %w", name, err)
	}
	return o.set(name, value), nil
}

// minRedacted is how short a value may be to be taken for a secret. A shorter one is part of too
// many texts.
const minRedacted = 4

// Values returns the value of each member but the client id, for redaction: members of others may
// be secrets too.
func (o Object) Values() []string {
	var values []string
	for _, m := range o.members {
		var text string
		if json.Unmarshal(m.value, &text) != nil {
			text = string(m.value)
		}
		if len(text) >= minRedacted && m.name != idName {
			values = append(values, text)
		}
	}
	return values
}
