package emulator

import (
	"fmt"
	"net/http"
)

// A failure is an error that Stytch would send. Its text never contains a value of the request.
type failure struct {
	status  int
	kind    string // error_type, or error at an endpoint of OAuth 2.0
	message string
	oauth   bool   // in the format of RFC 6749, section 5.2
	reason  string // for the request log, with the ids that the message leaves out; empty if the message suffices
}

func (f *failure) Error() string { return f.kind + ": " + f.message }

// why sets the reason and returns f.
func (f *failure) why(format string, args ...any) *failure {
	f.reason = fmt.Sprintf(format, args...)
	return f
}

// fail returns the failure of a known kind, with its usual status and message.
func fail(kind string) *failure {
	known, ok := failures[kind]
	if !ok {
		panic("emulator: unknown error type " + kind)
	}
	return &failure{status: known.status, kind: kind, message: known.message, oauth: oauthTypes[kind]}
}

// because returns the failure of a known kind with another message.
func because(kind, message string) *failure {
	f := fail(kind)
	f.message = message
	return f
}

// grantError returns a failure in the format of the endpoints of OAuth 2.0, with status 400.
func grantError(kind, message string) *failure {
	return &failure{status: http.StatusBadRequest, kind: kind, message: message, oauth: true}
}

// oauthTypes are the error types in the format of RFC 6749.
var oauthTypes = map[string]bool{"invalid_client": true, "invalid_request": true, "invalid_scope": true, "unsupported_grant_type": true}

type knownFailure struct {
	status  int
	message string
}

// failures holds every error_type that the emulator sends. Stytch publishes most names without
// status and message: those statuses are assumed, and those messages are the emulator's own.
var failures = map[string]knownFailure{
	// Documented or observed with their text.
	"bad_request":                       {400, "The submitted request is invalid."},
	"invalid_project_id_authentication": {400, "The project ID provided in the basic authentication header is invalid. Please check to make sure the format is correct and there are no trailing whitespaces. To create a new project or confirm an existing project ID please visit the Stytch dashboard here: https://stytch.com/dashboard/api-keys"},
	"invalid_authorization_header":      {400, "The authorization header provided with the request is invalid."},
	"unauthorized_credentials":          {401, "Unauthorized credentials."},
	"m2m_client_not_found":              {404, "The m2m client requested could not be found."},
	"connected_app_not_found":           {404, "The Connected App requested could not be found."},
	"route_not_found":                   {404, "The route provided is not supported."},
	"too_many_requests":                 {429, "Too many requests have been made."},
	"internal_server_error":             {500, "Oops, something seems to have gone wrong. If this issue persists, please reach out to support."},
	"server_unavailable":                {503, "Oops, something seems to have gone wrong. Please retry the request. If this issue persists, please reach out to support."},
	"organization_suspended":            {403, "Your organization has been suspended. Please contact support@stytch.com for assistance."},

	// Of RFC 6749, at the endpoints of OAuth 2.0.
	"invalid_client":         {400, "The client credentials are not valid."},
	"invalid_request":        {400, "The request is malformed."},
	"invalid_scope":          {400, "The client does not hold a requested scope."},
	"unsupported_grant_type": {400, "The grant_type must be client_credentials."},

	// Published by name.
	"use_https":                             {403, "The request must be sent over HTTPS."},
	"unauthorized_credentials_homepage":     {401, "The credentials are the placeholders of the documentation."},
	"unauthorized_project_id_live":          {401, "The live credentials are not allowed here."},
	"unauthorized_project_id_test":          {401, "The test credentials are not allowed here."},
	"invalid_secret_authentication":         {400, "The password of the authorization header is not a secret."},
	"search_timeout":                        {500, "The search took too long."},
	"m2m_client_invalid_client_name":        {400, "The client_name is not valid."},
	"m2m_client_invalid_client_description": {400, "The client_description is not valid."},
	"connected_app_misconfigured_client":    {400, "The settings of the Connected App contradict each other."},
	"live_id_used_in_test_environment":      {400, "The project ID belongs to the live environment."},
	"test_id_used_in_live_environment":      {400, "The project ID belongs to the test environment."},
	"invalid_project_id":                    {400, "The project ID is not valid."},
	"project_not_found":                     {404, "The project could not be found."},
	"method_not_allowed":                    {405, "The method is not supported by this route."},

	"duplicate_m2m_client_id":               {400, "The client_id is already in use in this project."},
	"m2m_client_invalid_client_id":          {400, "The client_id is not valid."},
	"m2m_client_invalid_client_secret":      {400, "The client_secret must have at least 8 characters."},
	"insecure_m2m_client_secret":            {400, "The client_secret is too easy to guess."},
	"client_secret_too_long":                {400, "The client_secret is too long."},
	"invalid_m2m_client_status":             {400, "The status must be active or inactive."},
	"m2m_client_invalid_status":             {400, "The status must be active or inactive."},
	"invalid_m2m_client_scope":              {400, "A scope must be a non-empty text of printable ASCII characters without spaces, quotes and backslashes."},
	"too_many_m2m_client_scopes":            {400, "The client has too many scopes."},
	"too_many_m2m_clients_for_billing_tier": {400, "The project has as many M2M clients as its plan allows."},
	"m2m_client_already_rotating_secret":    {400, "A secret rotation is already in progress for this client."},
	"m2m_client_not_rotating_secret":        {400, "No secret rotation is in progress for this client."},
	"metadata_invalid_format":               {400, "The trusted_metadata must be a JSON object."},
	"metadata_too_large":                    {400, "The trusted_metadata must not exceed 4 KB."},
	"metadata_too_many_keys":                {400, "The trusted_metadata must not have more than 20 keys."},

	"m2m_search_missing_filter_name":        {400, "A search operand has no filter_name."},
	"m2m_search_filter_name_must_be_string": {400, "The filter_name of a search operand must be a string."},
	"m2m_search_filter_name_not_recognized": {400, "The m2m search operand filter_name was not recognized."},
	"m2m_search_missing_filter_value":       {400, "A search operand has no filter_value."},
	"m2m_search_expected_array_of_strings":  {400, "The filter_value of a search operand must be an array of strings."},

	"dynamic_client_registration_not_enabled":                  {400, "Dynamic client registration is not enabled for this project."},
	"invalid_connected_app_type":                               {400, "The client_type is not known."},
	"too_many_connected_apps":                                  {400, "The project has as many Connected Apps as it may have."},
	"connected_app_already_rotating_secret":                    {400, "A secret rotation is already in progress for this Connected App."},
	"connected_app_not_rotating_secret":                        {400, "No secret rotation is in progress for this Connected App."},
	"public_connected_apps_do_not_have_secrets":                {400, "Public Connected Apps do not have secrets."},
	"third_party_clients_cannot_use_full_access":               {400, "Third party clients cannot use full access."},
	"third_party_clients_require_consent_for_offline_access":   {400, "Third party clients require consent for offline access."},
	"idp_invalid_access_token_expiry_minutes":                  {400, "The access_token_expiry_minutes are out of range."},
	"idp_invalid_access_token_custom_audience":                 {400, "The access_token_custom_audience must not contain spaces or control characters."},
	"idp_invalid_access_token_jwt_template":                    {400, "A token template must be a JSON object."},
	"connected_app_invalid_redirect_url":                       {400, "A redirect URL is not valid."},
	"connected_app_redirect_url_must_include_scheme":           {400, "The redirect URL must include a scheme."},
	"connected_app_redirect_url_must_use_http_or_https_scheme": {400, "The redirect URL must use the http or https scheme."},
	"connected_app_redirect_url_must_use_https_scheme":         {400, "The redirect URL must use the https scheme."},
	"connected_app_redirect_url_http_scheme_must_use_loopback": {400, "A redirect URL with the http scheme must use a loopback address."},
	"connected_app_redirect_url_cannot_use_localhost":          {400, "The redirect URL cannot use localhost."},
}
