package emulator

import "encoding/json"

// The types of this file are the responses as Stytch writes them: keys in alphabetical order, which
// is the order of the fields, and an explicit null where nothing is set. The generated models omit
// null. An overlay for the server could change that, but it would still generate one type each for
// a record, a record with its secret and a record with its next secret, and so three conversions
// instead of one. A test keeps these types equal to the contract.

type m2mClientWire struct {
	ClientDescription        string          `json:"client_description"`
	ClientID                 string          `json:"client_id"`
	ClientName               string          `json:"client_name"`
	ClientSecret             string          `json:"client_secret,omitempty"` // create only
	ClientSecretLastFour     string          `json:"client_secret_last_four"`
	NextClientSecret         string          `json:"next_client_secret,omitempty"` // start of a rotation only
	NextClientSecretLastFour json.RawMessage `json:"next_client_secret_last_four,omitempty"`
	Scopes                   []string        `json:"scopes"`
	Status                   string          `json:"status"`
	TrustedMetadata          json.RawMessage `json:"trusted_metadata"`
}

type connectedAppWire struct {
	AccessTokenCustomAudience     *string         `json:"access_token_custom_audience"`
	AccessTokenExpiryMinutes      int32           `json:"access_token_expiry_minutes"`
	AccessTokenTemplateContent    string          `json:"access_token_template_content"`
	BypassConsentForOfflineAccess bool            `json:"bypass_consent_for_offline_access"`
	ClientDescription             string          `json:"client_description"`
	ClientID                      string          `json:"client_id"`
	ClientIDMetadataURL           *string         `json:"client_id_metadata_url"`
	ClientName                    string          `json:"client_name"`
	ClientSecret                  string          `json:"client_secret,omitempty"` // create only
	ClientSecretLastFour          *string         `json:"client_secret_last_four"`
	ClientType                    string          `json:"client_type"`
	CreationMethod                string          `json:"creation_method,omitempty"` // not where a secret is shown
	FullAccessAllowed             bool            `json:"full_access_allowed"`
	IDTokenTemplateContent        string          `json:"id_token_template_content"`
	LogoURL                       *string         `json:"logo_url"`
	NextClientSecret              string          `json:"next_client_secret,omitempty"` // start of a rotation only
	NextClientSecretLastFour      json.RawMessage `json:"next_client_secret_last_four,omitempty"`
	PostLogoutRedirectURLs        []string        `json:"post_logout_redirect_urls"`
	RedirectURLs                  []string        `json:"redirect_urls"`
	Status                        string          `json:"status"`
}

type m2mClientResponse struct {
	M2MClient  m2mClientWire `json:"m2m_client"`
	RequestID  string        `json:"request_id"`
	StatusCode int           `json:"status_code"`
}

type connectedAppResponse struct {
	ConnectedApp connectedAppWire `json:"connected_app"`
	RequestID    string           `json:"request_id"`
	StatusCode   int              `json:"status_code"`
}

type deleteResponse struct {
	ClientID   string `json:"client_id"`
	RequestID  string `json:"request_id"`
	StatusCode int    `json:"status_code"`
}

type resultsWire struct {
	NextCursor *string `json:"next_cursor"`
	Total      int     `json:"total"`
}

type m2mPageResponse struct {
	M2MClients      []m2mClientWire `json:"m2m_clients"`
	RequestID       string          `json:"request_id"`
	ResultsMetadata resultsWire     `json:"results_metadata"`
	StatusCode      int             `json:"status_code"`
}

type connectedAppPageResponse struct {
	ConnectedApps   []connectedAppWire `json:"connected_apps"`
	RequestID       string             `json:"request_id"`
	ResultsMetadata resultsWire        `json:"results_metadata"`
	StatusCode      int                `json:"status_code"`
}

type tokenResponse struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"`
	RequestID   string `json:"request_id"`
	StatusCode  int    `json:"status_code"`
	TokenType   string `json:"token_type"`
}

type jwkWire struct {
	Alg     string   `json:"alg"`
	E       string   `json:"e"`
	KeyOps  []string `json:"key_ops"`
	Kid     string   `json:"kid"`
	Kty     string   `json:"kty"`
	N       string   `json:"n"`
	Use     string   `json:"use"`
	X5C     []string `json:"x5c"`
	X5TS256 string   `json:"x5tS256"`
}

type keySetResponse struct {
	Keys       []jwkWire `json:"keys"`
	RequestID  string    `json:"request_id"`
	StatusCode int       `json:"status_code"`
}

type revokeResponse struct {
	RequestID  string `json:"request_id"`
	StatusCode int    `json:"status_code"`
}

type registerResponse struct {
	ClientID                string   `json:"client_id"`
	ClientName              string   `json:"client_name,omitempty"`
	ClientSecret            string   `json:"client_secret,omitempty"`
	ClientSecretExpiresAt   *int64   `json:"client_secret_expires_at,omitempty"` // beside a secret
	ClientURI               string   `json:"client_uri,omitempty"`
	GrantTypes              []string `json:"grant_types"`
	RedirectURIs            []string `json:"redirect_uris"`
	RequestID               string   `json:"request_id,omitempty"` // never, as in the documented sample
	ResponseTypes           []string `json:"response_types"`
	StatusCode              int      `json:"status_code,omitempty"` // never
	TokenEndpointAuthMethod string   `json:"token_endpoint_auth_method"`
}

type openIDResponse struct {
	AuthorizationEndpoint             string   `json:"authorization_endpoint"`
	GrantTypesSupported               []string `json:"grant_types_supported"`
	IDTokenSigningAlgValuesSupported  []string `json:"id_token_signing_alg_values_supported"`
	Issuer                            string   `json:"issuer"`
	JWKSURI                           string   `json:"jwks_uri"`
	RequestID                         string   `json:"request_id"`
	ResponseTypesSupported            []string `json:"response_types_supported"`
	ScopesSupported                   []string `json:"scopes_supported"`
	StatusCode                        int      `json:"status_code"`
	SubjectTypesSupported             []string `json:"subject_types_supported"`
	TokenEndpoint                     string   `json:"token_endpoint"`
	TokenEndpointAuthMethodsSupported []string `json:"token_endpoint_auth_methods_supported"`
	UserinfoEndpoint                  string   `json:"userinfo_endpoint"`
}

type serverMetadataResponse struct {
	AuthorizationEndpoint             string   `json:"authorization_endpoint"`
	ClientIDMetadataDocumentSupported bool     `json:"client_id_metadata_document_supported"`
	CodeChallengeMethodsSupported     []string `json:"code_challenge_methods_supported"`
	GrantTypesSupported               []string `json:"grant_types_supported"`
	IntrospectionEndpoint             string   `json:"introspection_endpoint"`
	Issuer                            string   `json:"issuer"`
	JWKSURI                           string   `json:"jwks_uri"`
	RegistrationEndpoint              string   `json:"registration_endpoint,omitempty"` // if apps may register
	RequestID                         string   `json:"request_id"`
	ResponseTypesSupported            []string `json:"response_types_supported"`
	RevocationEndpoint                string   `json:"revocation_endpoint"`
	ScopesSupported                   []string `json:"scopes_supported"`
	StatusCode                        int      `json:"status_code"`
	TokenEndpoint                     string   `json:"token_endpoint"`
	TokenEndpointAuthMethodsSupported []string `json:"token_endpoint_auth_methods_supported"`
}

// The keys of errors are not sorted: this order was observed on the wire.

type errorWire struct {
	StatusCode   int    `json:"status_code"`
	RequestID    string `json:"request_id"`
	ErrorType    string `json:"error_type"`
	ErrorMessage string `json:"error_message"`
	ErrorURL     string `json:"error_url"`
}

type oauthErrorWire struct {
	StatusCode       int    `json:"status_code"`
	RequestID        string `json:"request_id"`
	Error            string `json:"error"`
	ErrorDescription string `json:"error_description"`
	ErrorURI         string `json:"error_uri"`
}

func (c *m2mClient) wire(b Behavior) m2mClientWire {
	return m2mClientWire{
		ClientDescription:        c.description,
		ClientID:                 c.id,
		ClientName:               c.name,
		ClientSecretLastFour:     c.secrets.current.lastFour,
		NextClientSecretLastFour: c.secrets.nextLastFour(b),
		Scopes:                   c.scopes,
		Status:                   c.status,
		TrustedMetadata:          c.metadata,
	}
}

func (a *connectedApp) wire(b Behavior) connectedAppWire {
	w := connectedAppWire{
		AccessTokenCustomAudience:     a.customAudience,
		AccessTokenExpiryMinutes:      a.expiryMinutes,
		AccessTokenTemplateContent:    a.accessTokenTemplate,
		BypassConsentForOfflineAccess: a.bypassConsent,
		ClientDescription:             a.description,
		ClientID:                      a.id,
		ClientIDMetadataURL:           a.metadataURL(),
		ClientName:                    a.name,
		ClientType:                    a.clientType,
		FullAccessAllowed:             a.fullAccess,
		IDTokenTemplateContent:        a.idTokenTemplate,
		LogoURL:                       a.logoURL,
		NextClientSecretLastFour:      a.secrets.nextLastFour(b),
		PostLogoutRedirectURLs:        a.postLogoutURLs,
		RedirectURLs:                  a.redirectURLs,
		Status:                        statusActive,
	}
	if a.secrets.current != nil {
		w.ClientSecretLastFour = &a.secrets.current.lastFour
	}
	return w
}

// nextLastFour is next_client_secret_last_four: a string, null or absent.
func (p secretPair) nextLastFour(b Behavior) json.RawMessage {
	switch {
	case p.next != nil:
		return encode(p.next.lastFour)
	case b.NextSecretAbsent:
		return nil
	}
	return json.RawMessage("null")
}
