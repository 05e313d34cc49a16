package api

import (
	"context"
	"encoding/json"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/destination"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

// shown is where responses show secrets.
type shown struct {
	M2MClient    *shownClient `json:"m2m_client"`
	ConnectedApp *shownClient `json:"connected_app"`
}

type shownClient struct {
	ClientID string        `json:"client_id"`
	Secret   secret.String `json:"client_secret"`
	Next     secret.String `json:"next_client_secret"`
}

// store puts the secret of a response into its place, and returns the response without it.
func store(ctx context.Context, place *destination.Place, r *request, text []byte) ([]byte, error) {
	id, s, found := shownSecret(r, text)
	switch {
	case !found:
		return nil, stytch.ErrInvalidResponse
	case s.IsZero(): // a public Connected App has none
		return text, nil
	}
	if err := place.Put(ctx, id, s, done(r, id)); err != nil {
		return nil, err
	}
	return redact.New(s.Reveal()).JSON(text), nil
}

// shownSecret is the secret in a response, and whose it is.
func shownSecret(r *request, text []byte) (id string, s secret.String, found bool) {
	var body shown
	_ = json.Unmarshal(text, &body) // the client has found the secret, or sent no body
	if r.op == operation.RegisterConnectedApp {
		body.ConnectedApp = new(shownClient)
		_ = json.Unmarshal(text, body.ConnectedApp)
	}
	for _, client := range []*shownClient{body.M2MClient, body.ConnectedApp} {
		if client == nil {
			continue
		}
		id, s = client.ClientID, client.Secret
		if s.IsZero() {
			s = client.Next
		}
		if id == "" {
			id = r.clientIDInPath
		}
		return id, s, true
	}
	return "", s, false
}

// printed prints a response. A secret that could not be printed is saved.
func printed(app *cli.App, r *request, place *destination.Place, text []byte) error {
	err := print(app, text)
	if err == nil || place != nil || !r.op.ReturnsSecret {
		return err
	}
	if id, s, found := shownSecret(r, text); found && !s.IsZero() {
		return destination.Unprinted(app, id, s, done(r, id), err)
	}
	return err
}

// done says what has happened, for the error of a place that fails.
func done(r *request, id string) string {
	switch r.op {
	case operation.StartM2MClientSecretRotation, operation.StartConnectedAppSecretRotation:
		return "the rotation of " + id + " was started"
	}
	return "client " + id + " was created"
}

// clientID is the id that the request names, or "".
func (r *request) clientID() string {
	if r.clientIDInPath != "" {
		return r.clientIDInPath
	}
	var body struct {
		ClientID string `json:"client_id"`
	}
	_ = json.Unmarshal(r.body, &body) // readBody has checked it, or there is none
	return body.ClientID
}
