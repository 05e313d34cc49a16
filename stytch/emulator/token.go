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

// parameterNames are the parameters of the contract, at all endpoints of OAuth 2.0.
var parameterNames = []string{"grant_type", "client_id", "client_secret", "scope", "token", "token_type_hint"}

const tokenSeconds = 3600 // documented

// IssueM2MToken is the client credentials grant. It reads its body itself, because the body may be
// a form.
func (s *service) IssueM2MToken(w http.ResponseWriter, r *http.Request, projectID string) {
	s.issueToken(w, r, "IssueM2MToken", projectID, s.state.issuer)
}

// IssueM2MTokenOnProjectDomain is the same on the domain of the project, which is the issuer.
func (s *service) IssueM2MTokenOnProjectDomain(w http.ResponseWriter, r *http.Request) {
	s.issueToken(w, r, "IssueM2MTokenOnProjectDomain", s.state.id, s.state.domainIssuer(r))
}

func (s *service) issueToken(w http.ResponseWriter, r *http.Request, id, projectID, issuer string) {
	s.serve(w, r, operation{id: id, public: true}, func(x *exchange) (response, error) {
		if projectID != s.state.id {
			return response{}, s.unknownProject(*x.behavior)
		}
		params, err := x.parameters(s.state.strict, "application/x-www-form-urlencoded", "application/json")
		if err != nil {
			return response{}, err
		}
		switch params["grant_type"] {
		case "client_credentials":
		case "":
			return response{}, grantError("invalid_request", "The grant_type is missing.").why("the parameter grant_type is missing: send client_credentials")
		default:
			return response{}, grantError("unsupported_grant_type", "The grant_type must be client_credentials.").why("%s", otherGrant(params["grant_type"]))
		}
		client, err := s.clientOf(x, params)
		if err != nil {
			return response{}, err
		}
		x.clientID = client.id
		scope, err := grantedScope(client.scopes, params["scope"], x.behavior.UnheldScope)
		if err != nil {
			return response{}, err
		}
		token, err := s.state.keys.sign(&x.pending, s.state.claims(*x.behavior, client, issuer, scope, params))
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
func (s *service) unknownProject(b Behavior) error {
	refused := fail("project_not_found")
	if b.TokenErrorFormat == oauthFormat {
		refused = grantError("invalid_request", "The project could not be found.")
	}
	return refused.why("the path has another project ID: this is the project %s", s.state.id)
}

func (s *state) claims(b Behavior, client *m2mClient, issuer, scope string, params map[string]string) map[string]any {
	now := s.clock().Unix()
	claims := s.template.claims(client, params)
	maps.Copy(claims, map[string]any{
		"aud": []string{s.id}, "exp": now + tokenSeconds, "iat": now, "iss": issuer, "nbf": now,
		"scope": scope, "sub": client.id,
	})
	if b.TokenID {
		claims["jti"] = newTokenID()
	}
	return claims
}

// parameters reads the parameters of a request whose body has one of the media types. Unknown ones
// are accepted: token templates may use them.
func (x *exchange) parameters(strict bool, accepted ...string) (map[string]string, error) {
	if f := x.bodyFailure(); f != nil {
		return nil, &failure{status: f.status, kind: "invalid_request", message: f.message, oauth: true}
	}
	mediaType, _, _ := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	params := map[string]string{}
	if !slices.Contains(accepted, mediaType) {
		wanted := strings.Join(accepted, " or ")
		return nil, grantError("invalid_request", "The Content-Type must be "+wanted+".").why("the Content-Type is %s: it must be %s", mediaTypeName(mediaType), wanted)
	}
	switch mediaType {
	case "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(x.body))
		if err != nil {
			return nil, grantError("invalid_request", "The request body is not a form.").why("the body is not a form: its percent-encoding is wrong, or it contains a semicolon")
		}
		for name, value := range values {
			if len(value) > 1 {
				return nil, grantError("invalid_request", "A parameter is repeated.").why("the parameter %s is repeated", parameterName(name))
			}
			params[name] = value[0]
		}
	case "application/json":
		fields, ok := parseObject(x.body)
		if !ok {
			return nil, grantError("invalid_request", "The request body must be one JSON object.").why("the body %s", jsonFault(x.body))
		}
		for name, raw := range fields {
			var value *string
			known := slices.Contains(parameterNames, name)
			if json.Unmarshal(raw, &value) != nil && (known || strict) {
				return nil, grantError("invalid_request", "A parameter is not a string.").why("the parameter %s must be a string, and it is %s", parameterName(name), jsonKind(raw))
			}
			params[name] = orZero(value)
		}
	}
	return params, nil
}

// grantedScope returns the scope claim: all scopes of the client, or the requested ones in the
// order of the request.
func grantedScope(held []string, requested string, unheld Choice) (string, error) {
	wanted := strings.Fields(requested)
	if len(wanted) == 0 {
		return strings.Join(held, " "), nil
	}
	granted := make([]string, 0, len(wanted))
	missing := ""
	for _, scope := range wanted {
		if slices.Contains(held, scope) {
			granted = append(granted, scope)
			continue
		}
		missing = scope
		if unheld == Refuse {
			granted = nil
			break
		}
	}
	if len(granted) == 0 {
		return "", grantError("invalid_scope", "The client does not hold a requested scope.").
			why("the client does not hold the scope %.64q: it holds %s", missing, shortened(strings.Join(held, " "), 256))
	}
	return strings.Join(granted, " "), nil
}
