package deliver

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// The members of what package token reads.
const (
	idName       = "client_id"
	secretName   = "client_secret"
	previousName = "next_client_secret" // package token tries both, whichever is the newer one
)

// maxForm is as much as package token reads of a file.
const maxForm = 16 << 10

// parseForm reads a form that is a text of its own. An empty one is like {}, as somebody may have made room for it.
func parseForm(data []byte) (object, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return object{}, nil
	}
	return parseObject(data)
}

// heldFor is what o holds for a client, the zero value if that is nothing.
func heldFor(clientID string, o object) (rotate.Delivery, error) {
	id, ok1 := o.text(idName)
	text, ok2 := o.text(secretName)
	previous, ok3 := o.text(previousName)
	switch {
	case !ok1 || !ok2 || !ok3:
		return rotate.Delivery{}, errors.New(idName + ", " + secretName + " or " + previousName + " is not a string")
	case id == "" && text == "" && previous == "":
		return rotate.Delivery{}, nil
	case id == "":
		return rotate.Delivery{}, wrong(ErrOtherClient, "it has a secret and no %s", idName)
	case id != clientID:
		return rotate.Delivery{}, wrong(ErrOtherClient, "its %s is %.256q, not %q", idName, id, clientID)
	case text == "" && previous == "":
		return rotate.Delivery{}, nil
	}
	return rotate.Delivery{ClientID: id, Secret: secret.New(text), Previous: secret.New(previous)}, nil
}

// filled is o with what d says.
func filled(o object, d rotate.Delivery) (object, error) {
	for _, m := range []struct {
		name  string
		value any
	}{{idName, d.ClientID}, {secretName, secret.Outgoing(d.Secret)}, {previousName, secret.Outgoing(d.Previous)}} {
		if m.name == previousName && d.Previous.IsZero() {
			return o.with(m.name, nil), nil
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		o = o.with(m.name, value)
	}
	return o, nil
}

// filledForm is the text of o with what d says.
func filledForm(o object, d rotate.Delivery) ([]byte, error) {
	o, err := filled(o, d)
	if err != nil {
		return nil, err
	}
	data := append(o.bytes(), '\n')
	if len(data) > maxForm {
		return nil, errors.New("it would be too large for those who read it")
	}
	return data, nil
}

// same reports whether a place that holds held is to stay as it is.
func same(held, d rotate.Delivery) bool {
	return held.ClientID == d.ClientID && held.Secret.Equal(d.Secret) && held.Previous.Equal(d.Previous)
}
