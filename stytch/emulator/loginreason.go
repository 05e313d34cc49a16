package emulator

import (
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// wrongLogin says exactly what is wrong with the credentials of a token request, and of which
// client they are, if of any. It shows neither what was sent as a secret nor an unknown client_id,
// which may be a secret in the wrong place.
func (s *service) wrongLogin(params map[string]string, h http.Header) (clientID, reason string) {
	id, secret := params["client_id"], params["client_secret"]
	from := "client_id and client_secret"
	if secret == "" {
		user, password, ok := parseBasic(h.Get("Authorization"))
		switch {
		case h.Get("Authorization") != "" && !ok:
			return "", "there is no client_secret in the body, and the Authorization header is not HTTP Basic"
		case !ok && id != "":
			return "", "the request has a client_id but no secret: send client_secret, or both as HTTP Basic"
		case !ok:
			return "", "the request has no credentials: send client_id and client_secret, or both as HTTP Basic"
		case id != "" && id != user:
			return "", "the client_id of the body is not the user name of HTTP Basic"
		}
		id, secret, from = user, password, "the user name and the password of HTTP Basic"
		for _, l := range logins(params, h) {
			if _, err := s.state.clients.get(l.id); err == nil {
				id, secret = l.id, l.secret // the reading that names a client
			}
		}
	}
	client, err := s.state.clients.get(id)
	if err != nil {
		return "", s.unknownClient(id, secret, from)
	}
	return client.id, s.wrongSecret(client, secret)
}

func (s *service) unknownClient(id, secret, from string) string {
	exists := func(id string) bool { _, err := s.state.clients.get(id); return err == nil }
	_, notAnApp := s.state.apps.get(id)
	const prefix = "m2m-client-"
	switch {
	case id == "":
		return "the client_id is empty"
	case notAnApp == nil:
		return fmt.Sprintf("the client %q is a Connected App: the grant client_credentials is for M2M clients", id)
	case exists(secret) || strings.HasPrefix(secret, prefix):
		return from + " are swapped"
	case exists(strings.TrimSpace(id)):
		return fmt.Sprintf("the client_id has a space or line break around it: without it, it is that of the client %q", strings.TrimSpace(id))
	case strings.HasPrefix(id, "project-"):
		return "the client_id is a project ID: this endpoint takes the credentials of an M2M client"
	case strings.HasPrefix(id, prefix) && !strings.HasPrefix(id, prefix+s.state.env+"-"):
		return fmt.Sprintf("the M2M client %.256q is of another environment: this is the project %s", id, s.state.id)
	case strings.HasPrefix(id, prefix):
		return fmt.Sprintf("no M2M client has the ID %.256q: it was deleted, or belongs to another project", id)
	}
	return fmt.Sprintf("no M2M client has the client_id that was sent, which has %d characters", utf8.RuneCountInString(id))
}

func (s *service) wrongSecret(client *m2mClient, secret string) string {
	current, next := client.secrets.current, client.secrets.next
	var reason string
	if next == nil {
		reason = fmt.Sprintf("the secret does not match the secret of the client %q (last four %q; no rotation is in progress)", client.id, current.lastFour)
	} else {
		reason = fmt.Sprintf("the secret matches neither the current nor the next secret of the client %q (last four %q and %q)", client.id, current.lastFour, next.lastFour)
	}
	trimmed := strings.TrimSpace(secret)
	switch {
	case secret == "":
		return reason + ": it is empty"
	case trimmed != secret && client.secrets.accept(trimmed):
		return reason + ": without the space or line break around it, it does"
	case secret == s.state.reveal():
		return reason + ": it is the secret of the project"
	case secret == client.id:
		return reason + ": it is the client_id"
	}
	return reason
}

// otherGrant is the reason for a grant_type that M2M clients do not have. It shows only those that
// are registered.
func otherGrant(grant string) string {
	switch grant {
	case "authorization_code", "refresh_token", "password", "implicit",
		"urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange":
		return "the grant_type is " + grant + ": M2M clients have client_credentials"
	}
	return "the grant_type is not known: send client_credentials"
}

// parameterName is the name of a parameter, unless a client made it up.
func parameterName(name string) string {
	for _, known := range parameterNames {
		if name == known {
			return name
		}
	}
	return "that the contract does not have"
}

func mediaTypeName(mediaType string) string {
	if mediaType == "" {
		return "missing or malformed"
	}
	return shortened(mediaType, 64)
}
