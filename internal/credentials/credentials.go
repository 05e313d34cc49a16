// Package credentials is how the credentials of a client are stored: in a file that token.File
// reads, in a secret manager, in the environment. Most places hold a JSON object:
//
//	{"client_id": "…", "client_secret": "…", "previous_client_secret": "…"}
//
// client_secret is the secret to use. previous_client_secret is the one that it replaces and that
// is accepted as well; outside of a rotation the member is absent. Its earlier name,
// next_client_secret, is still read. Other members belong to the owner of the place and are kept.
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
	idName       = "client_id"
	secretName   = "client_secret"
	previousName = "previous_client_secret"
	nextName     = "next_client_secret" // the earlier name of previousName: it is read, and replaced when writing
)

// names is all of them, in the order of the lines of a file. Those from required on may be absent.
var names = [4]string{idName, secretName, previousName, nextName}

const required = 2

// ErrOtherClient means that an object holds the secret of another client, or one without a client
// id.
var ErrOtherClient = errors.New("the credentials belong to another client")

// Credentials are those of one client. The zero value stands for none.
type Credentials struct {
	ClientID string
	Secret   secret.String // the one to use
	Previous secret.String // also accepted; the zero value if there is none
}

// Equal reports whether c and other are the same.
func (c Credentials) Equal(other Credentials) bool {
	return c.ClientID == other.ClientID && c.Secret.Equal(other.Secret) && c.Previous.Equal(other.Previous)
}

// check refuses what [Text] refuses, because no reader would take it.
func (c Credentials) check() error {
	for _, m := range []struct{ name, text string }{
		{idName, c.ClientID}, {secretName, c.Secret.Reveal()}, {previousName, c.Previous.Reveal()},
	} {
		if err := check(m.name, m.text); err != nil {
			return err
		}
	}
	return nil
}

// Credentials returns what o holds, of whatever client.
func (o Object) Credentials() (Credentials, error) {
	var texts [4]string
	for i, name := range names {
		var err error
		if texts[i], err = o.text(name); err != nil {
			return Credentials{}, err
		}
	}
	return assemble(names, texts)
}

// assemble is the credentials of four values in the order of their names; "" is an absent value.
func assemble(names, texts [4]string) (Credentials, error) {
	previous := texts[2]
	switch {
	case previous == "":
		previous = texts[3]
	case texts[3] != "" && texts[3] != previous:
		return Credentials{}, fmt.Errorf("%s and %s are two names of one value and differ: remove the second", names[2], names[3])
	}
	c := Credentials{ClientID: texts[0], Secret: secret.New(texts[1]), Previous: secret.New(previous)}
	if c.Secret.IsZero() && !c.Previous.IsZero() {
		return Credentials{}, fmt.Errorf("%s without %s", names[2], names[1])
	}
	return c, nil
}

// text is the value of a member; "" if it is absent or null.
func (o Object) text(name string) (string, error) {
	i := o.index(name)
	if i < 0 {
		return "", nil
	}
	var s secret.String
	if err := s.UnmarshalJSON(o.members[i].value); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return Text(name, s.Reveal())
}

// For returns the credentials in o, the zero value if o has no secret. It refuses an object that
// names another client, with [ErrOtherClient], and one that no reader could use.
func (o Object) For(clientID string) (Credentials, error) {
	c, err := o.Credentials()
	switch {
	case err != nil:
		return Credentials{}, err
	case c.ClientID != "" && c.ClientID != clientID:
		return Credentials{}, fmt.Errorf("%w: %s is %.256q, not %q", ErrOtherClient, idName, c.ClientID, clientID)
	case c.ClientID == "" && !c.Secret.IsZero():
		return Credentials{}, fmt.Errorf("%w: there is a secret but no %s", ErrOtherClient, idName)
	case c.Secret.IsZero():
		return Credentials{}, nil
	}
	return c, nil
}

// Holds reports whether there is nothing to write for c: o has these credentials, under the names
// of today.
func (o Object) Holds(c Credentials) bool {
	held, err := o.For(c.ClientID)
	return err == nil && held.Equal(c) && o.index(nextName) < 0
}

// With returns o with these credentials. The same o and c always give the same text.
func (o Object) With(c Credentials) (Object, error) {
	if err := c.check(); err != nil {
		return Object{}, err
	}
	id, err := json.Marshal(c.ClientID)
	if err != nil {
		return Object{}, fmt.Errorf("%s: %w", idName, err)
	}
	o = o.set(idName, id)
	if o, err = o.withSecret(secretName, c.Secret); err != nil {
		return Object{}, err
	}
	return o.remove(nextName).withSecret(previousName, c.Previous)
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
