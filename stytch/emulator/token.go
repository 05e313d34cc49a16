package emulator

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/gen/server"
)

const tokenSeconds = 3600 // documented

// IssueM2MToken is the client credentials grant. Requests of real clients carry the project's own Basic credentials
// beside those of the client in the body, so the body wins.
func (p *project) IssueM2MToken(ctx context.Context, r server.IssueM2MTokenRequestObject) (server.IssueM2MTokenResponseObject, error) {
	if r.ProjectID != p.id {
		return nil, fail("project_not_found")
	}
	c := callOf(ctx)
	params, err := c.grant()
	if err != nil {
		return nil, err
	}
	switch params["grant_type"] {
	case "client_credentials":
	case "":
		return nil, grantError("invalid_request", "The grant_type is missing.")
	default:
		return nil, grantError("unsupported_grant_type", "The grant_type must be client_credentials.")
	}
	client, err := p.clientOf(params, c.r.Header)
	if err != nil {
		return nil, err
	}
	scope, err := p.grantedScope(client, params["scope"])
	if err != nil {
		return nil, err
	}
	now := p.clock().Unix()
	claims := map[string]any{
		"aud": []string{p.id}, "exp": now + tokenSeconds, "iat": now, "iss": p.issuer, "nbf": now,
		"scope": scope, "sub": client.id,
	}
	if p.behavior.TokenID {
		claims["jti"] = newSecretText(33) // 44 characters, as in tokens of Connected Apps
	}
	token, err := p.keys.sign(claims)
	if err != nil {
		return nil, err
	}
	p.minted.add(client.id)
	return jsonAnswer(200, tokenAnswer{token, tokenSeconds, c.requestID, 200, "bearer"}), nil
}

// grant reads the parameters of a token request. Those that are not known are let through: they are for templates.
func (c *call) grant() (map[string]string, error) {
	if f := c.readable(); f != nil {
		return nil, &failure{status: f.status, kind: "invalid_request", message: f.message, oauth: true}
	}
	mediaType, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	params := map[string]string{}
	switch mediaType {
	case "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(c.body))
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
		fields, ok := parseObject(c.body)
		if !ok {
			return nil, grantError("invalid_request", "The request body must be one JSON object.")
		}
		for name, raw := range fields {
			var value *string
			known := slices.Contains([]string{"grant_type", "client_id", "client_secret", "scope"}, name)
			if json.Unmarshal(raw, &value) != nil && (known || c.emulator.project.strict) {
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

// logins returns whom the request may mean: the body if it holds a secret, else the Basic header. RFC 6749, section
// 2.3.1, has both parts of the header escaped like a form; some libraries do so and others do not, so both readings are
// tried.
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

func (p *project) clientOf(params map[string]string, h http.Header) (*m2mClient, error) {
	for _, l := range logins(params, h) {
		client, err := p.clients.get(l.id)
		if err != nil || !client.secrets.accept(l.secret) {
			continue
		}
		if client.status != statusActive {
			f := grantError(p.behavior.InactiveClientError, "The client is not active.")
			f.status = p.behavior.InactiveClientStatus
			return nil, f
		}
		return client, nil
	}
	refused := grantError("invalid_client", "The client credentials are not valid.")
	refused.status = p.behavior.InvalidClientStatus
	return nil, refused
}

// grantedScope returns the scope claim: all scopes of the client, or those that were asked for, in that order.
func (p *project) grantedScope(client *m2mClient, asked string) (string, error) {
	wanted := strings.Fields(asked)
	if len(wanted) == 0 {
		return strings.Join(client.scopes, " "), nil
	}
	granted := make([]string, 0, len(wanted))
	for _, scope := range wanted {
		if slices.Contains(client.scopes, scope) {
			granted = append(granted, scope)
		} else if p.behavior.UnheldScope == Refuse {
			granted = nil
			break
		}
	}
	if len(granted) == 0 {
		return "", grantError("invalid_scope", "The client does not hold a requested scope.")
	}
	return strings.Join(granted, " "), nil
}
