package emulator

import (
	"net/http"
	"slices"

	"github.com/stytchkit/m2m/gen/server"
)

// The methods by which a registered app authenticates at the token endpoint.
var authMethods = []string{"none", "client_secret_basic", "client_secret_post"}

// RegisterConnectedApp creates an app for anyone who asks (RFC 7591), if the project allows it.
func (s *service) RegisterConnectedApp(w http.ResponseWriter, r *http.Request) {
	op := operation{id: "RegisterConnectedApp", public: true, body: server.RegisterConnectedAppRequest{}}
	s.serve(w, r, op, func(x *exchange) (response, error) {
		if !x.behavior.DynamicRegistration {
			return response{}, fail("dynamic_client_registration_not_enabled").why("the project has no dynamic client registration: set the behavior dynamic_registration")
		}
		app, method, err := readRegistration(x)
		if err != nil {
			return response{}, err
		}
		registered, text, err := s.state.register(&x.pending, *x.behavior, app)
		if err != nil {
			return response{}, err
		}
		x.clientID = registered.id
		answer := jsonResponse(x.behavior.RegisterStatus, registered.registration(method, text))
		answer.noStore = text != ""
		return answer, nil
	})
}

func readRegistration(x *exchange) (app connectedApp, method string, err error) {
	in := &input{fields: x.fields, null: Ignore}
	name, _ := get[string](in, "client_name")
	uri, _ := get[string](in, "client_uri")
	urls, _ := in.texts("redirect_uris")
	chosen, given := get[string](in, "token_endpoint_auth_method")
	if method = authMethods[0]; given && chosen != nil {
		method = *chosen
	}
	if len(urls) == 0 {
		in.refuse(because("bad_request", "The field redirect_uris is required.").why("the field redirect_uris must be a list of at least one URL"))
	}
	if !slices.Contains(authMethods, method) {
		in.refuse(because("bad_request", "The token_endpoint_auth_method is not known.").
			why("the field token_endpoint_auth_method must be none, client_secret_basic or client_secret_post"))
	}
	app = connectedApp{
		name: orZero(name), clientURI: orZero(uri), redirectURLs: urls, postLogoutURLs: []string{}, expiryMinutes: defaultExpiryMinutes,
		registered: true, clientType: "third_party",
	}
	if method == "none" {
		app.clientType = "third_party_public"
	}
	return app, method, in.err
}

// register stores an app, or finds the public one that registered with the same metadata
// (documented).
func (s *state) register(p *pending, b Behavior, app connectedApp) (*connectedApp, string, error) {
	s.registering.Lock()
	defer s.registering.Unlock()
	if app.public() {
		same := s.apps.page(0, 1, func(other *connectedApp) bool {
			return other.registered && other.public() && other.name == app.name && other.clientURI == app.clientURI && slices.Equal(other.redirectURLs, app.redirectURLs)
		}, false)
		if len(same.records) > 0 {
			return same.records[0], "", nil
		}
	}
	return s.addConnectedApp(p, b, app, nil, nil)
}

// registration is the response, without the envelope, as the documented sample is.
func (a *connectedApp) registration(method, secret string) registerResponse {
	answer := registerResponse{
		ClientID: a.id, ClientName: a.name, ClientSecret: secret, ClientURI: a.clientURI, GrantTypes: []string{"authorization_code", "refresh_token"},
		RedirectURIs: a.redirectURLs, ResponseTypes: []string{"code"}, TokenEndpointAuthMethod: method,
	}
	if secret != "" {
		answer.ClientSecretExpiresAt = new(int64) // never (RFC 7591, section 3.2.1)
	}
	return answer
}
