package emulator

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
)

// authenticate checks the project's HTTP Basic credentials.
func (p *project) authenticate(h http.Header) error {
	headers := h.Values("Authorization")
	if len(headers) == 0 {
		return fail("unauthorized_credentials")
	}
	user, password, ok := parseBasic(headers[0])
	if len(headers) > 1 || !ok {
		return fail("invalid_authorization_header")
	}
	if !projectIDPattern.MatchString(user) {
		return fail("invalid_project_id_authentication")
	}
	if env := environment(user); env != p.env {
		return fail(env + "_id_used_in_" + p.env + "_environment")
	}
	given := sha256.Sum256([]byte(password))
	same := subtle.ConstantTimeCompare(given[:], p.secret[:]) & subtle.ConstantTimeCompare([]byte(user), []byte(p.id))
	if same != 1 {
		return fail("unauthorized_credentials")
	}
	return nil
}

// parseBasic is stricter than http.Request.BasicAuth: it tells a malformed header from a missing one.
func parseBasic(header string) (user, password string, ok bool) {
	scheme, credentials, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	plain, err := base64.StdEncoding.DecodeString(strings.TrimLeft(credentials, " "))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(plain), ":")
}
