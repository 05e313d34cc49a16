package emulator

import (
	"net"
	"net/url"
	"strings"
	"unicode"
)

// checkConnectedApp holds the rules that creation and update share. Those for third parties are documented; the others
// are known by the names of their errors only.
func (p *project) checkConnectedApp(a *connectedApp) error {
	if a.thirdParty() && a.fullAccess {
		return fail("third_party_clients_cannot_use_full_access")
	}
	if a.thirdParty() && a.bypassConsent {
		return fail("third_party_clients_require_consent_for_offline_access")
	}
	if a.expiryMinutes < 1 || int(a.expiryMinutes) > p.behavior.MaxExpiryMinutes {
		return fail("idp_invalid_access_token_expiry_minutes")
	}
	if strings.ContainsFunc(orZero(a.customAudience), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return fail("idp_invalid_access_token_custom_audience")
	}
	if !validTemplate(a.accessTokenTemplate) || !validTemplate(a.idTokenTemplate) {
		return fail("idp_invalid_access_token_jwt_template")
	}
	for _, address := range append(a.redirectURLs[:len(a.redirectURLs):len(a.redirectURLs)], a.postLogoutURLs...) {
		if kind := p.checkRedirectURL(address); kind != "" {
			return fail(kind)
		}
	}
	return nil
}

// validTemplate looks no closer than at the braces: a template holds {{ placeholders }}, so it is not JSON yet.
func validTemplate(template string) bool {
	text := strings.TrimSpace(template)
	return template == "" || len(text) >= 2 && text[0] == '{' && text[len(text)-1] == '}'
}

// checkRedirectURL returns the error_type for a URL, empty if it is good. Assumed: plain http is for loopback addresses,
// and in live projects for none; localhost, which a hosts file can point elsewhere, is for test projects.
func (p *project) checkRedirectURL(address string) string {
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
	case p.env == "live" && local:
		return "connected_app_redirect_url_cannot_use_localhost"
	case p.env == "live" && u.Scheme == "http":
		return "connected_app_redirect_url_must_use_https_scheme"
	case u.Scheme == "http" && !local && (ip == nil || !ip.IsLoopback()):
		return "connected_app_redirect_url_http_scheme_must_use_loopback"
	}
	return ""
}
