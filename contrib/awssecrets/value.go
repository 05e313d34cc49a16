package awssecrets

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// The names in the JSON object, which are those that token.File reads.
const (
	keyID       = "client_id"
	keySecret   = "client_secret"
	keyPrevious = "next_client_secret"
)

// value is what a version holds: the credentials and whatever else its owner keeps there. The zero
// value is that of no version.
type value struct {
	held   rotate.Delivery // without a rotation id
	fields map[string]json.RawMessage
}

// get reads a version, or that with a label.
func (p *place) get(ctx context.Context, in secretsmanager.GetSecretValueInput) (string, error) {
	in.SecretId = aws.String(p.secretID)
	out, err := p.api.GetSecretValue(ctx, &in, quiet)
	if err != nil {
		return "", p.failed("GetSecretValue", err)
	}
	if out.SecretString == nil {
		return "", p.wrong(ErrValue, "its value is binary, must be a JSON object")
	}
	return *out.SecretString, nil
}

// value reads a version. "" is none.
func (p *place) value(ctx context.Context, id string) (value, error) {
	if id == "" {
		return value{}, nil
	}
	text, err := p.get(ctx, secretsmanager.GetSecretValueInput{VersionId: aws.String(id)})
	if err != nil {
		return value{}, err
	}
	return p.parse(text)
}

func (p *place) parse(text string) (value, error) {
	v, err := parse(text)
	if err != nil {
		return value{}, p.wrong(ErrValue, "%w", err)
	}
	for key, raw := range v.fields {
		if key == keyID {
			continue // names of secrets and resources may hold it
		}
		var s string
		if json.Unmarshal(raw, &s) != nil {
			s = string(raw)
		}
		p.hide(s)
	}
	if id := v.held.ClientID; id != "" && id != p.clientID {
		return value{}, p.wrong(ErrValue, "it belongs to another client, %.256q", id)
	}
	return v, nil
}

// parse never quotes what it reads. An object that not every reader would understand in the same
// way is refused.
func parse(text string) (value, error) {
	fields, ok := object(text)
	if !ok {
		return value{}, errors.New("it is not one JSON object without repeated names")
	}
	v := value{fields: fields}
	if raw, there := fields[keyID]; there && json.Unmarshal(raw, &v.held.ClientID) != nil {
		return value{}, fmt.Errorf("%s is not a string", keyID)
	}
	for key, to := range map[string]*secret.String{keySecret: &v.held.Secret, keyPrevious: &v.held.Previous} {
		if raw, there := fields[key]; there {
			if err := to.UnmarshalJSON(raw); err != nil {
				return value{}, fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	switch {
	case v.held.Secret.IsZero() && !v.held.Previous.IsZero():
		return value{}, fmt.Errorf("it has %s without %s", keyPrevious, keySecret)
	case !v.held.Secret.IsZero() && v.held.ClientID == "":
		return value{}, fmt.Errorf("it has %s without %s, so whose it is cannot be known", keySecret, keyID)
	}
	return v, nil
}

// object reads exactly one JSON object, in which no name is there twice.
func object(text string) (map[string]json.RawMessage, bool) {
	if !utf8.ValidString(text) {
		return nil, false
	}
	d := json.NewDecoder(strings.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, false
	}
	fields := map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		key, _ := name.(string)
		var raw json.RawMessage
		if _, twice := fields[key]; twice || d.Decode(&raw) != nil {
			return nil, false
		}
		fields[key] = raw
	}
	if _, err := d.Token(); err != nil {
		return nil, false
	}
	_, err := d.Token()
	return fields, errors.Is(err, io.EOF)
}

// holds reports whether nothing is left to be delivered.
func (v value) holds(d rotate.Delivery) bool {
	return v.held.ClientID == d.ClientID && v.held.Secret.Equal(d.Secret) && v.held.Previous.Equal(d.Previous)
}

// with is the text of v with the credentials of d. Of the same v and d it is always the same.
func (v value) with(d rotate.Delivery) (string, error) {
	if !utf8.ValidString(d.ClientID) {
		return "", errors.New("the client id is not valid UTF-8")
	}
	fields := maps.Clone(v.fields)
	if fields == nil {
		fields = map[string]json.RawMessage{}
	}
	id, err := json.Marshal(d.ClientID)
	if err != nil {
		return "", fmt.Errorf("%s: %w", keyID, err)
	}
	fields[keyID] = id
	delete(fields, keyPrevious)
	for key, s := range map[string]secret.String{keySecret: d.Secret, keyPrevious: d.Previous} {
		if s.IsZero() {
			continue
		}
		if fields[key], err = secret.Outgoing(s).MarshalJSON(); err != nil {
			return "", fmt.Errorf("%s: %w", key, err)
		}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // what others wrote stays as they wrote it
	if err := e.Encode(fields); err != nil {
		return "", errors.New("the value cannot be written as JSON")
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}
