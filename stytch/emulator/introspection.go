package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
)

// IntrospectToken says whether a token is active (RFC 7662).
func (s *service) IntrospectToken(w http.ResponseWriter, r *http.Request, projectID string) {
	s.introspect(w, r, "IntrospectToken", projectID)
}

// IntrospectTokenOnProjectDomain is the same on the domain of the project.
func (s *service) IntrospectTokenOnProjectDomain(w http.ResponseWriter, r *http.Request) {
	s.introspect(w, r, "IntrospectTokenOnProjectDomain", s.state.id)
}

// RevokeToken makes a token inactive (RFC 7009).
func (s *service) RevokeToken(w http.ResponseWriter, r *http.Request, projectID string) {
	s.revoke(w, r, "RevokeToken", projectID)
}

// RevokeTokenOnProjectDomain is the same on the domain of the project.
func (s *service) RevokeTokenOnProjectDomain(w http.ResponseWriter, r *http.Request) {
	s.revoke(w, r, "RevokeTokenOnProjectDomain", s.state.id)
}

func (s *service) introspect(w http.ResponseWriter, r *http.Request, id, projectID string) {
	s.serveToken(w, r, id, projectID, func(x *exchange, client, token string) (response, error) {
		claims, inactive := s.state.activeToken(r, client, token)
		if inactive != "" {
			x.reason = "the token is not active: " + inactive
			return jsonResponse(200, map[string]any{"active": false, "request_id": x.requestID, "status_code": 200}), nil
		}
		if claims["client_id"] == nil {
			claims["client_id"] = client
		}
		maps.Copy(claims, map[string]any{"active": true, "token_type": "bearer", "request_id": x.requestID, "status_code": 200})
		return jsonResponse(200, claims), nil
	})
}

func (s *service) revoke(w http.ResponseWriter, r *http.Request, id, projectID string) {
	s.serveToken(w, r, id, projectID, func(x *exchange, client, token string) (response, error) {
		claims, inactive := s.state.activeToken(r, client, token)
		if inactive == "" {
			if err := s.state.revoked.add(&x.pending, hashToken(token), seconds(claims["exp"]), s.state.clock()); err != nil {
				return response{}, err
			}
		} else {
			x.reason = "nothing was revoked: " + inactive
		}
		return jsonResponse(200, revokeResponse{x.requestID, 200}), nil
	})
}

// serveToken carries out an operation on the token of a client.
func (s *service) serveToken(w http.ResponseWriter, r *http.Request, id, projectID string, run func(x *exchange, client, token string) (response, error)) {
	s.serve(w, r, operation{id: id, public: true}, func(x *exchange) (response, error) {
		if projectID != s.state.id {
			return response{}, s.unknownProject(*x.behavior)
		}
		params, err := x.parameters(s.state.strict, "application/x-www-form-urlencoded")
		if err != nil {
			return response{}, err
		}
		if params["token"] == "" {
			return response{}, grantError("invalid_request", "The token is missing.").why("the parameter token is missing or empty")
		}
		client, err := s.holderOf(x, params)
		if err != nil {
			return response{}, err
		}
		x.clientID = client
		return run(x, client, params["token"])
	})
}

// activeToken returns the claims of a token if it is one of the client's and active, or why it is
// not. Whether Stytch reports the tokens of other clients is not known: the emulator does not. It
// has no refresh tokens, because it has no users.
func (s *state) activeToken(r *http.Request, client, token string) (claims map[string]any, inactive string) {
	payload, ok := s.keys.verify(token)
	if !ok {
		return nil, "it is no token that a listed key of this project signed"
	}
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.UseNumber() // so that custom claims keep every digit
	if dec.Decode(&claims) != nil || claims == nil {
		return nil, "its claims are not a JSON object"
	}
	owner, _ := claims["client_id"].(string)
	if owner == "" {
		owner, _ = claims["sub"].(string)
	}
	now := s.clock().Unix()
	switch {
	case claims["iss"] != s.issuer && claims["iss"] != s.domainIssuer(r):
		return nil, "it has another issuer than this project"
	case owner != client:
		return nil, fmt.Sprintf("it was not issued to the client %q", client)
	case seconds(claims["exp"]) <= now:
		return nil, "it has expired"
	case seconds(claims["nbf"]) > now:
		return nil, "it is not valid yet"
	case s.revoked.has(hashToken(token)):
		return nil, "it was revoked"
	}
	return claims, ""
}

// seconds is a date of a token; 0 if it has none.
func seconds(claim any) int64 {
	number, _ := claim.(json.Number)
	n, err := number.Int64()
	if err != nil {
		return 0
	}
	return n
}

// holderOf returns the id of the client that asks: a Connected App, which proves itself with its
// secret unless it is public, or an M2M client if the behavior allows it.
func (s *service) holderOf(x *exchange, params map[string]string) (string, error) {
	refused := grantError("invalid_client", "The client credentials are not valid.")
	refused.status = x.behavior.InvalidClientStatus
	all := logins(params, x.r.Header)
	if len(all) == 0 && params["client_id"] != "" {
		all = []login{{params["client_id"], ""}}
	}
	for _, l := range all {
		app, err := s.state.apps.get(l.id)
		if err != nil {
			continue
		}
		if app.public() && l.secret == "" || app.secrets.accept(l.secret) {
			return app.id, nil
		}
		x.clientID, refused.reason = app.id, wrongProof(app, l.secret)
	}
	if x.clientID != "" {
		return "", refused
	}
	client, err := s.clientOf(x, params)
	switch {
	case len(all) == 0:
		return "", refused.why("the request has no credentials: send client_id, and client_secret unless the app is public")
	case err != nil && x.clientID == "":
		return "", refused.why("no Connected App or M2M client has the client_id that was sent: it was deleted, or belongs to another project")
	case err != nil: // and its reason says what is wrong with the M2M client
		return "", err
	case x.behavior.IntrospectM2M == Refuse:
		return "", refused.why("the client %q is an M2M client, and the behavior introspect_m2m refuses those", client.id)
	}
	return client.id, nil
}

func wrongProof(app *connectedApp, secret string) string {
	switch {
	case app.public():
		return fmt.Sprintf("the app %q is public and has no secret: leave client_secret out", app.id)
	case secret == "":
		return fmt.Sprintf("the app %q has a secret: send it as client_secret, or both as HTTP Basic", app.id)
	}
	return fmt.Sprintf("the secret does not match that of the app %q (last four %q)", app.id, app.secrets.current.lastFour)
}

// domainIssuer is the iss of tokens that are requested on the domain of the project, which is the
// host of the request unless [WithIssuer] names it.
func (s *state) domainIssuer(r *http.Request) string {
	if s.issuer != "stytch.com/"+s.id {
		return s.issuer
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + strings.ToLower(r.Host)
}
