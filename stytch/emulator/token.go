package emulator

import (
	"encoding/json"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const tokenSeconds = 3600 // documented

// IssueM2MToken is the client credentials grant. It reads its body itself, because the body may be
// a form.
func (s *service) IssueM2MToken(w http.ResponseWriter, r *http.Request, projectID string) {
	s.serve(w, r, operation{id: tokenOperation, public: true}, func(x *exchange) (response, error) {
		if projectID != s.state.id {
			return response{}, unknownProject(x.behavior)
		}
		params, err := x.tokenParameters(s.state.strict)
		if err != nil {
			return response{}, err
		}
		switch params["grant_type"] {
		case "client_credentials":
		case "":
			return response{}, grantError("invalid_request", "The grant_type is missing.")
		default:
			return response{}, grantError("unsupported_grant_type", "The grant_type must be client_credentials.")
		}
		client, err := s.clientOf(x, params)
		if err != nil {
			return response{}, err
		}
		scope, err := grantedScope(client.scopes, params["scope"], x.behavior.UnheldScope)
		if err != nil {
			return response{}, err
		}
		token, err := s.state.keys.sign(&x.pending, s.state.claims(x.behavior, client, scope, params))
		if err != nil {
			return response{}, err
		}
		if err := s.state.minted.add(&x.pending, client.id); err != nil {
			return response{}, err
		}
		return jsonResponse(200, tokenResponse{token, tokenSeconds, x.requestID, 200, "bearer"}), nil
	})
}

// unknownProject is the refusal of a path with the id of another project.
func unknownProject(b Behavior) error {
	if b.TokenErrorFormat == oauthFormat {
		return grantError("invalid_request", "The project could not be found.")
	}
	return fail("project_not_found")
}

func (s *state) claims(b Behavior, client *m2mClient, scope string, params map[string]string) map[string]any {
	now := s.clock().Unix()
	claims := s.template.claims(client, params)
	maps.Copy(claims, map[string]any{
		"aud": []string{s.id}, "exp": now + tokenSeconds, "iat": now, "iss": s.issuer, "nbf": now,
		"scope": scope, "sub": client.id,
	})
	if b.TokenID {
		claims["jti"] = newSecretText(33) // 44 characters, as in tokens of Connected Apps
	}
	return claims
}

// tokenParameters reads the parameters of a token request. Unknown ones are accepted: token
// templates may use them.
func (x *exchange) tokenParameters(strict bool) (map[string]string, error) {
	if f := x.bodyFailure(); f != nil {
		return nil, &failure{status: f.status, kind: "invalid_request", message: f.message, oauth: true}
	}
	mediaType, _, _ := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	params := map[string]string{}
	switch mediaType {
	case "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(x.body))
		if err != nil {
			return nil, grantError("invalid_request", "The request body is not a form.")
		}
		for name, value := range values {
			if len(value) > 1 {
				return nil, grantError("invalid_request", "A parameter is repeated.")
			}
			params[name] = value[0]
		}
	case "application/json":
		fields, ok := parseObject(x.body)
		if !ok {
			return nil, grantError("invalid_request", "The request body must be one JSON object.")
		}
		for name, raw := range fields {
			var value *string
			known := slices.Contains([]string{"grant_type", "client_id", "client_secret", "scope"}, name)
			if json.Unmarshal(raw, &value) != nil && (known || strict) {
				return nil, grantError("invalid_request", "A parameter is not a string.")
			}
			params[name] = orZero(value)
		}
	default:
		return nil, grantError("invalid_request", "The Content-Type must be application/x-www-form-urlencoded or application/json.")
	}
	return params, nil
}

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
			f := grantError(x.behavior.InactiveClientError, "The client is not active.")
			f.status = x.behavior.InactiveClientStatus
			return nil, f
		}
		return client, nil
	}
	refused := grantError("invalid_client", "The client credentials are not valid.")
	refused.status = x.behavior.InvalidClientStatus
	return nil, refused
}

// grantedScope returns the scope claim: all scopes of the client, or the requested ones in the
// order of the request.
func grantedScope(held []string, requested string, unheld Choice) (string, error) {
	wanted := strings.Fields(requested)
	if len(wanted) == 0 {
		return strings.Join(held, " "), nil
	}
	granted := make([]string, 0, len(wanted))
	for _, scope := range wanted {
		if slices.Contains(held, scope) {
			granted = append(granted, scope)
		} else if unheld == Refuse {
			granted = nil
			break
		}
	}
	if len(granted) == 0 {
		return "", grantError("invalid_scope", "The client does not hold a requested scope.")
	}
	return strings.Join(granted, " "), nil
}
