package console

import (
	"errors"
	"net/http"
	"strings"

	"github.com/stytchkit/m2m/stytch"
)

// fieldOf is the field of a form that an error type of the API is about.
var fieldOf = map[string]string{
	"duplicate_m2m_client_id":                                  "client_id",
	"m2m_client_invalid_client_id":                             "client_id",
	"m2m_client_invalid_client_secret":                         "client_secret",
	"insecure_m2m_client_secret":                               "client_secret",
	"client_secret_too_long":                                   "client_secret",
	"m2m_client_invalid_client_name":                           "client_name",
	"m2m_client_invalid_client_description":                    "client_description",
	"invalid_m2m_client_scope":                                 "scopes",
	"too_many_m2m_client_scopes":                               "scopes",
	"metadata_invalid_format":                                  "trusted_metadata",
	"metadata_too_large":                                       "trusted_metadata",
	"metadata_too_many_keys":                                   "trusted_metadata",
	"invalid_m2m_client_status":                                "status",
	"m2m_client_invalid_status":                                "status",
	"invalid_connected_app_type":                               "client_type",
	"third_party_clients_cannot_use_full_access":               "full_access_allowed",
	"third_party_clients_require_consent_for_offline_access":   "bypass_consent_for_offline_access",
	"idp_invalid_access_token_expiry_minutes":                  "access_token_expiry_minutes",
	"idp_invalid_access_token_custom_audience":                 "access_token_custom_audience",
	"idp_invalid_access_token_jwt_template":                    "access_token_template_content",
	"connected_app_invalid_redirect_url":                       "redirect_urls",
	"connected_app_redirect_url_must_include_scheme":           "redirect_urls",
	"connected_app_redirect_url_must_use_http_or_https_scheme": "redirect_urls",
	"connected_app_redirect_url_must_use_https_scheme":         "redirect_urls",
	"connected_app_redirect_url_http_scheme_must_use_loopback": "redirect_urls",
	"connected_app_redirect_url_cannot_use_localhost":          "redirect_urls",
}

// refused puts the reason of a refusal beside the field that it is about, and reports whether the
// form has to be shown again.
func refused(f *form, err error) bool {
	var response *stytch.Error
	switch {
	case err == nil:
	case errors.As(err, &response) && response.StatusCode < http.StatusInternalServerError:
		f.fail(fieldOf[response.Type], response.Message+" ("+response.Type+")")
	case errors.Is(err, stytch.ErrInvalidArgument):
		f.fail(argument(err.Error()))
	}
	return f.Failed()
}

// arguments are what the client library calls the fields that it checks before it sends anything.
var arguments = map[string]string{
	"ClientID": "client_id", "ClientSecret": "client_secret", "Scopes": "scopes", "TrustedMetadata": "trusted_metadata", "ClientType": "client_type",
}

// argument takes a text such as "stytch: CreateM2MClient: ClientID must not be …" apart: the field,
// and a sentence about it.
func argument(text string) (field, sentence string) {
	parts := strings.SplitN(text, ": ", 3)
	rule := parts[len(parts)-1]
	name, rest, _ := strings.Cut(rule, " ")
	if field, known := arguments[name]; known {
		return field, "It " + rest + ". Nothing was sent."
	}
	return "", upper(rule) + ". Nothing was sent."
}
