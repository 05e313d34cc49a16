package emulator

import (
	"net"
	"net/url"
	"strings"
	"unicode"
)

const defaultExpiryMinutes = 60

// A connectedApp is the record of one Connected App.
type connectedApp struct {
	id, name, description, clientType    string
	redirectURLs, postLogoutURLs         []string
	fullAccess, bypassConsent            bool
	expiryMinutes                        int32
	accessTokenTemplate, idTokenTemplate string
	customAudience, logoURL              *string // null until set
	secrets                              secretPair

	registered bool   // by the app itself
	clientURI  string // of a registered app
}

// metadataURL is the address of the Client ID Metadata Document that registered the app, which is
// its id; nil if the app was created.
func (a *connectedApp) metadataURL() *string {
	if !strings.HasPrefix(a.id, "https://") {
		return nil
	}
	return &a.id
}

func validClientType(name string) bool {
	switch name {
	case "first_party", "first_party_public", "third_party", "third_party_public":
		return true
	}
	return false
}

// public reports whether the app has no secret.
func (a *connectedApp) public() bool     { return strings.HasSuffix(a.clientType, "_public") }
func (a *connectedApp) thirdParty() bool { return strings.HasPrefix(a.clientType, "third_party") }

// check applies the rules that creation and update share. Those for third parties are documented;
// of the others only the error types are published. env is "test" or "live".
func (a *connectedApp) check(env string, b Behavior) error {
	if a.thirdParty() && a.fullAccess {
		return fail("third_party_clients_cannot_use_full_access")
	}
	if a.thirdParty() && a.bypassConsent {
		return fail("third_party_clients_require_consent_for_offline_access")
	}
	if a.expiryMinutes < 1 || int(a.expiryMinutes) > b.MaxExpiryMinutes {
		return fail("idp_invalid_access_token_expiry_minutes")
	}
	if strings.ContainsFunc(orZero(a.customAudience), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return fail("idp_invalid_access_token_custom_audience")
	}
	if !validTemplate(a.accessTokenTemplate) || !validTemplate(a.idTokenTemplate) {
		return fail("idp_invalid_access_token_jwt_template")
	}
	for _, address := range append(a.redirectURLs[:len(a.redirectURLs):len(a.redirectURLs)], a.postLogoutURLs...) {
		if kind := checkRedirectURL(env, address); kind != "" {
			return fail(kind)
		}
	}
	return nil
}

// validTemplate checks the outer braces only: a template contains {{ placeholders }}, so it is not
// JSON yet.
func validTemplate(template string) bool {
	text := strings.TrimSpace(template)
	return template == "" || len(text) >= 2 && text[0] == '{' && text[len(text)-1] == '}'
}

// checkRedirectURL returns the error_type for a URL, or "" for a valid one. Assumed: http is
// allowed for loopback addresses of test projects only, and localhost, which a hosts file can
// redirect, for test projects only.
func checkRedirectURL(env, address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "connected_app_invalid_redirect_url"
	}
	host := u.Hostname()
	ip := net.ParseIP(host)
	local := strings.EqualFold(host, "localhost")
	switch {
	case u.Scheme == "":
		return "connected_app_redirect_url_must_include_scheme"
	case u.Scheme != "http" && u.Scheme != "https":
		return "connected_app_redirect_url_must_use_http_or_https_scheme"
	case host == "" || u.User != nil || u.Fragment != "":
		return "connected_app_invalid_redirect_url"
	case env == "live" && local:
		return "connected_app_redirect_url_cannot_use_localhost"
	case env == "live" && u.Scheme == "http":
		return "connected_app_redirect_url_must_use_https_scheme"
	case u.Scheme == "http" && !local && (ip == nil || !ip.IsLoopback()):
		return "connected_app_redirect_url_http_scheme_must_use_loopback"
	}
	return ""
}
