package emulator

import (
	"net/http"
	"net/url"
	"slices"
)

type login struct{ id, secret string }

// logins returns the credentials that a request may mean: those in the body if it has a secret,
// else the Basic header. The body wins because real clients send the project's Basic credentials
// beside it. RFC 6749, section 2.3.1, wants both parts of the header form-encoded; some libraries
// do that and others do not, so both readings are tried.
func logins(params map[string]string, h http.Header) []login {
	id, secret := params["client_id"], params["client_secret"]
	if secret != "" {
		return []login{{id, secret}}
	}
	user, password, ok := parseBasic(h.Get("Authorization"))
	if !ok {
		return nil
	}
	all := []login{{user, password}}
	plainUser, userErr := url.QueryUnescape(user)
	plainPassword, passwordErr := url.QueryUnescape(password)
	if userErr == nil && passwordErr == nil && (plainUser != user || plainPassword != password) {
		all = append(all, login{plainUser, plainPassword})
	}
	return slices.DeleteFunc(all, func(l login) bool { return id != "" && id != l.id })
}

func (s *service) clientOf(x *exchange, params map[string]string) (*m2mClient, error) {
	for _, l := range logins(params, x.r.Header) {
		client, err := s.state.clients.get(l.id)
		if err != nil || !client.secrets.accept(l.secret) {
			continue
		}
		if client.status != statusActive {
			x.clientID = client.id
			f := grantError(x.behavior.InactiveClientError, "The client is not active.").why("the client %q is inactive: set its status to active", client.id)
			f.status = x.behavior.InactiveClientStatus
			return nil, f
		}
		return client, nil
	}
	refused := grantError("invalid_client", "The client credentials are not valid.")
	refused.status = x.behavior.InvalidClientStatus
	x.clientID, refused.reason = s.wrongLogin(params, x.r.Header)
	return nil, refused
}
