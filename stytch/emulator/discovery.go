package emulator

import "net/http"

// GetOpenIDConfiguration describes the authorization server by OpenID Connect Discovery.
func (s *service) GetOpenIDConfiguration(w http.ResponseWriter, r *http.Request, projectID string) {
	s.serveMetadata(w, r, "GetOpenIDConfiguration", projectID, openIDConfiguration)
}

// GetOpenIDConfigurationOnProjectDomain is the same on the domain of the project.
func (s *service) GetOpenIDConfigurationOnProjectDomain(w http.ResponseWriter, r *http.Request) {
	s.serveMetadata(w, r, "GetOpenIDConfigurationOnProjectDomain", s.state.id, openIDConfiguration)
}

// GetAuthorizationServerMetadata describes the authorization server by RFC 8414.
func (s *service) GetAuthorizationServerMetadata(w http.ResponseWriter, r *http.Request, projectID string) {
	s.serveMetadata(w, r, "GetAuthorizationServerMetadata", projectID, serverMetadata)
}

// GetAuthorizationServerMetadataOnProjectDomain is the same on the domain of the project.
func (s *service) GetAuthorizationServerMetadataOnProjectDomain(w http.ResponseWriter, r *http.Request) {
	s.serveMetadata(w, r, "GetAuthorizationServerMetadataOnProjectDomain", s.state.id, serverMetadata)
}

func (s *service) serveMetadata(w http.ResponseWriter, r *http.Request, id, projectID string, describe func(x *exchange, domain string) any) {
	s.serve(w, r, operation{id: id, public: true}, func(x *exchange) (response, error) {
		if err := s.checkProject(projectID); err != nil {
			return response{}, err
		}
		return jsonResponse(200, describe(x, s.state.domainIssuer(r))), nil
	})
}

// authorizationPage is where a project lets its users authorize apps. It belongs to the project,
// not to Stytch, and the emulator has none.
const authorizationPage = "/oauth/authorize"

func openIDConfiguration(x *exchange, domain string) any {
	return openIDResponse{
		AuthorizationEndpoint: domain + authorizationPage, GrantTypesSupported: []string{"authorization_code"},
		IDTokenSigningAlgValuesSupported: []string{"RS256"}, Issuer: domain, JWKSURI: domain + "/.well-known/jwks.json",
		RequestID: x.requestID, ResponseTypesSupported: []string{"code"},
		ScopesSupported: []string{"openid", "profile", "email", "phone", "offline_access"}, StatusCode: 200,
		SubjectTypesSupported: []string{"public"}, TokenEndpoint: domain + "/v1/oauth2/token",
		TokenEndpointAuthMethodsSupported: []string{"client_secret_basic", "client_secret_post"},
		UserinfoEndpoint:                  domain + "/v1/oauth2/userinfo",
	}
}

func serverMetadata(x *exchange, domain string) any {
	m := serverMetadataResponse{
		AuthorizationEndpoint: domain + authorizationPage, ClientIDMetadataDocumentSupported: true,
		CodeChallengeMethodsSupported: []string{"S256"}, GrantTypesSupported: []string{"authorization_code", "refresh_token", "client_credentials"},
		IntrospectionEndpoint: domain + "/v1/oauth2/introspect", Issuer: domain, JWKSURI: domain + "/.well-known/jwks.json",
		RequestID: x.requestID, ResponseTypesSupported: []string{"code"}, RevocationEndpoint: domain + "/v1/oauth2/revoke",
		ScopesSupported: []string{"openid", "profile", "email", "phone", "offline_access"}, StatusCode: 200,
		TokenEndpoint: domain + "/v1/oauth2/token", TokenEndpointAuthMethodsSupported: []string{"client_secret_basic", "client_secret_post", "none"},
	}
	if x.behavior.DynamicRegistration {
		m.RegistrationEndpoint = domain + "/v1/oauth2/register"
	}
	return m
}
